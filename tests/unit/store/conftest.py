"""Stores on disk, and rows to put into them."""

import math
from types import SimpleNamespace

import pytest

from anchorwatch.events.records import Outgoing, Partition
from anchorwatch.store.rows import AlertRow, BaselineRow, Checkpoint, IncidentRow, ScoreRow, TriggerRow
from anchorwatch.store.stages import StageRow
from anchorwatch.store.store import Store


@pytest.fixture
def path(tmp_path):
    return tmp_path / "anchorwatch.db"


@pytest.fixture
def opened(path):
    """Open stores as the one writer, and close them all in the end."""
    stores = []

    def opened(where=path, **options):
        stores.append(Store.open(where, holder="a test", now=1, **options))
        return stores[-1]

    yield opened
    for store in stores:
        store.close()


@pytest.fixture
def store(opened):
    return opened()


def score(k, **changes):
    values = {
        "model": "fraud", "version": "1", "segment": "", "kind": "drift", "subject": "amount", "monitor": "psi",
        "at": 1000 + k, "level": "stable", "reason": "below threshold", "statistic": 0.1 * k, "threshold": 0.2,
        "effect": math.inf, "direction": "changed", "n": 500, "since": None, "baseline": "b" * 64,
    }  # fmt: skip
    return ScoreRow(**{**values, **changes})


def alert(k, **changes):
    values = {
        "id": f"alert-{k}", "fingerprint": "f", "model": "fraud", "version": "1", "segment": "", "kind": "drift",
        "subject": "amount", "monitor": "psi", "severity": "warning", "status": "firing", "reason": "k of n windows",
        "at": 1000 + k, "starts_at": 1000, "ends_at": None, "incident": 1,
        "document": b'{"text":"\xc3\xa9","data":{"startsAt":"then","annotations":{"summary":"what"}}}',
    }  # fmt: skip
    return AlertRow(**{**values, **changes})


def incident(k, **changes):
    values = {
        "id": f"incident-{k}", "model": "fraud", "incident": k, "version": "1", "notice": 1, "severity": "critical",
        "status": "opened", "reason": "opened", "at": 1000 + k, "opened_at": 1000, "ended_at": None,
        "document": b'{"data":{"startsAt":"then","annotations":{"summary":"what"},"features":[],"segments":[],'
        b'"children":[]}}',
    }  # fmt: skip
    return IncidentRow(**{**values, **changes})


def trigger(k, **changes):
    values = {
        "id": f"trigger-{k}", "model": "fraud", "policy": "default", "incident": k, "at": 1000 + k,
        "reason": "accuracy worse", "document": b"{}",
    }  # fmt: skip
    return TriggerRow(**{**values, **changes})


def stage(k, **changes):
    values = {
        "trigger": f"trigger-{k}", "model": "fraud", "policy": "default", "incident": k, "status": "running",
        "at": 1000 + k, "version": "", "by": "argo",
    }  # fmt: skip
    return StageRow(**{**values, **changes})


def baseline(k, **changes):
    values = {
        "id": f"{k:064x}", "model": "fraud", "version": "1", "document": b'{"k":%d}' % k, "created": k, "rows": 10_000,
        "start": 5, "end": 9, "fingerprint": f"data-{k}", "code": "0.1.0", "configuration": "c",
    }  # fmt: skip
    return BaselineRow(**{**values, **changes})


def outgoing(k, **changes):
    values = {
        "id": f"out-{k}", "topic": "alerts", "key": None, "value": b"%d" % k, "headers": (("ce_id", b"\xff\0"),),
    }  # fmt: skip
    return Outgoing(**{**values, **changes})


def checkpoint(k):
    """Return the k-th checkpoint of a run: everything in it says k."""
    return Checkpoint(
        at=10_000 + k,
        positions={Partition("predictions", 0): 100 * k, Partition("labels", 3): 10 * k},
        parts={"fraud": {"windows": b"w%d" % k * 100, "join": b"j%d" % k, f"lane-{k}": b"", f"lane-{k - 1}": None}},
        outbox=[outgoing(k)],
        baselines=[baseline(k)],
        scores=[score(k), score(k, subject="hour")],
        alerts=[alert(k)],
        incidents=[incident(k)],
        triggers=[trigger(k)],
        stages=[stage(k)],
    )


@pytest.fixture
def rows():
    return SimpleNamespace(
        score=score,
        alert=alert,
        incident=incident,
        trigger=trigger,
        stage=stage,
        baseline=baseline,
        outgoing=outgoing,
        checkpoint=checkpoint,
    )
