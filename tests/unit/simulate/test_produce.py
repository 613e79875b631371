from __future__ import annotations

import pytest

from anchorwatch.errors import ConnectionFailed
from anchorwatch.settings.units import NS
from anchorwatch.simulate.produce import live_traffic, produce
from anchorwatch.simulate.traffic import LABELS, PREDICTIONS
from anchorwatch.testing import ListSink, ManualClock

NOW = 1_700_000_000 * NS["s"]


class TimedSink(ListSink):
    """Notes when each message was written."""

    def __init__(self, clock, refuse=0):
        super().__init__(refuse)
        self.clock = clock
        self.at = []

    def send(self, messages):
        super().send(messages)
        self.at.extend([self.clock.now()] * len(messages))


def never():
    return False


def test_every_message_is_written_once_in_order_soon_after_its_time_and_never_before():
    clock = ManualClock(NOW)
    sink = TimedSink(clock)
    traffic = live_traffic(1, 50.0, NOW, events=2000)
    expected = list(traffic.messages())
    assert produce(traffic, sink, clock, never) == len(expected)
    assert [(m.topic, m.key, m.value) for m in sink.sent] == [(m.topic, m.key, m.value) for m in expected]
    delays = [(at - m.time) / NS["s"] for at, m in zip(sink.at, expected, strict=True)]
    assert min(delays) >= 0
    assert max(delays) < 1.5


def test_the_rate_is_that_of_the_clock():
    clock = ManualClock(NOW)
    traffic = live_traffic(1, 50.0, NOW, events=2000)
    last = [m.time for m in traffic.messages() if m.topic == PREDICTIONS][-1]
    assert (last - NOW) / NS["s"] == pytest.approx(2000 / 50, rel=0.1)
    produce(traffic, ListSink(), clock, never)
    assert (clock.now() - NOW) / NS["s"] < 2000 / 50 * 1.1 + 600 / 50 + 2  # the last label comes within 600 events


def test_what_lies_in_the_past_is_written_without_waiting():
    clock = ManualClock(NOW + NS["d"])
    sink = ListSink()
    traffic = live_traffic(1, 100.0, NOW, events=12_000)
    produce(traffic, sink, clock, never)
    assert clock.now() == NOW + NS["d"]
    assert len(sink.of(PREDICTIONS)) == 12_000
    assert 0.88 < len(sink.of(LABELS)) / 12_000 < 0.92


def test_it_stops_when_told_to_though_the_traffic_has_no_end():
    clock = ManualClock(NOW)
    sink = ListSink()
    written = produce(live_traffic(1, 100.0, NOW), sink, clock, lambda: len(sink.sent) > 500)
    assert 500 < written == len(sink.sent) < 2000


def test_a_simulator_started_again_repeats_no_id():
    first, second = (
        {m.key for m in live_traffic(1, 10.0, start, events=100).messages()} for start in (NOW, NOW + 5 * NS["s"])
    )
    assert first.isdisjoint(second)


def test_a_refusing_sink_is_not_hidden():
    with pytest.raises(ConnectionFailed):
        produce(live_traffic(1, 10.0, NOW - NS["h"], events=10), ListSink(refuse=1), ManualClock(NOW), never)


@pytest.mark.parametrize("rate", [0.0, -1.0, float("nan")])
def test_a_rate_that_gives_no_traffic_is_refused(rate):
    with pytest.raises(ValueError, match="above 0"):
        live_traffic(1, rate, NOW)
