"""Predictions that a topic no longer keeps cannot be joined again after a loss of the state: `check` says so."""

from __future__ import annotations

import pytest

from anchorwatch.cli.main import main
from anchorwatch.settings.models import Kafka
from anchorwatch.transport.kafka_retention import retentions

CONFIG = """\
store: {directory}/a.db
kafka: {{bootstrap_servers: '{bootstrap}'}}
outputs: {{alerts: {prefix}-alerts, retrain: {prefix}-retrain, dead_letters: {prefix}-dead}}
models:
  fraud:
    predictions: {{topic: {topic}, id: id, prediction: {{kind: binary, score: p}}}}
    labels: {{topic: {labels}, id: id, value: truth, wait: 2h}}
    baseline: {{first: 100}}
"""


@pytest.mark.parametrize(("hours", "warned"), [(1, True), (3, False)])
def test_a_topic_that_keeps_predictions_for_less_than_labels_are_waited_for_is_told(
    tmp_path, bootstrap, prefix, make_topic, capsys, hours, warned
):
    """It is a warning: the daemon runs all the same."""
    topic, labels = make_topic("in", retention_ms=hours * 3_600_000), make_topic("labels", retention_ms=60_000)
    path = tmp_path / "conf.yaml"
    text = CONFIG.format(directory=tmp_path, bootstrap=bootstrap, prefix=prefix, topic=topic, labels=labels)
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SystemExit) as left:
        main(["check", str(path), "--connect"])
    out = capsys.readouterr().out
    assert left.value.code == 0
    assert (f"warning: {topic} keeps records for 1h, and labels of fraud are waited for 2h" in out) is warned


def test_a_topic_that_keeps_its_records_for_ever_has_no_retention(bootstrap, make_topic):
    forever, default = make_topic("forever", retention_ms=-1), make_topic("hour", retention_ms=3_600_000)
    assert retentions(Kafka(bootstrap_servers=bootstrap), [forever, default]) == {default: 3600 * 10**9}
