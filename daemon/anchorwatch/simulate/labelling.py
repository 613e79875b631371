"""How labels come: late and skewed, and with the mishaps of real label feeds: twice, corrected, early."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from anchorwatch.simulate.message import LABELS, Message, iso

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from anchorwatch.simulate.traffic import Events

    Floats = NDArray[np.float64]
    Int64s = NDArray[np.int64]
    Bools = NDArray[np.bool_]

_EARLY: Final = 5.0
_EARLIEST: Final = 50.0
"""How early a label is that comes before its prediction, on average and at most, in predictions."""


class Delivery(NamedTuple):
    """When the labels of n predictions come, ns since the epoch, if they come at all.

    Attributes
    ----------
    first, again
        Of the first label and of a second one; -1 where there is no second.
    corrected
        Where the second label corrects the first.
    """

    first: Int64s
    again: Int64s
    corrected: Bools


@dataclass(frozen=True, slots=True)
class Mishaps:
    """How long labels take, and what goes wrong with them; times are counted in predictions, shares are of the labels.

    Parameters
    ----------
    delay, spread, longest
        Delays are lognormal: their median, the standard deviation of their logarithm, and the longest there is.
    twice
        Share that comes a second time, with the same value.
    corrected
        Share that is wrong at first, and corrected by a second label.
    early
        Share that comes before its prediction.

    Raises
    ------
    ValueError
        If a number is out of its range.
    """

    delay: float = 60.0
    spread: float = 0.8
    longest: float = 600.0
    twice: float = 0.0
    corrected: float = 0.0
    early: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what cannot be."""
        shares = (self.twice, self.corrected, self.early)
        if min(shares) < 0 or sum(shares) > 1:
            raise ValueError(f"the shares {shares} must not be negative, nor more than 1 together")
        if not (self.delay > 0 and self.spread >= 0 and self.longest >= self.delay):
            raise ValueError("the delay must be above 0, its spread not below, and the longest not shorter than it")

    @property
    def earliest(self) -> float:
        """How long before its prediction a label may come, in predictions."""
        return _EARLIEST if self.early else 0.0

    def delays(self, rng: np.random.Generator, n: int) -> Floats:
        """Return (n,) delays, in predictions."""
        return np.minimum(rng.lognormal(np.log(self.delay), self.spread, n), self.longest)

    def deliver(self, rng: np.random.Generator, time: Int64s, delays: Floats, spacing: int) -> Delivery:
        """Decide when each label comes; no label has two mishaps.

        Parameters
        ----------
        rng
            Of what goes wrong.
        time
            (n,) event times of the predictions, ns since the epoch.
        delays
            (n,) of the labels, in predictions.
        spacing
            Mean time between two predictions, ns.
        """
        n = len(time)
        which = rng.random(n)
        bounds = np.cumsum([self.twice, self.corrected, self.early])
        twice, corrected, early = (which < b for b in bounds)
        early, corrected = early & ~corrected, corrected & ~twice
        first = np.where(early, -np.clip(rng.exponential(_EARLY, n), 0.01, _EARLIEST), delays)
        again = delays + np.maximum(self.delays(rng, n), 0.01)
        return Delivery(
            first=time + (first * spacing).astype(np.int64),
            again=np.where(twice | corrected, time + (again * spacing).astype(np.int64), -1),
            corrected=corrected,
        )


SMOOTH: Final = Mishaps()
"""Every label that comes does so once, right, and after its prediction."""

ROUGH: Final = Mishaps(twice=0.02, corrected=0.01, early=0.01)
"""Some labels come twice, some are corrected, some come before their prediction."""


def label_messages(events: Events, prefix: str) -> list[Message]:
    """Return the labels of some predictions in the order of their own times."""
    came, again = np.flatnonzero(events.label_time >= 0), np.flatnonzero(events.again_time >= 0)
    times = np.concatenate([events.label_time[came], events.again_time[again]])
    numbers = np.concatenate([events.number[came], events.number[again]])
    frauds = np.concatenate([(events.fraud ^ events.corrected)[came], events.fraud[again]])
    order = np.argsort(times, kind="stable")
    times = times[order]
    rows = zip(numbers[order].tolist(), times.tolist(), iso(times), frauds[order].tolist(), strict=True)
    return [
        Message(
            LABELS,
            f"{prefix}{number:08}".encode(),
            f'{{"request_id":"{prefix}{number:08}","ts":"{ts}","is_fraud":{int(fraud)}}}'.encode(),
            time,
        )
        for number, time, ts, fraud in rows
    ]
