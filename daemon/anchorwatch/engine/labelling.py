"""How labels came while a baseline was made: how many of the predictions got one, and how late.

A share of labelled predictions means something only among predictions of one age. So a delay is chosen within which
most labels came, at most half of the time that the baseline covers, and all that is kept is of labels within it: of
predictions old enough for it nothing is missing then.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Self

import msgspec
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

WITHIN: Final = 0.99
"""Share of the labels that came within the delay that is chosen."""
LATE: Final = (0.5, 0.9)
"""Shares of the labels that came within each of two shorter delays, by which a feed that slows down is seen."""
WINDOWS, LEAST, MOST = 20, 200, 50_000
"""Windows that the baseline is cut into, predictions without which nothing is said, and rows that are looked at."""


class Labelling(msgspec.Struct, frozen=True):
    """Predictions of a baseline and their labels, in successive windows of event time by when they were predicted.

    Attributes
    ----------
    within
        Delay within which a label counts, ns.
    late
        Two shorter delays, ns.
    width
        Length of a window, ns.
    counts
        By window: predictions, labels within the delay, and of these the ones later than each of the two shorter.
    gap
        Longest pause between two labels, ns.
    """

    within: int
    late: list[int]
    width: int
    counts: list[list[int]]
    gap: int


@dataclass(frozen=True, slots=True)
class Gathered:
    """Predictions and labels of the baseline to come: event times, and positions in the present release, -1 before it.

    Attributes
    ----------
    made, made_at
        (n,) of predictions.
    labelled, delay, labelled_at
        (m,) of labels: when their prediction was made, and how much later they came, ns.
    """

    made: NDArray[np.int64]
    made_at: NDArray[np.int64]
    labelled: NDArray[np.int64]
    delay: NDArray[np.int64]
    labelled_at: NDArray[np.int64]

    @classmethod
    def none(cls) -> Self:
        """Return nothing."""
        none = np.empty(0, np.int64)
        return cls(none, none, none, none, none)

    def add(
        self,
        made: tuple[NDArray[np.int64], NDArray[np.int64]],
        labelled: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]],
    ) -> Gathered:
        """Return the same with more predictions and labels, in order; of either only the first `MOST` are kept."""
        old = (np.full(len(self.made), -1), np.full(len(self.labelled), -1))
        mine = (self.made, old[0], self.labelled, self.delay, old[1])
        return Gathered(*(np.concatenate(pair)[:MOST] for pair in zip(mine, (*made, *labelled), strict=True)))

    def until(self, at: int) -> Labelling | msgspec.UnsetType:
        """Return how labels came up to a position in the release; UNSET where too few predictions are old enough."""
        known, had = self.labelled_at <= at, self.made_at <= at
        return labelling_of(self.made[had], self.labelled[known], self.delay[known])

    def to_plain(self) -> dict[str, Any]:
        """Return it as plain data; positions in a release that is over are dropped."""
        return {"made": self.made, "labelled": self.labelled, "delay": self.delay}

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Self:
        """Return what `to_plain` described."""
        made, labelled = np.full(len(plain["made"]), -1), np.full(len(plain["labelled"]), -1)
        return cls(plain["made"], made, plain["labelled"], plain["delay"], labelled)


def labelling_of(
    made: NDArray[np.int64], labelled: NDArray[np.int64], delay: NDArray[np.int64]
) -> Labelling | msgspec.UnsetType:
    """Return how labels came to predictions; UNSET where too little can be said.

    Parameters
    ----------
    made
        (n,) event times of the first predictions, rising.
    labelled, delay
        (m,) of the first labels, in the order in which they came: when their prediction was made, and how much later
        they came, ns.
    """
    if not len(made) or not len(labelled):
        return msgspec.UNSET
    came = labelled + delay
    end, start = int(came[-1]), int(made[0])
    within = max(min(int(np.quantile(delay, WITHIN)), (end - start) // 2), 1)
    horizon = min(int(made[-1]), end - within)
    mine = (labelled <= horizon) & (delay <= within)
    old = made[made <= horizon]
    width = (horizon - start) // WINDOWS
    if len(old) < LEAST or not mine.any() or width <= 0:
        return msgspec.UNSET
    late = np.quantile(delay[mine], LATE).astype(np.int64)
    window = np.minimum((labelled[mine] - start) // width, WINDOWS - 1)
    sets = [window, *(window[delay[mine] > each] for each in late)]
    predictions = np.bincount(np.minimum((old - start) // width, WINDOWS - 1), minlength=WINDOWS)
    counts = [predictions, *(np.bincount(each, minlength=WINDOWS) for each in sets)]
    gap = int(np.diff(np.sort(came)).max(initial=0))
    return Labelling(within, late.tolist(), width, np.stack(counts, axis=1).tolist(), gap)
