"""The test kit does what crash tests rely on."""

import doctest
import random

import pytest

from anchorwatch import testing
from anchorwatch.errors import ConnectionFailed, PositionLost
from anchorwatch.events.records import Outgoing, Partition
from anchorwatch.testing import ABORT, EOF, PAUSE, Crash, ListSink, ListSource, ManualClock, SideEffects, crash_after
from anchorwatch.transport.memory import Entry

P, Q = Partition("t", 0), Partition("t", 1)


def values(source, limit=100):
    return [v for r in source.poll(limit, 0.0) for v in r.values]


def message(ident="1", value=b"v"):
    return Outgoing(id=ident, topic="out", key=None, value=value)


def test_the_examples_in_the_docstrings_are_true():
    assert doctest.testmod(testing).failed == 0


def test_sleeping_moves_both_clocks_and_a_step_moves_the_wall_clock_alone():
    clock = ManualClock(now=5)
    clock.sleep(2.0)
    assert (clock.now(), clock.monotonic()) == (2_000_000_005, 2.0)
    clock.step(-1.0)
    assert (clock.now(), clock.monotonic()) == (1_000_000_005, 2.0)


def test_offsets_count_records_and_not_marks():
    source = ListSource({P: [b"0", PAUSE, Entry(b"1", key=b"k"), None, EOF]})
    assert [list(r.offsets) for r in source.poll(9, 0.0)] == [[0]]
    assert source.poll(9, 0.0) == []
    (records,) = source.poll(9, 0.0)
    assert (list(records.offsets), records.values, records.keys) == ([1, 2], [b"1", None], [b"k", None])


def test_an_abort_ends_the_run_once_after_what_lies_before_it_was_read():
    source = ListSource({P: [b"0", ABORT, b"1", EOF]})
    assert values(source) == [b"0"]
    with pytest.raises(Crash):
        source.poll(9, 0.0)
    source.seek({P: 0})
    assert values(source) + values(source) == [b"0", b"1"]
    assert source.ended() == {P}


def test_a_crash_is_no_exception_that_anybody_handles_by_accident():
    assert not issubclass(Crash, Exception)


def test_an_end_holds_until_a_run_starts_behind_it():
    source = ListSource({P: [b"0", EOF, b"1", EOF]})
    assert (values(source), source.ended()) == ([b"0"], {P})
    source.seek({P: 0})
    assert (values(source), source.ended()) == ([b"0"], {P})
    source.seek({P: 1})
    assert (source.ended(), values(source), source.ended()) == (set(), [b"1"], {P})
    source.seek({P: 2})
    assert (values(source), source.ended()) == ([], {P})


def test_a_list_without_an_end_falls_silent_and_never_ends():
    source = ListSource({P: [b"0"]})
    assert (values(source), values(source), source.ended()) == ([b"0"], [], set())


@pytest.mark.parametrize("position", [-1, 2])
def test_a_position_outside_the_list_is_lost(position):
    with pytest.raises(PositionLost, match="t/0"):
        ListSource({P: [b"0", EOF]}).seek({P: position})


def test_paused_partitions_and_the_limit_are_respected():
    source = ListSource({P: [b"0", b"1"], Q: [b"2"]})
    assert [r.partition for r in source.poll(9, 0.0, paused=[P])] == [Q]
    assert values(source, limit=1) == [b"0"]


@pytest.mark.parametrize("seed", range(20))
def test_a_shuffled_source_gives_everything_once_in_the_order_of_each_partition(seed):
    records = {p: [f"{p}:{i}".encode() for i in range(9)] for p in (P, Q)}
    source = ListSource({p: [*items, EOF] for p, items in records.items()}, shuffle=random.Random(seed))
    got = {P: [], Q: []}
    while source.ended() != {P, Q}:
        for r in source.poll(4, 0.0):
            got[r.partition] += r.values
    assert got == records


def test_every_boundary_of_every_side_effect_is_a_crash_point():
    def run(effects):
        source, sink = ListSource({P: [b"0", EOF]}), ListSink(effects=effects)
        sink.send([message("1"), message("2")])
        effects.wrap(source, "commit").commit({P: 1})
        return effects.passed

    points = run(SideEffects())
    assert points == [
        "before out", "after out", "before out", "after out", "before ListSource.commit", "after ListSource.commit",
    ]  # fmt: skip
    for k, name in enumerate(points, start=1):
        with pytest.raises(Crash, match=name):
            run(crash_after(k))
    assert run(crash_after(len(points) + 1)) == points


def test_a_crash_before_an_effect_leaves_it_undone_and_one_after_it_done():
    for k, done in ((1, []), (2, [1])):
        target = []
        with pytest.raises(Crash):
            crash_after(k).wrap(target, "append").append(1)
        assert target == done


def test_wrapping_a_method_that_is_not_there_is_an_error():
    with pytest.raises(AttributeError):
        SideEffects().wrap([], "appendd")


def test_a_sink_refuses_as_often_as_told_and_keeps_nothing_of_it():
    sink = ListSink(refuse=1)
    with pytest.raises(ConnectionFailed):
        sink.send([message()])
    assert sink.sent == []
    sink.send([message()])
    assert sink.of("out") == [message()]


def test_the_same_id_with_other_bytes_is_found():
    sink = ListSink()
    sink.send([message(), message()])
    assert list(sink.distinct()) == ["1"]
    sink.send([message(value=b"other")])
    with pytest.raises(AssertionError, match="differ"):
        sink.distinct()
