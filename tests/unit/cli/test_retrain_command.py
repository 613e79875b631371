"""The command `anchorwatch retrain report`, and the message it writes."""

import json

import pytest

from anchorwatch.cli.main import main
from anchorwatch.errors import UsageError
from anchorwatch.events.decode import Decoder
from anchorwatch.events.records import Partition, Records
from anchorwatch.reporting import status_message
from anchorwatch.settings.models import Model

MODEL = {
    "predictions": {"topic": "p", "id": "id", "prediction": {"kind": "binary", "score": "s"}},
    "baseline": {"first": 100},
    "retrain": {"when": "drift", "min_labels": 0},
}


def test_what_is_reported_is_what_the_daemon_reads():
    message = status_message("status", "a-1", "succeeded", version="2", model="fraud", time="2026-05-01T08:00:00Z")
    records = Records(Partition("status", 0), [0], [None], [message.value])
    decoder = Decoder("fraud", Model.model_validate(MODEL), "status")
    batch, letters = decoder.decode([records], [records.partition], 1_777_622_400 * 10**9)
    found = batch.statuses
    assert letters == []
    assert (found.retraining, found.progress, found.version) == (("a-1",), ("succeeded",), ("2",))
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
