"""A host reads, steps, writes, publishes: what it does when something refuses, waits, runs ahead or falls silent."""

import json
from contextlib import closing
from dataclasses import replace

import pytest
from tests.property.worlds import NOW, START, World
from tests.unit.host.runs import OUTPUTS, QUICK, a_host, a_source, found, opened, to_the_end

from anchorwatch.errors import ConnectionFailed
from anchorwatch.events.records import Partition
from anchorwatch.testing import ABORT, EOF, PAUSE, Crash, ListSink, ListSource, ManualClock

WORLD = World(seed=8, n=200, partitions=(2, 1), segments=False, versions=False, lateness=2, wait=60)
LOGS = WORLD.records()
SMALL = World(seed=8, segments=False, labels=False, lateness=2)


@pytest.fixture
def store(tmp_path):
    with closing(opened(tmp_path / "store.db")) as store:
        yield store


@pytest.fixture(scope="module")
def usual(tmp_path_factory):
    """Return what a run comes to where nothing refuses."""
    path, sink = tmp_path_factory.mktemp("usual") / "store.db", ListSink()
    with closing(opened(path)) as store:
        to_the_end(a_host(WORLD, a_source(LOGS, EOF), sink, store))
    return sink.sent, found(path)


def events(name, start, stop, every=1.0):
    """Return predictions as a log, one every so many seconds of event time."""
    return [
        json.dumps({"id": f"{name}{i}", "at": START // 10**9 + i * every, "amount": i % 7, "score": 0.3}).encode()
        for i in range(start, stop)
    ]


def test_a_sink_that_refuses_for_a_while_loses_nothing_and_keeps_the_order(usual, store, tmp_path):
    """Everything waits in the outbox, and leaves it in the order in which it came."""
    sent, _ = usual
    sink = ListSink(refuse=7)
    host = a_host(WORLD, a_source(LOGS, EOF), sink, store)
    to_the_end(host)
    while store.outbox_size():
        host.turn(0.0)
    assert sink.sent == sent


def test_a_full_outbox_stops_reading_until_it_is_published(store):
    """Backpressure: memory and store stay bounded while nobody takes the messages; the writer shows that it lives."""
    rubbish = {Partition("predictions", 0): [b"{"] * 500}
    clock, sink = ManualClock(NOW), ListSink(refuse=10**9)
    host = a_host(SMALL, a_source(rubbish, EOF), sink, store, clock=clock, pace=replace(QUICK, records=20, outbox=50))
    host.start()
    for _ in range(30):
        host.turn(0.5)
    assert host.read == 60
    assert store.outbox_size() == 60
    assert store.progress().heartbeat >= NOW + 5 * 10**9
    sink.refuse = 0
    while not host.ended:
        host.turn(0.0)
    host.checkpoint()
    assert [message.value for message in sink.sent] == [b"{"] * 500


def test_patience_ends_with_what_failed(store):
    """A sink that refuses for longer than the patience is not tried for ever; one that takes in between starts anew."""
    clock, sink = ManualClock(NOW), ListSink(refuse=10**9)
    pace = replace(QUICK, records=1, patience=10.0)
    host = a_host(SMALL, a_source({Partition("predictions", 0): [b"{"] * 50}, EOF), sink, store, clock=clock, pace=pace)
    host.start()
    host.turn(0.0)
    clock.sleep(9.0)
    sink.refuse = 0
    host.turn(0.0)
    sink.refuse = 10**9
    host.turn(0.0)
    clock.sleep(9.0)
    host.turn(0.0)
    clock.sleep(1.0)
    with pytest.raises(ConnectionFailed):
        host.turn(0.0)
    assert store.outbox_size() == 3


class Forgetful(ListSource):
    """A source whose commits fail as long as it is told."""

    fails = 0

    def commit(self, positions):
        if self.fails > 0:
            self.fails -= 1
            raise ConnectionFailed("the list was told to fail this")
        super().commit(positions)


def test_commits_that_fail_are_counted_and_tried_again_also_where_nothing_more_comes(store):
    """They are hints for lag tools: a failure costs nothing, and the lag shown comes right without a new record."""
    partition = Partition("predictions", 0)
    source, clock = Forgetful({partition: events("p", 0, 10)}), ManualClock(NOW)
    source.fails = 2
    host = a_host(SMALL, source, ListSink(), store, clock=clock)
    host.start()
    host.turn(0.0)
    assert (host.uncommitted, source.committed) == (1, {})
    host.turn(0.0)
    assert host.uncommitted == 1
    clock.sleep(6.0)
    host.turn(0.0)
    assert host.uncommitted == 2
    clock.sleep(6.0)
    host.turn(0.0)
    assert (host.uncommitted, source.committed) == (0, {partition: 10})


def test_a_partition_that_is_ahead_is_paused_and_memory_stays_bounded(store):
    """Alignment: of two partitions in different hours only the older is read, until it has caught up."""
    logs = {Partition("predictions", 0): events("old", 0, 400, 60.0)}
    logs[Partition("predictions", 1)] = events("new", 0, 400, 60.0)
    source = SlowSource({partition: [*log, EOF] for partition, log in logs.items()}, slow=Partition("predictions", 0))
    host = a_host(SMALL, source, ListSink(), store, pace=replace(QUICK, records=40))
    host.start()
    most, apart = 0, 0
    while not host.ended:
        host.turn(0.0)
        state = host.models[0].state
        most = max(most, len(state.pending))
        newest = state.mark.newest.values()
        apart = max(apart, (max(newest) - min(newest)) / 3600e9 if len(newest) == 2 else 0)
    host.turn(0.0)
    assert apart < 1 + 40 / 60 + 0.1
    assert most <= 60 + 40 + 5
    assert host.models[0].state.accounting()["predictions"] == 800
    assert host.models[0].state.accounting().get("late_predictions", 0) == 0


class SlowSource(ListSource):
    """A source that gives one record of a partition at a time."""

    def __init__(self, records, slow):
        super().__init__(records)
        self.slow = slow

    def _take(self, partition, limit):
        return super()._take(partition, 1 if partition == self.slow else limit)


def test_a_host_with_nothing_to_write_shows_that_it_lives(store):
    source, clock = ListSource({Partition("predictions", 0): events("p", 0, 5)}), ManualClock(NOW)
    host = a_host(SMALL, source, ListSink(), store, clock=clock)
    host.start()
    host.turn(0.0)
    host.turn(0.0)
    before = store.progress()
    clock.sleep(4.9)
    host.turn(0.0)
    assert store.progress() == before
    clock.sleep(0.2)
    host.turn(0.0)
    assert store.progress().heartbeat == clock.now()


def test_a_partition_that_falls_silent_stops_holding_the_others_after_a_while(store):
    """The minute is one of the clock on the wall: event time of a silent partition does not tell that it is silent."""
    silent, busy = Partition("predictions", 0), Partition("predictions", 1)
    source = ListSource({silent: events("s", 0, 3), busy: events("b", 0, 100)})
    clock = ManualClock(NOW)
    host = a_host(SMALL, source, ListSink(), store, clock=clock)
    host.start()
    host.turn(0.0)
    host.turn(0.0)
    held = host.models[0].state.mark.frontier
    assert held == START + 0 * 10**9  # the third event of the silent one, less the lateness of two seconds
    clock.sleep(59.0)
    host.turn(0.0)
    assert host.models[0].state.mark.frontier == held
    clock.sleep(1.1)
    host.turn(0.0)
    assert host.models[0].state.mark.frontier == START + 99 * 10**9 + 1  # both are silent: all that came is taken
    assert len(host.models[0].state.pending) == 0


@pytest.mark.parametrize("mark", [ABORT, PAUSE])
def test_marks_in_the_middle_of_a_log_change_nothing(usual, tmp_path, mark):
    """A run that is ended inside a log, and one that gets nothing for a while, come to the same."""
    sent, stored = usual
    logs = {p: [*log[:50], mark, *log[50:90], mark, *log[90:], EOF] for p, log in LOGS.items()}
    source, sink, ends = ListSource(logs), ListSink(), 0
    path = tmp_path / "marked.db"
    while True:
        with closing(opened(path)) as store:
            try:
                to_the_end(a_host(WORLD, source, sink, store))
            except Crash:
                ends += 1
            else:
                break
    assert ends == (6 if mark is ABORT else 0)
    assert sorted(sink.distinct()) == sorted(message.id for message in sent)
    assert found(path)["parts"] == stored["parts"]
    assert found(path)["alerts"] == stored["alerts"]


def test_messages_bear_our_topics(usual):
    sent, _ = usual
    assert {message.topic for message in sent} == {OUTPUTS.alerts, OUTPUTS.retrain, OUTPUTS.dead_letters}
