"""A host that people give orders to while it runs."""

import json
import sqlite3
from contextlib import closing

import pytest
from tests.property.worlds import NOW, World
from tests.unit.host.runs import OUTPUTS, QUICK, a_model, a_source, opened

from anchorwatch.decide.orders import Acknowledge, BeginSilence, EndSilence, OrderReason, as_document
from anchorwatch.decide.silences import Matcher
from anchorwatch.errors import StoreError
from anchorwatch.host import Host, Parts
from anchorwatch.store.curator import Curator
from anchorwatch.testing import EOF, ListSink, ManualClock

WORLD = World(seed=8, n=200, partitions=(2, 1), segments=False, versions=False, lateness=2, wait=60)
QUIET = BeginSilence((Matcher.of_text("kind=~.*"),), NOW, "deploying", "ann")


@pytest.fixture
def store(tmp_path):
    with closing(opened(tmp_path / "store.db")) as store:
        yield store


def give(store, order, model=""):
    with closing(Curator.open_curator(store.path, holder="somebody", now=NOW)) as curator:
        return curator.give_order(model, as_document(order), now=NOW)


def a_host(store, sink, heard, logs=None):
    parts = Parts(a_source(logs or WORLD.records(), EOF), sink, store, ManualClock(NOW))
    return Host(
        [a_model(WORLD)], parts, "/test", OUTPUTS, QUICK, hear=lambda name, obeyed: heard.append((name, obeyed))
    )


def test_a_silence_given_while_the_host_runs_holds_from_the_next_checkpoint(store):
    sink, heard = ListSink(), []
    host = a_host(store, sink, heard)
    host.start()
    while not sink.of(OUTPUTS.alerts):
        host.turn(0.0)
    before = len(sink.of(OUTPUTS.alerts))
    give(store, QUIET)
    host.checkpoint()
    while not host.ended:
        host.turn(0.0)
    host.checkpoint()
    after = [json.loads(message.value)["type"] for message in sink.of(OUTPUTS.alerts)[before:]]
    assert {kind for kind in after if "incident" not in kind} <= {"io.anchorwatch.alert.resolved.v1"}
    assert {row.reason for row in store.alerts()} >= {"silenced", "fired"}
    assert [(name, [each.reason for each in obeyed]) for name, obeyed in heard] == [
        ("fraud", [OrderReason.SILENCE_BEGUN])
    ]


def test_an_order_is_taken_over_though_no_record_comes(store):
    """Nobody sends anything: the silence is in force and in the store all the same."""
    heard = []
    host = a_host(store, ListSink(), heard, logs={p: [] for p in WORLD.records()})
    host.start()
    number = give(store, QUIET)
    host.turn(0.0)
    assert host.models[0].taken == number
    assert host.models[0].saved is host.models[0].state
    give(store, EndSilence(number, "bob"))
    give(store, Acknowledge(1, "on it", "bob"))
    host.turn(0.0)
    assert [each.reason for _, obeyed in heard for each in obeyed] == [
        OrderReason.SILENCE_BEGUN, OrderReason.SILENCE_ENDED, OrderReason.INCIDENT_NOT_OPEN,
    ]  # fmt: skip


def test_an_order_that_nobody_can_read_stops_the_host_and_says_so(store):
    sqlite3.connect(store.path, isolation_level=None).execute(
        "INSERT INTO orders (model, at, document) VALUES ('', 1, '{\"order\":\"dance\"}')"
    ).connection.close()
    with pytest.raises(StoreError, match=r"a silence or an acknowledgement.*dance"):
        a_host(store, ListSink(), []).start()
