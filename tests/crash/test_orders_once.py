"""Orders of people and the process that dies: each is taken over exactly once, with the state that it changed."""

import json
from contextlib import closing

import pytest
from tests.property.worlds import NOW, World
from tests.unit.host.runs import OUTPUTS, a_host, a_source, found, opened, to_the_end

from anchorwatch.decide.orders import Acknowledge, BeginSilence, as_document
from anchorwatch.decide.silences import Matcher
from anchorwatch.engine.saved import saved_standing
from anchorwatch.store.curator import Curator
from anchorwatch.testing import EOF, Crash, ListSink, SideEffects

WORLD = World(seed=8, n=200, partitions=(2, 1), segments=False, versions=False, lateness=2, wait=60)
LOGS = WORLD.records()
QUIET = BeginSilence((Matcher.of_text("kind!~schema|accuracy|drift"),), NOW, "deploying", "ann")
MINE = Acknowledge(1, "on it", "bob")


def give(path, *orders):
    with closing(Curator.open_curator(path, holder="somebody", now=NOW)) as curator:
        return [curator.give_order("", as_document(order), now=NOW) for order in orders]


def run(path, *ends, at_record=None):
    """Run until it comes through; beside the first run somebody gives orders when so many records are read."""
    source, sink, starts = a_source(LOGS, EOF), ListSink(), []
    closing(opened(path)).__enter__().close()
    if at_record is None:
        give(path, QUIET, MINE)
    for end in [*ends, None]:
        effects = SideEffects(end)
        starts.append(effects.passed)
        with closing(opened(path)) as store:
            host = a_host(WORLD, source, sink, store, effects=effects)
            try:
                host.start()
                while not host.ended:
                    host.turn(0.0)
                    if at_record is not None and host.read >= at_record:
                        at_record = give(path, QUIET, MINE) and None
                to_the_end(host)
            except Crash:
                continue
            break
    return sink, starts


def standing(path):
    with closing(opened(path)) as store:
        return saved_standing(store.part("fraud", "head"))


def alerts_told(sink):
    events = [json.loads(message.value) for message in sink.of(OUTPUTS.alerts)]
    return {event["id"] for event in events if ".alert." in event["type"]}


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    path = tmp_path_factory.mktemp("whole") / "store.db"
    sink, (passed,) = run(path)
    return sink, found(path), passed


@pytest.fixture(scope="module")
def loud(tmp_path_factory):
    """Return the ids of all alerts that are told where nobody gives an order."""
    sink = ListSink()
    with closing(opened(tmp_path_factory.mktemp("loud") / "store.db")) as store:
        to_the_end(a_host(WORLD, a_source(LOGS, EOF), sink, store))
    return alerts_told(sink)


def test_orders_hold_back_some_messages_and_the_history_has_them_all(undisturbed, loud):
    sink, store, _ = undisturbed
    silent = {row.id for row in store["alerts"] if row.reason == "silenced"}
    told = alerts_told(sink)
    assert len(silent) > 1
    assert len(told) > 1
    assert told | silent == {row.id for row in store["alerts"]}
    assert told & silent == set()
    assert silent <= loud


def test_failure_01_orders_given_before_a_kill_at_any_side_effect_count_once(undisturbed, tmp_path):
    sink, store, passed = undisturbed
    for k in range(1, len(passed) + 1, 3):
        path = tmp_path / f"{k}.db"
        again, starts = run(path, k)
        assert len(starts) == 2, passed[k - 1]
        assert again.distinct() == sink.distinct(), passed[k - 1]
        assert found(path) == store, passed[k - 1]


@pytest.mark.parametrize("k", [5, 12, 23, 24, 25, 26, 40])
def test_an_order_given_in_the_middle_of_a_run_that_dies_is_in_force_once(tmp_path, loud, k):
    """Given beside the running host: the silence stands once, and an alert is told or silenced, never both."""
    path = tmp_path / "store.db"
    sink, _ = run(path, k, at_record=60)
    found_standing = standing(path)
    assert [silence.id for silence in found_standing.silences] == [1]
    assert found_standing.taken == 2
    with closing(opened(path)) as store:
        rows = store.alerts(limit=10**6)
    told, silent = alerts_told(sink), {row.id for row in rows if row.reason == "silenced"}
    assert told | silent == {row.id for row in rows}
    assert told & silent == set()
    assert loud - told == silent & loud
    assert silent
