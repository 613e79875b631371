"""Where a host begins: beside what was, without repeating it."""

import json
from pathlib import Path

import pytest

from anchorwatch.app import begun_anew, models_of
from anchorwatch.engine.state import fresh, to_parts
from anchorwatch.events.records import Partition
from anchorwatch.host import Host, Parts
from anchorwatch.settings.models import Settings
from anchorwatch.store.rows import AlertRow, Checkpoint
from anchorwatch.store.store import Store
from anchorwatch.testing import ListSink, ListSource, ManualClock

PREDICTIONS = Partition("fraud.predictions", 0)


@pytest.fixture
def settings():
    predictions = {"topic": PREDICTIONS.topic, "id": "id", "prediction": {"kind": "binary", "score": "p"}}
    return Settings.model_validate({"models": {"fraud": {"predictions": predictions, "baseline": {"first": 100}}}})


@pytest.fixture
def store():
    with Store.open(Path(":memory:"), holder="a test", now=0) as store:
        yield store


def told(ident, episode, incident, model="fraud"):
    """Return a row of the history of alerts."""
    words = dict.fromkeys(["version", "segment", "subject", "monitor", "severity", "reason"], "")
    return AlertRow(
        id=ident, fingerprint=ident, model=model, kind="drift", status="firing", at=0, starts_at=0, ends_at=None,
        incident=incident, document=json.dumps({"data": {"episode": episode}}).encode(), **words,
    )  # fmt: skip


def test_a_model_begun_anew_goes_on_counting_so_that_no_id_is_given_twice(settings, store):
    rows = [told("a", 7, 2), told("b", 5, 3), told("c", 90, 80, model="other")]
    store.checkpoint(Checkpoint(at=1, alerts=rows))
    (model,) = models_of(settings, store)
    anew = begun_anew(model.watch, store)
    assert (anew.decisions.episodes, anew.decisions.incidents.number) == (7, 3)
    assert anew.decisions.alerts == {}


def test_a_model_without_a_history_is_begun_like_a_new_one(settings, store):
    (model,) = models_of(settings, store)
    anew = to_parts(model.watch, begun_anew(model.watch, store))
    assert anew == to_parts(model.watch, fresh(model.watch))


def test_positions_of_topics_that_no_model_reads_any_more_do_not_stand_in_the_way(settings, store):
    store.checkpoint(Checkpoint(at=1, positions={Partition("gone.labels", 0): 40, PREDICTIONS: 0}))
    source = ListSource({PREDICTIONS: []})
    host = Host(models_of(settings, store), Parts(source, ListSink(), store, ManualClock()), "/a", settings.outputs)
    host.start()
    assert host.positions == {PREDICTIONS: 0}
