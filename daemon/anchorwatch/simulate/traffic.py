"""Seeded traffic of a fraud model: predictions, and their labels, with faults and mishaps planted where asked for."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from anchorwatch.settings.units import NS
from anchorwatch.simulate import world
from anchorwatch.simulate.faults import FaultKind
from anchorwatch.simulate.labelling import SMOOTH, Mishaps, label_messages
from anchorwatch.simulate.message import LABELS, PREDICTIONS, Message, iso

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from anchorwatch.simulate.faults import Fault

    Floats = NDArray[np.float64]
    Int64s = NDArray[np.int64]
    Bools = NDArray[np.bool_]

__all__ = ["LABELS", "PREDICTIONS", "START", "THRESHOLD", "Events", "FraudTraffic", "Message", "Scorer"]

THRESHOLD: Final = 0.5
START: Final = 1_735_689_600 * NS["s"]
"""2025-01-01, UTC: far enough in the past for a long run of events that are a minute or two apart."""

_CHUNK: Final = 4096
_AMOUNT_FACTOR: Final = 1.4

Scorer = Callable[[world.Payments], "Floats"]
"""A model from outside: n payments in, (n,) probabilities of fraud out."""


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
        When the label came, ns since the epoch; -1 where none ever did. Before `time` where it came early.
    again_time
        When a second label came; -1 where none did.
    corrected
        Where the first label was wrong, and the second corrects it.
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
    again_time: Int64s
    corrected: Bools

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
    mishaps
        What goes wrong with labels: shares that come twice, are corrected, or come before their prediction.
    ways
        What is fraud, before `CONCEPT_DRIFT` and from then on.
    scorer
        The version that answers from `NEW_VERSION` on; without it, one that knows the new ways of fraud.
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
    mishaps: Mishaps = field(default=SMOOTH, kw_only=True)
    ways: world.Ways = field(default=world.USUAL, kw_only=True)
    scorer: Scorer | None = field(default=None, kw_only=True)
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
        ahead = round(self.mishaps.earliest * self.spacing)
        for events in self.chunks():
            written = (list(_prediction_messages(events, self.prefix)), label_messages(events, self.prefix))
            waiting += [(np.array([message.time for message in told], np.int64), told) for told in written]
            until = int(events.time[-1]) - ahead  # a label of the next chunk may come before this chunk's last events
            due: list[Message] = []
            for i, (times, held) in enumerate(waiting):
                cut = int(np.searchsorted(times, until, "right"))
                due.extend(held[:cut])
                waiting[i] = (times[cut:], held[cut:])
            waiting = [(times, held) for times, held in waiting if held]
            yield from sorted(due, key=_time)
        yield from sorted((message for _, held in waiting for message in held), key=_time)

    def _chunk(self, chunk: int, start: int) -> Events:
        rng = np.random.default_rng([self.seed, chunk])
        n = _CHUNK
        number = np.arange(chunk * n, (chunk + 1) * n)
        gaps = np.maximum(rng.exponential(self.spacing, n).astype(np.int64), 1)
        time = start + np.cumsum(gaps)
        payments = world.draw(rng, n, np.where(self._since(FaultKind.AMOUNT_DRIFT, number), _AMOUNT_FACTOR, 1.0))
        retrained = self._since(FaultKind.NEW_VERSION, number)
        renamed = self._since(FaultKind.SCHEMA_BREAK, number) & ~retrained
        delays = self.mishaps.delays(rng, n)
        fraud = world.truth(rng, payments, self._since(FaultKind.CONCEPT_DRIFT, number), self.ways)
        latency = np.round(4.0 + rng.gamma(2.0, 4.0, n), 2)
        labelled = rng.random(n) >= self.unlabelled
        delivery = self.mishaps.deliver(np.random.default_rng([self.seed, chunk, 1]), time, delays, self.spacing)
        return Events(
            number=number,
            time=time,
            payments=payments,
            score=self._score(payments, retrained, renamed),
            fraud=fraud,
            latency=latency,
            retrained=retrained,
            renamed=renamed,
            label_time=np.where(labelled, delivery.first, -1),
            again_time=np.where(labelled, delivery.again, -1),
            corrected=labelled & delivery.corrected,
        )

    def _score(self, payments: world.Payments, retrained: Bools, renamed: Bools) -> Floats:
        scores = world.score(payments, retrained, renamed, self.ways)
        if self.scorer is not None and retrained.any():
            theirs = world.Payments(*(getattr(payments, f.name)[retrained] for f in fields(payments)))
            scores[retrained] = np.round(self.scorer(theirs), 6)
        return scores

    def _since(self, kind: FaultKind, number: Int64s) -> Bools:
        at = min((fault.at_event for fault in self.faults if fault.kind == kind), default=None)
        return np.zeros(len(number), np.bool_) if at is None else number >= at


def _time(message: Message) -> int:
    return message.time


def _prediction_messages(events: Events, prefix: str) -> Iterator[Message]:
    payments = events.payments
    rows = zip(
        events.number.tolist(),
        events.time.tolist(),
        iso(events.time),
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
