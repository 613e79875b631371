"""A retraining from its trigger to the version that came of it, through the engine."""

import json

import numpy as np
import pytest

from anchorwatch.decide.ids import trigger_id
from anchorwatch.engine.state import fresh, from_parts, to_parts
from anchorwatch.engine.step import step
from anchorwatch.engine.watch import compile_watch
from anchorwatch.events.decode import Decoder
from anchorwatch.events.records import Partition, Records
from anchorwatch.settings.models import Model

SECOND = 10**9
START = 1_777_622_400 * SECOND
MODEL = Model.model_validate(
    {
        "predictions": {
            "topic": "p", "id": "id", "time": "at", "version": "v", "features": {"amount": "numeric"},
            "prediction": {"kind": "binary", "score": "score"},
        },
        "labels": {"topic": "l", "id": "id", "value": "y", "time": "at"},
        "event_time": {"lateness": "0s"},
        "baseline": {"first": 300},
        "windows": {"size": 200},
        "retrain": {"when": "accuracy worse", "min_labels": 50, "acknowledge_within": "100s"},
    }
)  # fmt: skip
EVENTS, LABELS, STATUSES = Partition("p", 0), Partition("l", 0), Partition("status", 0)
RETRAINING = trigger_id("/aw", "fraud", "default", 1)


def predictions(start, stop, version):
    return [
        json.dumps(
            {"id": i, "at": START // SECOND + i, "v": version, "amount": (i * 7919) % 101, "score": 0.9}
        ).encode()
        for i in range(start, stop)
    ]


def labels(start, stop, *, wrong):
    rng = np.random.default_rng(start)
    return [
        json.dumps({"id": i, "at": START // SECOND + i, "y": int(rng.random() >= wrong)}).encode()
        for i in range(start, stop)
    ]


def said(at, progress, **more):
    return json.dumps({"id": RETRAINING, "status": progress, "time": START // SECOND + at, **more}).encode()


class Run:
    """A model in the hands of a host that is restarted after each batch."""

    def __init__(self):
        self.watch = compile_watch("/aw", "fraud", MODEL, None, "0", answered=True)
        self.decoder = Decoder("fraud", MODEL, "status")
        self.state = fresh(self.watch)
        self.offsets = dict.fromkeys((EVENTS, LABELS, STATUSES), 0)
        self.notices, self.triggers = [], []

    def take(self, *, idle=(STATUSES,), **values):
        parts = []
        for partition, key in ((EVENTS, "p"), (LABELS, "l"), (STATUSES, "s")):
            given = values.get(key, [])
            start = self.offsets[partition]
            parts.append(Records(partition, range(start, start + len(given)), [None] * len(given), given))
            self.offsets[partition] += len(given)
        batch, letters = self.decoder.decode([p for p in parts if p.values], sorted(self.offsets), START * 2, idle)
        assert letters == []
        state, outcome = step(self.watch, self.state, batch)
        self.state = from_parts(self.watch, to_parts(self.watch, state))
        self.notices += outcome.decision.notices
        self.triggers += outcome.decision.triggers
        return outcome.decision

    @property
    def retraining(self):
        return self.state.decisions.retrainings[-1]


@pytest.fixture
def run():
    """Return a model that has asked for a retraining at about row 600 of 1000."""
    run = Run()
    run.take(p=predictions(0, 1000, "1"), l=labels(0, 500, wrong=0.05) + labels(500, 1000, wrong=0.6))
    assert [t.id for t in run.triggers] == [RETRAINING]
    return run


def later(run, start, stop, version, **more):
    return run.take(p=predictions(start, stop, version), l=labels(start, stop, wrong=0.1), **more)


def test_a_trigger_tells_the_rows_and_labels_since_the_change_and_what_it_was_decided_with(run):
    (trigger,) = run.triggers
    assert 0 < trigger.labelled <= trigger.rows + 16 <= 300
    assert trigger.fingerprints.code == "0"
    assert trigger.fingerprints.configuration == run.watch.fingerprint
    assert trigger.fingerprints.data == run.state.versions[0].baseline.predictions.fingerprint != ""


def test_the_first_prediction_of_the_version_that_came_of_it_ends_the_incident(run):
    run.take(s=[said(1010, "running"), said(1020, "succeeded", version=2)])
    later(run, 1000, 1100, "1")
    assert (run.retraining.progress, run.retraining.armed) == ("succeeded", True)
    assert run.state.decisions.incidents.open
    later(run, 1100, 1102, "2")
    ended = [n for n in run.notices if n.status == "resolved" and n.identity.kind != "retrain"]
    assert {n.reason for n in ended} == {"retrained"}
    assert {n.at for n in ended} == {START + 1100 * SECOND}
    assert (run.state.decisions.incidents.open, run.state.decisions.replaced) == ((), ("1",))
    assert run.retraining.served_at == START + 1100 * SECOND


def test_a_version_that_predicts_already_takes_over_when_success_is_reported(run):
    later(run, 1000, 1010, "2")
    run.take(s=[said(1015, "succeeded", version="2")])
    later(run, 1010, 1030, "2")
    ended = [n for n in run.notices if n.status == "resolved" and n.identity.kind != "retrain"]
    assert {(n.reason, n.at) for n in ended} == {("retrained", START + 1015 * SECOND)}
    assert (run.retraining.armed, run.state.decisions.replaced) == (False, ("1",))


def test_success_told_after_the_version_took_over_ends_the_retraining(run):
    later(run, 1000, 1300, "2")
    assert {n.reason for n in run.notices if n.status == "resolved" and n.identity.version == "1"} == {"superseded"}
    run.take(s=[said(1310, "succeeded", version="2")])
    later(run, 1300, 1330, "2")
    assert not run.retraining.underway


def test_the_new_version_gathers_a_baseline_of_its_own(run):
    run.take(s=[said(1010, "succeeded", version="2")])
    later(run, 1000, 1400, "2")
    one, two = (version.baseline for version in run.state.versions)
    assert one.version == "1"
    assert two.version == "2"


def test_a_report_waits_for_event_time_and_holds_nothing_up(run):
    """However far ahead its time is: only a report that is still to be read is waited for."""
    run.take(s=[said(50_000, "acknowledged")])
    later(run, 1000, 1200, "1")
    assert run.state.accounting()["pending_statuses"] == 1
    assert run.state.mark.frontier == START + 1199 * SECOND
    assert run.retraining.progress == "requested"
    assert "unanswered" in {n.identity.monitor for n in run.notices}
    run.take(idle=(EVENTS, LABELS, STATUSES))
    assert run.state.mark.frontier == START + 1199 * SECOND + 1


def test_a_report_that_comes_late_counts_as_of_now(run):
    run.take(s=[said(0, "acknowledged")])
    later(run, 1000, 1010, "1")
    assert (run.retraining.progress, run.retraining.changed_at) == ("acknowledged", START + 999 * SECOND)


def test_while_reports_are_unread_nothing_later_is_taken(run):
    later(run, 1000, 1010, "1", idle=(), s=[said(1003, "running")])
    assert run.state.mark.frontier == START + 1003 * SECOND
    run.take()
    assert run.state.mark.frontier == START + 1009 * SECOND
    assert run.retraining.progress == "running"
