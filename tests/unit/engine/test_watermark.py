"""Event time goes by the logs alone: it never goes back, and nobody's wrong clock moves it."""

import itertools
import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from tests.property.worlds import NOW, START, Run, World

from anchorwatch.engine import watermark
from anchorwatch.engine.watermark import NEVER, Watermark
from anchorwatch.engine.watermark import START as NOTHING
from anchorwatch.events.records import Partition

PARTITIONS = ("a/0", "b/0", "c/0")
LATENESS = 10


def admitted(mark, events):
    """Take (partition code, time) events in order of offset."""
    codes = np.array([code for code, _ in events], np.int32)
    times = np.array([time for _, time in events], np.int64)
    return watermark.admit(mark, PARTITIONS, codes, np.arange(len(events)), times, LATENESS)


EVENTS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 200)), max_size=30)


@given(st.lists(st.tuples(EVENTS, st.sets(st.sampled_from(PARTITIONS))), max_size=8))
def test_the_frontier_never_goes_back(batches):
    """Whatever comes, whoever falls silent and speaks again."""
    mark = NOTHING
    for events, idle in batches:
        before = mark.frontier
        mark, _, _ = admitted(mark, events)
        mark = watermark.advance(mark, PARTITIONS, idle, LATENESS)
        assert mark.frontier >= before


@given(EVENTS, st.lists(st.integers(0, 30)))
def test_an_event_is_late_by_what_came_before_it_in_its_own_partition(events, cuts):
    """The rule as a loop over one event after the other says it, for any cutting."""
    newest, expected = {}, []
    for code, time in events:
        expected.append(time < newest.get(code, -(10**6)) - LATENESS)
        newest[code] = max(newest.get(code, time), time)
    mark, late = NOTHING, []
    edges = sorted({0, len(events), *(c for c in cuts if c < len(events))})
    for start, stop in itertools.pairwise(edges):
        mark, some, _ = admitted(mark, events[start:stop])
        late += some.tolist()
    assert late == expected


def test_a_partition_that_has_shown_nothing_holds_the_frontier_until_it_is_idle():
    mark, _, _ = admitted(NOTHING, [(0, 100), (1, 80)])
    assert watermark.advance(mark, PARTITIONS, (), LATENESS).frontier == NEVER
    assert watermark.advance(mark, PARTITIONS, {"c/0"}, LATENESS).frontier == 80 - LATENESS
    assert watermark.advance(mark, PARTITIONS, {"b/0", "c/0"}, LATENESS).frontier == 100 - LATENESS
    assert watermark.advance(mark, PARTITIONS, PARTITIONS, LATENESS).frontier == 101


def test_a_partition_that_is_ahead_of_the_slowest_by_more_than_the_span_is_held_back():
    mark = Watermark({"a/0": 100, "b/0": 50, "c/0": 10}, 0)
    assert watermark.ahead(mark, PARTITIONS, (), 45) == {"a/0"}
    assert watermark.ahead(mark, PARTITIONS, {"c/0"}, 55) == set()
    assert watermark.ahead(mark, (*PARTITIONS, "new/0"), (), 45) == {"a/0"}
    assert watermark.ahead(mark, PARTITIONS, PARTITIONS, 0) == set()


def body(name, at, **more):
    return json.dumps({"id": name, "at": at, "amount": 1.0, "score": 0.2, **more}).encode()


def run_of(logs, **world):
    return Run(World(seed=0, **{"segments": False, "labels": False, **world}), logs)


def test_an_event_of_2099_is_a_dead_letter_and_moves_no_time():
    """One producer with a wrong clock must not make everybody else's events late."""
    log = [body("a", "2026-05-01T08:00:00Z"), body("b", "2099-01-01T00:00:00Z"), body("c", "2026-05-01T08:00:01Z")]
    run = run_of({Partition("predictions", 0): log})
    run.take_all()
    counts = run.state.accounting()
    assert (counts["dead_time_in_future"], counts["predictions"], counts.get("late_predictions", 0)) == (1, 2, 0)
    assert run.state.mark.frontier < NOW


def test_an_event_of_1677_stops_nobody():
    """The smallest time there is neither overflows nor makes the events after it late."""
    for at in ("1677-09-21T00:12:44Z", -(2**63) + 1, 0):
        log = [body("a", at), body("b", "2026-05-01T08:00:00Z"), body("c", "2026-05-01T08:00:01Z")]
        for cut in (False, True):
            run = run_of({Partition("predictions", 0): log}, size=None, time=3600, lateness=60)
            run.take_cut(np.random.default_rng(0), largest=1) if cut else run.take_all()
            assert run.state.accounting().get("late_predictions", 0) == 0
            assert run.state.accounting()["waiting_predictions"] + run.state.accounting()["expired_predictions"] == 3


def test_windows_by_time_take_an_event_of_1677():
    """Its window would begin before time does, and begins with it."""
    log = [body(f"p{i}", START // 10**9 + i) for i in range(80)]
    log += [body(f"q{i}", -(2**63) + 1 + i) for i in range(70)]
    run = run_of({Partition("predictions", 0): log[80:], Partition("predictions", 1): log[:80]}, size=None, time=3600)
    run.take_all()
    assert run.state.accounting().get("late_predictions", 0) == 0


def test_a_new_partition_does_not_make_what_waits_change_its_order():
    """Partitions are known by name: a name that sorts in between moves the numbers of the others."""
    same = "2026-05-01T08:00:10Z"
    old = {Partition("predictions", 0): [body("x", same, score=0.9)], Partition("predictions", 2): [body("x", same)]}
    early, late = run_of(dict(old)), run_of({**old, Partition("predictions", 1): []})
    early.take([(p, 1) for p in old])
    early.logs[Partition("predictions", 1)] = []
    early.place[Partition("predictions", 1)] = 0
    early.take([])
    late.take([(p, 1) for p in old])
    assert early.parts()["pending"] == late.parts()["pending"]


def test_a_late_label_that_comes_when_all_is_quiet_is_not_kept_waiting_for_another_event():
    mark = watermark.Watermark({"a/0": 100, "b/0": 80}, 101)
    assert watermark.advance(mark, ("a/0", "b/0"), ("a/0", "b/0"), LATENESS, waiting=101).frontier == 102
