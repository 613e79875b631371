"""Writes simulated traffic to a sink at its own pace: what the simulator service of a trial set-up runs."""

from __future__ import annotations

import itertools
import uuid
from typing import TYPE_CHECKING, Final

from anchorwatch.events.records import Outgoing
from anchorwatch.settings.units import NS
from anchorwatch.simulate.traffic import FraudTraffic

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from anchorwatch.clock import Clock
    from anchorwatch.events.records import Sink
    from anchorwatch.simulate.faults import Fault
    from anchorwatch.simulate.traffic import Message

_NAMESPACE: Final = uuid.UUID("c1b5f7a2-3d84-5f0e-b6a9-74e2d08c5a31")
_LARGEST_BATCH: Final = 5000
_NAP: Final = 0.2
"""Seconds between two writes: seldom enough for batches, often enough for an eye."""


def live_traffic(
    seed: int, rate: float, start: int, events: int | None = None, faults: Sequence[Fault] = ()
) -> FraudTraffic:
    """Return traffic whose event time is the time of the clock; the start is part of every id.

    Parameters
    ----------
    seed
        Of everything random.
    rate
        Predictions a second, on average; above 0.
    start
        Now, ns since the epoch.
    events, faults
        As in `FraudTraffic`.

    Raises
    ------
    ValueError
        If the rate is not above 0.
    """
    if not rate > 0:
        raise ValueError(f"a rate of {rate} predictions a second gives no traffic: take one above 0")
    prefix = f"tx-{start // NS['s']:x}-"
    return FraudTraffic(seed, events, faults, spacing=max(round(NS["s"] / rate), 1), start=start, prefix=prefix)


def produce(traffic: FraudTraffic, sink: Sink, clock: Clock, stopping: Callable[[], bool]) -> int:
    """Write each message once its event time has come, until there is none left or it is time to stop.

    What lies in the past already is written at once.

    Parameters
    ----------
    traffic
        What to write.
    sink
        Where to.
    clock
        What tells whether a message's time has come, and waits.
    stopping
        Asked between two writes.

    Returns
    -------
    int
        Messages that were written.

    Raises
    ------
    ConnectionFailed
        If the sink refuses messages.
    """
    written = 0
    messages = traffic.messages()
    held = next(messages, None)
    while held is not None and not stopping():
        now = clock.now()
        if held.time > now:
            clock.sleep(min((held.time - now) / NS["s"] + _NAP, 1.0))
            continue
        batch = [held]
        held = _fill(batch, messages, now)
        sink.send([_outgoing(message) for message in batch])
        written += len(batch)
    return written


def _fill(batch: list[Message], messages: Iterator[Message], now: int) -> Message | None:
    """Add what is due to a batch, and return the first message that is not."""
    for message in itertools.islice(messages, _LARGEST_BATCH):
        if message.time > now:
            return message
        batch.append(message)
    return next(messages, None)


def _outgoing(message: Message) -> Outgoing:
    name = f"{message.topic}|{message.key.decode()}|{message.time}"
    return Outgoing(str(uuid.uuid5(_NAMESPACE, name)), message.topic, message.key, message.value)
