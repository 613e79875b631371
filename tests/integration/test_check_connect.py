"""`anchorwatch check --connect` against a real broker."""

from __future__ import annotations

import pytest
from tests.integration.broker import PASSWORD, USER

from anchorwatch.cli.main import main

CONFIG = """\
store: {directory}/a.db
kafka: {kafka}
outputs: {{alerts: {prefix}-alerts, retrain: {prefix}-retrain, dead_letters: {prefix}-dead}}
models:
  fraud:
    predictions: {{topic: {topic}, id: id, prediction: {{kind: binary, score: p}}}}
    baseline: {{first: 100}}
"""


@pytest.fixture
def check(tmp_path, prefix, capsys):
    """Check a configuration with --connect; return the exit code, stdout, stderr."""

    def run(topic, kafka, config=CONFIG):
        path = tmp_path / "conf.yaml"
        path.write_text(config.format(directory=tmp_path, kafka=kafka, prefix=prefix, topic=topic), encoding="utf-8")
        with pytest.raises(SystemExit) as left:
            main(["check", str(path), "--connect"])
        said = capsys.readouterr()
        return left.value.code, said.out, said.err

    return run


def test_a_broker_with_all_topics_is_fit_and_nothing_is_created(check, bootstrap, admin, make_topic, produce, prefix):
    topic = make_topic("in", partitions=2)
    produce(topic, [b"{}"] * 3, partition=0)
    code, out, err = check(topic, f"{{bootstrap_servers: '{bootstrap}'}}")
    assert (code, err) == (0, "")
    assert f"ok: inputs: {topic}: 2 partitions, 3 offsets" in out
    assert f"ok: outputs: {prefix}-alerts is not there yet and can be created" in out
    assert f"{prefix}-alerts" not in {found["name"] for found in admin.describe_topics() if not found["error_code"]}


def test_a_topic_that_is_not_there_is_told(check, bootstrap, prefix):
    code, _, err = check(f"{prefix}-nowhere", f"{{bootstrap_servers: '{bootstrap}'}}")
    assert code == 4
    assert f"has no topic {prefix}-nowhere" in err


WITH_STATUSES = (
    CONFIG
    + """\
    retrain: {{when: prediction, min_labels: 0}}
inputs: {{retrain_status: {prefix}-status}}
"""
)


def test_the_topic_of_reports_on_retrainings_is_told_where_it_is_there(check, bootstrap, make_topic, produce, prefix):
    topic, status = make_topic("in"), make_topic("status", partitions=2)
    produce(status, [b"{}"], partition=1)
    code, out, err = check(topic, f"{{bootstrap_servers: '{bootstrap}'}}", WITH_STATUSES)
    assert (code, err) == (0, "")
    assert f"ok: inputs: {status}: 2 partitions, 1 offsets" in out


def test_a_topic_of_reports_on_retrainings_that_is_not_there_yet_can_be_created_as_the_daemon_does(
    check, bootstrap, admin, make_topic, prefix
):
    code, out, err = check(make_topic("in"), f"{{bootstrap_servers: '{bootstrap}'}}", WITH_STATUSES)
    assert (code, err) == (0, "")
    assert f"ok: inputs: {prefix}-status is not there yet and can be created" in out
    assert f"{prefix}-status" not in {found["name"] for found in admin.describe_topics() if not found["error_code"]}


def test_a_wrong_password_ends_with_4_and_is_not_repeated(check, started_broker, make_topic):
    sasl = f"{{mechanism: PLAIN, username: {USER}, password: {PASSWORD}-wrong}}"
    kafka = f"{{bootstrap_servers: '{started_broker.sasl_servers}', security_protocol: SASL_PLAINTEXT, sasl: {sasl}}}"
    code, _, err = check(make_topic("in"), kafka)
    assert code == 4
    assert err.startswith("not ok: kafka: Kafka at ")
    assert f"{PASSWORD}-wrong" not in err
