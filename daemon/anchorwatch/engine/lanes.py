"""Lanes: one column in one group, watched by one sequential detector; what watches them, and their state."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from anchorwatch.engine.after_alarm import When
from anchorwatch.engine.past import Past
from anchorwatch_detectors.against_baseline import AgainstBaseline
from anchorwatch_detectors.base import Usual

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from anchorwatch.decide.evidence import Kind
    from anchorwatch.engine.reference import Reference
    from anchorwatch_detectors.base import SequentialDetector, SequentialState


@dataclass(frozen=True, slots=True)
class Lookout:
    """Columns watched by one sequential detector.

    Attributes
    ----------
    kind, detector
        What sort of trouble, and by which detector.
    columns
        Positions of the columns in the reference.
    every_group
        Whether segments have lanes of their own, or all rows only.
    smallest_shift
        Shift of the mean worth knowing.
    panes
        Panes of a window: so many windows after an alarm still hold rows from before it.
    budgeted
        Whether the detector's average run length follows the budget of false alarms.
    """

    kind: Kind
    detector: SequentialDetector
    columns: tuple[int, ...]
    every_group: bool
    smallest_shift: float
    panes: int
    budgeted: bool = False

    @property
    def against_baseline(self) -> bool:
        """Whether the detector compares with the baseline; otherwise it compares a stream with itself."""
        return isinstance(self.detector, AgainstBaseline)

    def shape(self, reference: Reference) -> tuple[int, int]:
        """Return how many (groups, columns) of a baseline have a lane."""
        return len(reference.groups) if self.every_group else 1, len(self.columns)


@dataclass(slots=True)
class Lanes:
    """State of a lookout: the detector's, and which lanes are in drift since when.

    Attributes
    ----------
    state
        The detector's lanes, (groups, columns).
    past
        The last values of the lanes.
    drifting, suspected
        (groups, columns) whether the lane is in drift, or has changed by what seemed too little.
    since
        (groups, columns, 3) estimated event time of the change, and the interval it lies in, ns.
    mixed
        (groups, columns) windows still to close that hold rows from before the alarm.
    level, length
        (groups, columns) mean since the change as the last alarm told it, and the number of values it was taken of.
    spread
        (groups, columns) whether that is a change of how wide the values spread: then a mean of squared distances.
    rung
        (groups, columns) row of the group at whose alarm was looked last; so far back that it does not count for none.
    relief
        (groups, columns) nats by which windows since then speak for the baseline.
    over
        (groups, columns) event time at which the window began that ended the last drift, ns: the next change lies
        behind it. 0 for none.
    """

    state: SequentialState
    past: Past
    drifting: NDArray[np.bool_]
    suspected: NDArray[np.bool_]
    since: NDArray[np.int64]
    mixed: NDArray[np.int64]
    level: NDArray[np.float64]
    length: NDArray[np.int64]
    spread: NDArray[np.bool_]
    rung: NDArray[np.int64]
    relief: NDArray[np.float64]
    over: NDArray[np.int64]

    @classmethod
    def fresh(cls, lookout: Lookout, reference: Reference) -> Self:
        """Return lanes that have seen nothing but their baseline."""
        shape = lookout.shape(reference)
        return cls(
            state=lookout.detector.start(*shape, usual_of(lookout, reference)),
            past=Past.fresh(shape),
            drifting=np.zeros(shape, np.bool_),
            suspected=np.zeros(shape, np.bool_),
            since=np.zeros((*shape, 3), np.int64),
            mixed=np.zeros(shape, np.int64),
            level=np.zeros(shape),
            length=np.zeros(shape, np.int64),
            spread=np.zeros(shape, np.bool_),
            rung=np.full(shape, -(2**31), np.int64),
            relief=np.zeros(shape),
            over=np.zeros(shape, np.int64),
        )

    def when(self, lane: tuple[int, int]) -> When:
        """Return since when a lane is in drift."""
        return When(*self.since[lane].tolist())

    def copy(self) -> Self:
        """Return an independent copy."""
        arrays = {name: getattr(self, name).copy() for name in _ARRAYS}
        return type(self)(state=self.state.copy(), past=self.past.copy(), **arrays)

    def to_plain(self) -> dict[str, Any]:
        """Return the lanes as plain data."""
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        return {"state": self.state.to_plain(), "past": self.past.to_plain(), **arrays}

    @classmethod
    def from_plain(cls, lookout: Lookout, plain: dict[str, Any]) -> Self:
        """Return the lanes that `to_plain` described."""
        plain = {"over": np.zeros(plain["rung"].shape, np.int64), **plain}  # a state from before it was kept has none
        arrays = {name: plain[name] for name in _ARRAYS}
        return cls(state=lookout.detector.restore(plain["state"]), past=Past.from_plain(plain["past"]), **arrays)


_ARRAYS = ("drifting", "suspected", "since", "mixed", "level", "length", "spread", "rung", "relief", "over")


def usual_of(lookout: Lookout, reference: Reference) -> Usual:
    """Return what is usual for the lanes of a lookout: the baseline's groups and columns by their moments."""
    columns, shape = list(lookout.columns), lookout.shape(reference)
    mean = reference.means[: shape[0], columns]
    return Usual(
        mean=mean,
        variance=reference.variances[: shape[0], columns],
        rows=np.where(np.isfinite(mean), reference.valid(reference.counts)[: shape[0], columns], 0),
        smallest=np.full(shape, lookout.smallest_shift),
        memory=np.broadcast_to(reference.inflation[columns], shape),
    )
