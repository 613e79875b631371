"""Seeded traffic of a fraud model: predictions, and later their labels, with faults planted where asked for."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from anchorwatch.settings.units import NS
from anchorwatch.simulate import world
from anchorwatch.simulate.faults import FaultKind

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from anchorwatch.simulate.faults import Fault

    Floats = NDArray[np.float64]
    Int64s = NDArray[np.int64]
    Bools = NDArray[np.bool_]

PREDICTIONS: Final = "fraud.predictions"
LABELS: Final = "fraud.labels"
THRESHOLD: Final = 0.5
START: Final = 1_735_689_600 * NS["s"]
"""2025-01-01, UTC: far enough in the past for a long run of events that are a minute or two apart."""

_CHUNK: Final = 4096
_AMOUNT_FACTOR: Final = 1.4
_DELAY_EVENTS: Final = 60.0
_DELAY_SPREAD: Final = 0.8
_LONGEST_DELAY_EVENTS: Final = 600.0


class Message(NamedTuple):
    """A record to write: its topic, key and value, and its event time in ns since the epoch."""

    topic: str
    key: bytes
    value: bytes
    time: int


@dataclass(frozen=True, slots=True)
class Events:
    """Predictions and what became of them, as columns of n values each.

    Attributes
    ----------
    number
        Number of the prediction, from 0.
    time
        Event time, ns since the epoch, rising.
    payments
        What was paid.
    score
        Probability of fraud as the model saw it.
    fraud
        Whether it was fraud.
    latency
        Milliseconds the prediction took.
    retrained, renamed
        Whether the retrained version answered; whether the age of the device came under its new name.
    label_time
        When the label came, ns since the epoch; -1 where none ever did.
    """

    number: Int64s
    time: Int64s
    payments: world.Payments
    score: Floats
    fraud: Bools
    latency: Floats
    retrained: Bools
    renamed: Bools
    label_time: Int64s

    def first(self, n: int) -> Events:
        """Return the first n events."""
        changes: dict[str, Any] = {f.name: getattr(self, f.name)[:n] for f in fields(self) if f.name != "payments"}
        payments = world.Payments(*(getattr(self.payments, f.name)[:n] for f in fields(self.payments)))
        return replace(self, payments=payments, **changes)

    @property
    def wrong(self) -> Bools:
        """Where the model's answer was wrong."""
        found: Bools = (self.score >= THRESHOLD) != self.fraud
        return found


