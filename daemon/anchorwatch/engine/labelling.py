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

from anchorwatch.events.classes import token

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

WITHIN: Final = 0.99
"""Share of the labels that came within the delay that is chosen."""
LATE: Final = (0.5, 0.9)
"""Shares of the labels that came within each of two shorter delays, by which a feed that slows down is seen."""
WINDOWS, LEAST, MOST = 20, 200, 50_000
"""Windows that the baseline is cut into, predictions without which nothing is said, and rows that are looked at."""
CLASSES: Final = 10
"""Predicted classes whose labels are looked at by themselves."""


class Labelling(msgspec.Struct, frozen=True, omit_defaults=True):
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
    classes
        Predictions and labels by window of each of the most frequent predicted classes, by its name.
    """

    within: int
    late: list[int]
    width: int
    counts: list[list[int]]
    gap: int
    classes: dict[str, list[list[int]]] = {}


@dataclass(frozen=True, slots=True)
class Gathered:
    """Predictions and labels of the baseline to come: event times, and positions in the present release, -1 before it.

    Attributes
    ----------
    made, made_class, made_at
        (n,) of predictions; the class is that predicted, as a token.
    labelled, delay, labelled_class, labelled_at
        (m,) of labels: when their prediction was made, how much later they came, ns, and what was predicted.
    """

    made: NDArray[np.int64]
    made_class: NDArray[np.uint64]
    made_at: NDArray[np.int64]
    labelled: NDArray[np.int64]
    delay: NDArray[np.int64]
    labelled_class: NDArray[np.uint64]
    labelled_at: NDArray[np.int64]

    @classmethod
    def none(cls) -> Self:
        """Return nothing."""
        none = np.empty(0, np.int64)
        tokens = np.empty(0, np.uint64)
        return cls(none, tokens, none, none, none, tokens, none)

    def add(
        self,
        made: tuple[NDArray[np.int64], NDArray[np.uint64], NDArray[np.int64]],
        labelled: tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.uint64], NDArray[np.int64]],
    ) -> Gathered:
        """Return the same with more predictions and labels, in order; of either only the first `MOST` are kept."""
        old = (np.full(len(self.made), -1), np.full(len(self.labelled), -1))
        mine = (self.made, self.made_class, old[0], self.labelled, self.delay, self.labelled_class, old[1])
        return Gathered(*(np.concatenate(pair)[:MOST] for pair in zip(mine, (*made, *labelled), strict=True)))

    def until(self, at: int, classes: Collection[str]) -> Labelling | msgspec.UnsetType:
        """Return how labels came up to a position in the release; UNSET where too few predictions are old enough.

        The classes are those that the model predicts, by name.
        """
        known, had = self.labelled_at <= at, self.made_at <= at
        made, labelled = self.made[had], self.labelled[known]
        labelling = labelling_of(made, labelled, self.delay[known])
        if isinstance(labelling, msgspec.UnsetType):
            return labelling
        tokens = {name: np.uint64(token(name)) for name in classes}
        often = sorted(classes, key=lambda name: (-int((self.made_class[had] == tokens[name]).sum()), name))[:CLASSES]
        counts = {
            name: labelling_of(
                made,
                labelled,
                self.delay[known],
                (self.made_class[had] == tokens[name], self.labelled_class[known] == tokens[name]),
            )
            for name in sorted(often)
        }
        of_each = {
            name: [row[:2] for row in found.counts]
            for name, found in counts.items()
            if not isinstance(found, msgspec.UnsetType) and sum(row[0] for row in found.counts) >= LEAST // 2
        }
        return msgspec.structs.replace(labelling, classes=of_each if len(of_each) > 1 else {})

    def to_plain(self) -> dict[str, Any]:
        """Return it as plain data; positions in a release that is over are dropped."""
        names = ("made", "made_class", "labelled", "delay", "labelled_class")
        return {name: getattr(self, name) for name in names}

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Self:
        """Return what `to_plain` described."""
        made, labelled = np.full(len(plain["made"]), -1), np.full(len(plain["labelled"]), -1)
        return cls(made_at=made, labelled_at=labelled, **plain)


def labelling_of(
    made: NDArray[np.int64],
    labelled: NDArray[np.int64],
    delay: NDArray[np.int64],
    counted: tuple[NDArray[np.bool_], NDArray[np.bool_]] | None = None,
) -> Labelling | msgspec.UnsetType:
    """Return how labels came to predictions; UNSET where too little can be said.

    Parameters
    ----------
    made
        (n,) event times of the first predictions, rising.
    labelled, delay
        (m,) of the first labels, in the order in which they came: when their prediction was made, and how much later
        they came, ns.
    counted
        (n,) and (m,) which of either are counted; None for all.
    """
    if not len(made) or not len(labelled):
        return msgspec.UNSET
    came = labelled + delay
    end, start = int(came[-1]), int(made[0])
    within = max(min(int(np.quantile(delay, WITHIN)), (end - start) // 2), 1)
    horizon = min(int(made[-1]), end - within)
    mine = (labelled <= horizon) & (delay <= within)
    early = made <= horizon
    width = (horizon - start) // WINDOWS
    if early.sum() < LEAST or not mine.any() or width <= 0:
        return msgspec.UNSET
    late = np.quantile(delay[mine], LATE).astype(np.int64)
    if counted is not None:
        early, mine = early & counted[0], mine & counted[1]
    old = made[early]
    window = np.minimum((labelled[mine] - start) // width, WINDOWS - 1)
    sets = [window, *(window[delay[mine] > each] for each in late)]
    predictions = np.bincount(np.minimum((old - start) // width, WINDOWS - 1), minlength=WINDOWS)
    counts = [predictions, *(np.bincount(each, minlength=WINDOWS) for each in sets)]
    gap = int(np.diff(np.sort(came)).max(initial=0))
    return Labelling(within, late.tolist(), width, np.stack(counts, axis=1).tolist(), gap)
