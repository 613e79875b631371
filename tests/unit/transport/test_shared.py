"""A source that several read: each gets every record once, in order, however they take turns."""

from __future__ import annotations

import random

import pytest

from anchorwatch.events.records import Partition
from anchorwatch.transport.memory import Entry, MemoryLog, MemorySource
from anchorwatch.transport.shared import SharedSource

A, B = Partition("a", 0), Partition("b", 0)


def filled(n):
    log = MemoryLog()
    for i in range(n):
        log.append("a", Entry(b"a%d" % i), 0)
        log.append("b", Entry(b"b%d" % i), 0)
    log.finish("a")
    log.finish("b")
    return SharedSource(MemorySource(log, ["a", "b"]), 2)


def taken(reader, limit, paused=()):
    return {
        (r.partition, o): v for r in reader.poll(limit, 0.0, paused) for o, v in zip(r.offsets, r.values, strict=True)
    }


@pytest.mark.parametrize("seed", range(20))
def test_each_reader_gets_every_record_once_and_in_order_whoever_reads_and_pauses_what(seed):
    choose = random.Random(seed)
    shared, got = filled(40), [{A: [], B: []}, {A: [], B: []}]
    for _ in range(4000):
        k = choose.randrange(2)
        paused = choose.choice([(), (), (A,), (B,)])
        for records in shared.readers[k].poll(choose.randint(1, 9), 0.0, paused):
            assert records.partition not in paused
            got[k][records.partition] += records.offsets
        if all(len(offsets) == 40 for each in got for offsets in each.values()):
            break
    assert got == [{A: list(range(40)), B: list(range(40))}] * 2


def test_a_reader_has_ended_when_it_has_everything_itself():
    shared = filled(3)
    ahead, behind = shared.readers
    while ahead.poll(100, 0.0):
        pass
    assert set(ahead.ended()) == set(ahead.caught_up()) == {A, B}
    assert set(behind.ended()) == set(behind.caught_up()) == set()
    while behind.poll(100, 0.0):
        pass
    assert set(behind.ended()) == {A, B}


def test_a_reader_that_is_behind_gets_no_more_than_it_asks_for():
    shared = filled(9)
    ahead, behind = shared.readers
    for _ in range(12):
        ahead.poll(2, 0.0)
    while got := taken(behind, 2):
        assert len(got) <= 2


def test_a_reader_that_would_go_on_from_somewhere_is_refused():
    reader = filled(1).readers[0]
    reader.seek({})
    with pytest.raises(ValueError, match="begin where it begins"):
        reader.seek({A: 1})