@dataclass(frozen=True, slots=True)
class FraudTraffic:
    """The traffic of one fraud model; the same parameters give the same bytes.

    Parameters
    ----------
    seed
        Of everything random.
    events
        Predictions there will be; None: no end.
    faults
        What is planted, and where.
    spacing
        Mean time between two predictions, ns; they come at random (a Poisson process). Default: 1,000 a day.
    start
        Time of the beginning, ns since the epoch.
    unlabelled
        Share of the predictions that never get a label. The others get theirs after a skewed (lognormal) delay: half
        of them within 60 predictions, all within 600.
    prefix
        What every id begins with; ASCII without quotes. The rest is the number of the prediction.

    Raises
    ------
    ValueError
        If a number is out of its range.
    """

    seed: int = 7
    events: int | None = None
    faults: Sequence[Fault] = ()
    spacing: int = field(default=NS["d"] // 1000, kw_only=True)
    start: int = field(default=START, kw_only=True)
    unlabelled: float = field(default=0.1, kw_only=True)
    prefix: str = field(default="tx-", kw_only=True)

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        if not (self.prefix.isascii() and self.prefix.isprintable()) or {*self.prefix} & {'"', "\\"}:
            raise ValueError(f"the prefix {self.prefix!r} is not plain ASCII")
        if self.spacing < 1 or not 0 <= self.unlabelled <= 1 or (self.events is not None and self.events < 0):
            raise ValueError("spacing must be at least 1 ns, unlabelled between 0 and 1, events not negative")

    def chunks(self) -> Iterator[Events]:
        """Yield the predictions in order, some thousands at a time."""
        start = self.start
        for chunk in itertools.count():
            left = _CHUNK if self.events is None else min(_CHUNK, self.events - chunk * _CHUNK)
            if left <= 0:
                return
            events = self._chunk(chunk, start)  # whole, so that the number of events says how far and never what
            start = int(events.time[-1])
            yield events if left == _CHUNK else events.first(left)

    def messages(self) -> Iterator[Message]:
        """Yield predictions and labels in the order of their event times."""
        waiting: list[tuple[Int64s, list[Message]]] = []
        for events in self.chunks():
            labels = _label_messages(events, self.prefix)
            waiting.append((np.array([label.time for label in labels], np.int64), labels))
            until = int(events.time[-1])
            due: list[Message] = []
            for i, (times, held) in enumerate(waiting):
                cut = int(np.searchsorted(times, until, "right"))
                due.extend(held[:cut])
                waiting[i] = (times[cut:], held[cut:])
            waiting = [(times, held) for times, held in waiting if held]
            yield from sorted([*_prediction_messages(events, self.prefix), *due], key=_time)
        yield from sorted((label for _, held in waiting for label in held), key=_time)

    def _chunk(self, chunk: int, start: int) -> Events:
        rng = np.random.default_rng([self.seed, chunk])
        n = _CHUNK
        number = np.arange(chunk * n, (chunk + 1) * n)
        gaps = np.maximum(rng.exponential(self.spacing, n).astype(np.int64), 1)
        time = start + np.cumsum(gaps)
        payments = world.draw(rng, n, np.where(self._since(FaultKind.AMOUNT_DRIFT, number), _AMOUNT_FACTOR, 1.0))
        retrained = self._since(FaultKind.NEW_VERSION, number)
        renamed = self._since(FaultKind.SCHEMA_BREAK, number) & ~retrained
        delay = np.minimum(rng.lognormal(np.log(_DELAY_EVENTS), _DELAY_SPREAD, n), _LONGEST_DELAY_EVENTS)
        label_time = time + (delay * self.spacing).astype(np.int64)
        return Events(
            number=number,
            time=time,
            payments=payments,
            score=world.score(payments, retrained, renamed),
            fraud=world.truth(rng, payments, self._since(FaultKind.CONCEPT_DRIFT, number)),
            latency=np.round(4.0 + rng.gamma(2.0, 4.0, n), 2),
            retrained=retrained,
            renamed=renamed,
            label_time=np.where(rng.random(n) < self.unlabelled, -1, label_time),
        )

    def _since(self, kind: FaultKind, number: Int64s) -> Bools:
        at = min((fault.at_event for fault in self.faults if fault.kind == kind), default=None)
        return np.zeros(len(number), np.bool_) if at is None else number >= at


def _time(message: Message) -> int:
    return message.time


def _iso(times: Int64s) -> list[str]:
    """Return times as ISO 8601 text in UTC, to the millisecond."""
    texts: list[str] = np.datetime_as_string(times.view("datetime64[ns]"), unit="ms", timezone="UTC").tolist()
    return texts


def _prediction_messages(events: Events, prefix: str) -> Iterator[Message]:
    payments = events.payments
    rows = zip(
        events.number.tolist(),
        events.time.tolist(),
        _iso(events.time),
        events.retrained.tolist(),
        events.renamed.tolist(),
        payments.amount.tolist(),
        payments.hour.tolist(),
        payments.country.tolist(),
        payments.merchant.tolist(),
        payments.device_age.tolist(),
        events.score.tolist(),
        events.latency.tolist(),
        strict=True,
    )
    for number, time, ts, retrained, renamed, amount, hour, country, merchant, age, score, latency in rows:
        device = "device_age_days" if renamed else "device_age"
        value = (
            f'{{"request_id":"{prefix}{number:08}","ts":"{ts}","model_version":"{2 if retrained else 1}",'
            f'"amount":{amount!r},"hour":{hour!r},"country":"{world.COUNTRIES[country]}",'
            f'"merchant":"{world.MERCHANTS[merchant]}","{device}":{age!r},"p_fraud":{score!r},"latency_ms":{latency!r}}}'
        )
        yield Message(PREDICTIONS, f"{prefix}{number:08}".encode(), value.encode(), time)


def _label_messages(events: Events, prefix: str) -> list[Message]:
    """Return the labels of some predictions in the order of their own times."""
    order = np.argsort(events.label_time, kind="stable")
    order = order[events.label_time[order] >= 0]
    times = events.label_time[order]
    rows = zip(events.number[order].tolist(), times.tolist(), _iso(times), events.fraud[order].tolist(), strict=True)
    return [
        Message(
            LABELS,
            f"{prefix}{number:08}".encode(),
            f'{{"request_id":"{prefix}{number:08}","ts":"{ts}","is_fraud":{int(fraud)}}}'.encode(),
            time,
        )
        for number, time, ts, fraud in rows
    ]
