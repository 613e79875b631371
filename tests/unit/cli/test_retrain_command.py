"""The command `anchorwatch retrain report`, and the message it writes."""

import json
from contextlib import closing

import pytest

from anchorwatch.cli.main import main
from anchorwatch.errors import UsageError
from anchorwatch.events.decode import Decoder
from anchorwatch.events.records import Partition, Records
from anchorwatch.reporting import status_message
from anchorwatch.settings.models import Model
from anchorwatch.store.rows import Checkpoint
from anchorwatch.store.stages import StageRow
from anchorwatch.store.store import Store

MODEL = {
    "predictions": {"topic": "p", "id": "id", "prediction": {"kind": "binary", "score": "s"}},
    "baseline": {"first": 100},
    "retrain": {"when": "drift", "min_labels": 0},
}


def test_what_is_reported_is_what_the_daemon_reads():
    at, who = "2026-05-01T08:00:00Z", "argo"
    message = status_message("status", "a-1", "succeeded", version="2", model="fraud", time=at, by=who)
    records = Records(Partition("status", 0), [0], [None], [message.value])
    decoder = Decoder("fraud", Model.model_validate(MODEL), "status")
    batch, letters = decoder.decode([records], [records.partition], 1_777_622_400 * 10**9)
    found = batch.statuses
    assert letters == []
    assert (found.retraining, found.progress, found.version, found.by) == (("a-1",), ("succeeded",), ("2",), ("argo",))
    assert found.time.tolist() == [1_777_622_400 * 10**9]


def test_reports_of_one_retraining_stay_in_order_and_say_no_more_than_was_said():
    message = status_message("status", "a-1", "running")
    assert (message.key, message.topic, json.loads(message.value)) == (
        b"a-1", "status", {"id": "a-1", "status": "running"},
    )  # fmt: skip


def test_a_status_that_there_is_not_is_refused():
    with pytest.raises(UsageError, match="report one of acknowledged, running"):
        status_message("status", "a-1", "done")


def test_a_configuration_without_a_topic_for_it_is_told_what_it_lacks(tmp_path, capsys):
    path = tmp_path / "a.yaml"
    path.write_text(json.dumps({"models": {"fraud": MODEL}}))
    with pytest.raises(SystemExit) as left:
        main(["retrain", "report", "a-1", str(path), "--status", "running"])
    assert left.value.code == 3
    assert "inputs: {retrain_status: TOPIC}" in capsys.readouterr().err


@pytest.fixture
def listed(tmp_path, capsys):
    """List what became of retrainings that are in a store."""
    stages = [
        StageRow("t-1", "fraud", "default", 1, "running", 10**9, "", "argo"),
        StageRow("t-1", "fraud", "default", 1, "succeeded", 2 * 10**9, "2", ""),
        StageRow("t-2", "churn", "[weekly]", 7, "unanswered", 3 * 10**9, "", "anchorwatch"),
    ]
    path = tmp_path / "a.yaml"
    path.write_text(json.dumps({"models": {"fraud": MODEL}, "store": str(tmp_path / "a.db")}))
    with closing(Store.open(tmp_path / "a.db", holder="a test", now=1)) as store:
        store.checkpoint(Checkpoint(at=1, stages=stages))

    def said(*options):
        with pytest.raises(SystemExit) as left:
            main(["retrain", "list", str(path), *options])
        assert left.value.code == 0
        return capsys.readouterr().out

    return said


def test_what_became_of_retrainings_is_listed_newest_first(listed):
    assert listed().splitlines() == [
        "1970-01-01T00:00:03+00:00 churn, policy [weekly], incident 7: unanswered, says anchorwatch (t-2)",
        "1970-01-01T00:00:02+00:00 fraud, policy default, incident 1: succeeded, version 2 (t-1)",
        "1970-01-01T00:00:01+00:00 fraud, policy default, incident 1: running, says argo (t-1)",
    ]
    assert [row["status"] for row in json.loads(listed("--json", "--trigger", "t-1"))] == ["succeeded", "running"]
    (newest,) = json.loads(listed("--json", "--model", "fraud", "--limit", "1"))
    assert newest == {
        "at": "1970-01-01T00:00:02+00:00", "model": "fraud", "policy": "default", "incident": 1, "trigger": "t-1",
        "status": "succeeded", "version": "2", "by": None,
    }  # fmt: skip
