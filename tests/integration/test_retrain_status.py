"""A retraining on a real broker: asked for, answered from the command line, ended by the version that came of it."""

import json
import signal
import subprocess

from tests.integration.fraud import SECOND, Fraud, published, traffic
from tests.integration.running import COMMAND, ended

from anchorwatch.simulate.traffic import LABELS


def again(message, at):
    """Return a prediction once more, later, as version 2 makes it."""
    body = json.loads(message.value) | {"model_version": "2", "ts": at // 10**6}
    body["request_id"] = f"again-{body['request_id']}"
    return message._replace(value=json.dumps(body).encode(), time=at)


def test_what_is_reported_from_the_command_line_ends_the_incident_when_the_new_version_predicts(bootstrap, tmp_path):
    log = Fraud.on(bootstrap)
    watch = log.watch(tmp_path)
    watch.settings["inputs"] = {"retrain_status": f"{log.topics['predictions']}-status"}
    watch.settings["outputs"]["retrain"] = f"{log.topics['predictions']}-retrain"
    messages = traffic()
    with watch.running() as process:
        records = log.produce(messages)
        watch.wait(process, lambda: watch.finished(records) and published(watch)["retrain"])
        (trigger,) = [json.loads(record.value) for record in published(watch)["retrain"]]
        key = trigger["data"]["idempotency_key"]
        for status in (["acknowledged"], ["succeeded", "--version", "2"]):
            line = [
                *COMMAND,
                "retrain",
                "report",
                key,
                str(watch.config),
                "--time",
                trigger["time"],
                "--by",
                "a pipeline",
                "--status",
                *status,
            ]
            done = subprocess.run(line, capture_output=True, text=True, timeout=60, check=False)
            assert (done.returncode, done.stderr) == (0, "")
        records += 2
        later = max(message.time for message in messages)
        more = [again(m, later + i * SECOND) for i, m in enumerate(messages[:600]) if m.topic != LABELS]
        records += log.produce(more)
        watch.wait(process, lambda: watch.finished(records))
        assert ended(process, signal.SIGTERM)[0] == 0
    (model,) = watch.report()["models"]
    (retraining,) = model["retrainings"]
    assert (retraining["status"], retraining["new_version"], model["firing"]) == ("succeeded", "2", 0)
    assert retraining["took_over"] is not None
    assert model["accounting"]["statuses"] == 2
    listed = [*COMMAND, "retrain", "list", str(watch.config), "--trigger", trigger["id"], "--json"]
    stages = json.loads(subprocess.run(listed, capture_output=True, text=True, timeout=60, check=True).stdout)
    assert [(stage["status"], stage["version"], stage["by"]) for stage in stages] == [
        ("serving", "2", "anchorwatch"), ("succeeded", "2", "a pipeline"), ("acknowledged", None, "a pipeline"),
        ("requested", None, "anchorwatch"),
    ]  # fmt: skip
    assert [stage["status"] for stage in retraining["history"]] == ["requested", "acknowledged", "succeeded", "serving"]
    told = [json.loads(record.value)["data"] for record in published(watch)["alerts"]]
    assert "retrained" in {data["reason"] for data in told}
