"""The production that is watched: payments come, a model scores them, and later somebody learns which were fraud."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from anchorwatch.simulate.faults import Fault, FaultKind
from anchorwatch.simulate.labelling import ROUGH
from anchorwatch.simulate.traffic import PREDICTIONS, Events, FraudTraffic
from anchorwatch.simulate.world import CLEAR

if TYPE_CHECKING:
    from collections.abc import Iterator

    from examples.fraud_case.topics import Topics

    from anchorwatch.simulate.traffic import Message, Scorer

SEED = 11
BASELINE, MOVES = 5_000, 7_000
"""Predictions that the baseline is made of, and the first one behind the change of the ways of fraud."""


class Answers(NamedTuple):
    """What a stretch of predictions said, and what was true; (n,) each."""

    score: np.ndarray
    fraud: np.ndarray


class Production:
    """Payments of a bank, in the order of their event times.

    5 % of them never get a label; 2 % of the labels come twice, 1 % are corrected, 1 % come before their prediction.

    Parameters
    ----------
    topics
        Where predictions and labels are written.

    Attributes
    ----------
    served
        Predictions so far.
    now
        Event time of the last message, ns since the epoch.
    takeover
        The first prediction of version 2; None before.
    """

    def __init__(self, topics: Topics) -> None:
        self._topics = topics
        self.served = self.now = 0
        self.takeover: int | None = None
        self._scorer: Scorer | None = None
        self._coming = self._messages()
        self._held: Message | None = None

    def go_on(self, predictions: int) -> None:
        """Let so many payments come, and the labels that come meanwhile."""
        until, written = self.served + predictions, []
        while self.served < until:
            message = next(self._coming)
            written.append(message)
            self.served += message.topic == PREDICTIONS
        self.now = written[-1].time
        self._topics.write(
            ("predictions" if m.topic == PREDICTIONS else "labels", m.key, m.value, m.time // 10**6) for m in written
        )

    def serve(self, scorer: Scorer) -> None:
        """Let version 2 answer from the next prediction on."""
        self.takeover, self._scorer = self.served, scorer
        self._coming = (message for message in self._messages() if message.time > self.now)

    def answers(self, first: int, end: int) -> Answers:
        """Return what the predictions from `first` to before `end` said, and what was true."""
        chunks = takewhile(lambda chunk: chunk.number[0] < end, self._traffic().chunks())
        parts = [_between(chunk, first, end) for chunk in chunks]
        return Answers(np.concatenate([p.score for p in parts]), np.concatenate([p.fraud for p in parts]))

    def planted(self) -> dict[str, int]:
        """Return how many labels that have come so far are a second one: the same again, or a correction."""
        chunks = list(takewhile(lambda chunk: chunk.number[0] < self.served, self._traffic().chunks()))
        came = np.concatenate([(c.again_time >= 0) & (c.again_time <= self.now) for c in chunks])
        corrects = np.concatenate([c.corrected for c in chunks])
        return {"duplicate_labels": int((came & ~corrects).sum()), "revised_labels": int((came & corrects).sum())}

    def _traffic(self) -> FraudTraffic:
        faults = [Fault(FaultKind.CONCEPT_DRIFT, MOVES)]
        faults += [] if self.takeover is None else [Fault(FaultKind.NEW_VERSION, self.takeover)]
        return FraudTraffic(SEED, None, faults, unlabelled=0.05, mishaps=ROUGH, ways=CLEAR, scorer=self._scorer)

    def _messages(self) -> Iterator[Message]:
        return self._traffic().messages()


def _between(events: Events, first: int, end: int) -> Answers:
    mine = (events.number >= first) & (events.number < end)
    return Answers(events.score[mine], events.fraud[mine])
