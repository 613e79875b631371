"""Which predictions are remembered: stretches of event time, each forgotten as a whole."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

from anchorwatch.engine.runs import Sizes
from anchorwatch.settings.units import NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

STRETCHES = 8  # a short wait is covered by so many stretches, plus the one being filled and one of grace


class Terms(NamedTuple):
    """How labels and predictions wait for each other.

    Attributes
    ----------
    wait, early
        How long a prediction waits for its label, and a label for its prediction; ns of event time.
    sizes
        How long the runs are in which they are remembered.
    latest
        Whether a further label of a prediction replaces the one before it.
    """

    wait: int
    early: int
    sizes: Sizes = Sizes()
    latest: bool = False

    @property
    def width(self) -> int:
        """Length of a stretch of event time: an hour at most."""
        return max(min(self.wait // STRETCHES, NS["h"]), 1)


class Stretches(NamedTuple):
    """The remembered predictions by stretch of event time; predictions are numbered in the order in which they came.

    Attributes
    ----------
    base
        Number of the first prediction that is remembered.
    number
        (m,) event time // width, rising.
    stop
        (m,) number of the prediction behind the last one of each stretch.
    labelled
        (m,) predictions with a label.
    """

    base: int
    number: NDArray[np.int64]
    stop: NDArray[np.int64]
    labelled: NDArray[np.int64]

    @classmethod
    def none(cls) -> Self:
        """Return no stretches."""
        none = np.empty(0, np.int64)
        return cls(0, none, none, none)

    def add(self, numbers: NDArray[np.int64], size: int) -> Stretches:
        """Return the stretches with more predictions, the first of which is number `size`."""
        new, first = np.unique(numbers, return_index=True)
        stop = size + np.append(first[1:], len(numbers))
        keep = len(self.number) - int(len(self.number) > 0 and self.number[-1] == new[0])
        labelled = np.zeros(keep + len(new), np.int64)
        labelled[: len(self.labelled)] = self.labelled
        return Stretches(
            self.base,
            np.concatenate([self.number[:keep], new]),
            np.concatenate([self.stop[:keep], stop]),
            labelled,
        )

    def label(self, seq: NDArray[np.int64]) -> Stretches:
        """Return the stretches after predictions, given by their numbers, got a label."""
        more = np.bincount(np.searchsorted(self.stop, seq, side="right"), minlength=len(self.stop))
        return self._replace(labelled=self.labelled + more)

    def oldest(self, terms: Terms, time: int) -> int:
        """Return the number of the oldest prediction that is remembered at an event time."""
        gone = self._gone(terms, time)
        return int(self.stop[gone - 1]) if gone else self.base

    def forget(self, terms: Terms, frontier: int) -> tuple[Stretches, int]:
        """Return the stretches that are remembered at `frontier`, and how many predictions expired without a label."""
        gone = self._gone(terms, frontier)
        if not gone:
            return self, 0
        base = int(self.stop[gone - 1])
        expired = base - self.base - int(self.labelled[:gone].sum())
        return Stretches(base, self.number[gone:], self.stop[gone:], self.labelled[gone:]), expired

    def _gone(self, terms: Terms, time: int) -> int:
        return int(np.searchsorted(last(self.number, terms), time))


def last(stretch: Any, terms: Terms) -> Any:
    """Return the last event time at which the predictions of a stretch still count as remembered."""
    return (stretch + 1) * terms.width + terms.wait
