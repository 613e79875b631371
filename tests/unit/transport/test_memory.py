"""The log in memory keeps the rules of a real one."""

import threading

import pytest

from anchorwatch.errors import ConnectionFailed, PositionLost
from anchorwatch.events.records import Outgoing, Partition
from anchorwatch.transport.memory import Entry, MemoryLog, MemorySink, MemorySource

A0, A1 = Partition("a", 0), Partition("a", 1)


def filled(*values, partition=None):
    log = MemoryLog()
    log.create("a", 2)
    for value in values:
        log.append("a", Entry(value), partition)
    return log


def read(source, **kwargs):
    return [
        (r.partition, o, v) for r in source.poll(100, 0.0, **kwargs) for o, v in zip(r.offsets, r.values, strict=True)
    ]


def test_what_is_appended_is_read_once_with_its_offset_and_key_and_headers():
    log = filled(partition=1)
    log.append("a", Entry(b"x", key=b"k", timestamp=7, headers=(("h", b"v"),)), 1)
    source = MemorySource(log, ["a"])
    (records,) = source.poll(10, 0.0)
    assert (records.partition, list(records.offsets), records.values) == (A1, [0], [b"x"])
    assert (records.keys, records.headers, records.timestamps) == ([b"k"], [(("h", b"v"),)], [7])
    assert read(source) == []


def test_a_key_goes_to_the_same_partition_every_time():
    log = MemoryLog()
    log.create("a", 8)
    for _ in range(3):
        log.append("a", Entry(b"1", key=b"k"))
    assert sorted(log.bounds(p)[1] for p in log.partitions(["a"])) == [0] * 7 + [3]


def test_seek_reads_on_from_the_positions_and_others_from_their_beginning():
    log = filled(b"0", b"1", b"2", partition=0)
    log.append("a", Entry(b"z"), 1)
    source = MemorySource(log, ["a"])
    read(source)
    source.seek({A0: 2})
    assert sorted(read(source)) == [(A0, 2, b"2"), (A1, 0, b"z")]


@pytest.mark.parametrize("position", [0, 1, 4])
def test_a_position_outside_the_log_is_lost_and_said_so(position):
    log = filled(b"0", b"1", b"2", partition=0)
    log.trim(A0, 2)
    with pytest.raises(PositionLost, match=f"position {position}.*holds 2 to 3"):
        MemorySource(log, ["a"]).seek({A0: position})


def test_nothing_is_read_from_a_paused_partition_and_nothing_of_it_is_lost():
    log = filled(b"0", partition=0)
    source = MemorySource(log, ["a"])
    assert read(source, paused={A0}) == []
    assert read(source) == [(A0, 0, b"0")]


def test_the_limit_holds_over_all_partitions_and_none_starves():
    log = filled(*[b"x"] * 10, partition=0)
    for _ in range(10):
        log.append("a", Entry(b"y"), 1)
    source = MemorySource(log, ["a"])
    polls = [source.poll(5, 0.0) for _ in range(2)]
    assert [sum(len(r.offsets) for r in poll) for poll in polls] == [5, 5]
    assert {r.partition for poll in polls for r in poll} == {A0, A1}


def test_a_finished_topic_has_ended_once_it_is_read_to_its_end():
    log = filled(b"0", partition=0)
    source = MemorySource(log, ["a"])
    log.finish("a")
    assert source.ended() == {A1}
    read(source)
    assert source.ended() == {A0, A1}


def test_a_poll_wakes_when_another_thread_appends():
    log = filled()
    source = MemorySource(log, ["a"])
    writer = threading.Timer(0.05, log.append, ("a", Entry(b"late"), 0))
    writer.start()
    assert [list(r.values) for r in source.poll(10, 30.0)] == [[b"late"]]
    writer.join()


def test_a_poll_of_an_ended_log_does_not_wait():
    log = filled()
    log.finish("a")
    assert MemorySource(log, ["a"]).poll(10, 3600.0) == []


def test_partitions_created_later_are_found_and_read_from_their_beginning():
    log = filled(b"0", partition=0)
    source = MemorySource(log, ["a"])
    read(source)
    log.create("a", 3)
    log.append("a", Entry(b"new"), 2)
    assert source.partitions()[-1] == Partition("a", 2)
    assert read(source) == [(Partition("a", 2), 0, b"new")]


def test_the_sink_writes_what_a_source_reads():
    log = MemoryLog()
    MemorySink(log).send([Outgoing(id="1", topic="out", key=b"k", value=b"v", headers=(("h", b"x"),))])
    assert log.entries("out") == [Entry(b"v", b"k", None, (("h", b"x"),))]


def test_a_partition_that_is_not_there_is_refused():
    with pytest.raises(ConnectionFailed, match="no partition 9"):
        filled().append("a", Entry(b"x"), 9)
