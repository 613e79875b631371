"""The roles of the library: sequential detectors, and what all detectors say; `comparison` has the window tests.

Nothing here does input or output, reads a clock or logs: arrays come in, verdicts go out.
"""

from __future__ import annotations

import abc
import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple, Self

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


class Level(enum.StrEnum):
    """How a subject stands."""

    STABLE = "stable"
    WARNING = "warning"
    DRIFT = "drift"
    UNDETERMINED = "undetermined"


class Direction(enum.StrEnum):
    """Which way a subject moved, in the words of its owner.

    WORSE and BETTER are said of subjects that have a good and a bad side (an error rate, a latency, a missing
    rate); CHANGED of those that have none (a feature's distribution).
    """

    WORSE = "worse"
    BETTER = "better"
    CHANGED = "changed"


class Verdict(NamedTuple):
    """What is said of one subject at one moment.

    Attributes
    ----------
    level, reason
        How the subject stands, and why: one word of a closed set, fit for a metric's label.
    statistic, threshold
        What was measured and the bound it was held against, in the detector's unit; NaN where none applies.
    effect, effect_unit
        Signed size of the difference in the subject's own unit, and the name of that unit.
    direction, n
        Which way it moved, and how many values that rests on.
    since, since_low, since_high
        Estimated event time of the change and the interval it lies in (95 %), ns; None where nothing changed.
    low, high, coverage
        Confidence interval (95 %) of the statistic, and the share of predictions that have a label, 0 to 1; None where
        it has none.
    """

    level: Level
    reason: str
    statistic: float
    threshold: float
    effect: float
    direction: Direction
    n: int
    since: int | None = None
    since_low: int | None = None
    since_high: int | None = None
    effect_unit: str = ""
    low: float | None = None
    high: float | None = None
    coverage: float | None = None


@dataclass(frozen=True, slots=True)
class Usual:
    """What the values of each lane are like when all is well: a baseline, told by its moments.

    A detector that holds values against it may assume no more than this. The baseline is a sample, so the mean of what
    comes is off from `mean` by about `sqrt(variance * memory / rows)` even where nothing changed.

    Attributes
    ----------
    mean, variance
        (groups, subjects) of the lane's own values (errors, ranks within the baseline), in their unit and its square;
        NaN where `rows` is 0.
    rows
        (groups, subjects) usable values that the baseline holds, a whole number. 0 for a lane without a baseline.
    smallest
        (groups, subjects) smallest shift of the mean worth knowing, at least 0, in the unit of the values. A stream
        that is off by no more counts as unchanged.
    memory
        (groups, subjects) how many successive values tell as much as one independent value, at least 1: the integrated
        autocorrelation time, 1 for independent values. `usual.of_sample` estimates it.

    Raises
    ------
    ValueError
        If the arrays are not of one shape or a value is out of its range.
    """

    mean: Floats
    variance: Floats
    rows: Floats
    smallest: Floats
    memory: Floats

    def __post_init__(self) -> None:
        shape = np.shape(self.mean)
        for name in ("mean", "variance", "rows", "smallest", "memory"):
            array = np.asarray(getattr(self, name), dtype=np.float64)
            if array.ndim != 2 or array.shape != shape:
                raise ValueError(f"a baseline's {name} must be (groups, subjects) like its mean {shape}: {array.shape}")
            object.__setattr__(self, name, array)
        known = self.rows > 0
        for name, least in (("rows", 0.0), ("smallest", 0.0), ("memory", 1.0)):
            array = getattr(self, name)
            if not ((array >= least) & np.isfinite(array)).all():
                raise ValueError(f"a baseline's {name} must be finite and at least {least:g}, not {array.tolist()}")
        if not (np.isfinite(self.mean[known]).all() and (self.variance[known] >= 0.0).all()):
            raise ValueError("a baseline with rows has a finite mean and a variance of at least 0: build it anew")
        if not np.isfinite(self.variance[known]).all():
            raise ValueError("a baseline with rows has a finite variance: build it anew")

    def check_shape(self, groups: int, subjects: int) -> None:
        """Raise ValueError unless it is of so many lanes."""
        if self.mean.shape != (groups, subjects):
            raise ValueError(
                f"the baseline is of {self.mean.shape} (groups, subjects), the lanes are {(groups, subjects)}: "
                "each lane needs its own"
            )


@dataclass(frozen=True, slots=True)
class Alarms:
    """The alarms of one call to a sequential detector, in order of event, then subject.

    Attributes
    ----------
    event, group, subject
        (k,) positions: column of the block, group code, row of the block.
    statistic, threshold
        (k,) what was compared; NaN where a detector exposes none.
    since
        (k,) how many values of that lane, the alarming one included, belong to the time after the estimated
        change; at least 1.
    before, after
        (k,) mean of the lane's values before and after the estimated change; NaN where unknown.
    """

    event: Ints
    group: Ints
    subject: Ints
    statistic: Floats
    threshold: Floats
    since: Ints
    before: Floats
    after: Floats


class SequentialState(abc.ABC):
    """Many lanes (group x subject) of one sequential detector, each with its own state."""

    @property
    @abc.abstractmethod
    def shape(self) -> tuple[int, int]:
        """(groups, subjects)."""

    @abc.abstractmethod
    def grow(self, groups: int, usual: Usual | None = None) -> None:
        """Add fresh groups until there are `groups` of them; existing lanes keep their state.

        Parameters
        ----------
        groups
            How many there shall be.
        usual
            Baselines of the new groups alone, as for `SequentialDetector.start`.
        """

    @abc.abstractmethod
    def reset(self, group: int, subject: int) -> None:
        """Begin one lane anew; it keeps its baseline."""

    @abc.abstractmethod
    def update(self, values: Floats, groups: Ints | None = None) -> Alarms:
        """Take a block of events in order.

        Parameters
        ----------
        values
            (subjects, events). A value that is not finite is passed over: it neither changes a lane nor
            counts for it.
        groups
            (events,) group code of each event; negative codes are passed over. None means group 0 for all.

        Returns
        -------
        Alarms
            A lane starts anew after its alarm. Cutting the events into blocks in any way gives the same alarms
            and the same state, bit for bit.

        Raises
        ------
        ValueError
            If the shapes do not fit or a group code is not below the number of groups.
        """

    @abc.abstractmethod
    def copy(self) -> Self:
        """Return an independent copy."""

    @abc.abstractmethod
    def to_plain(self) -> dict[str, Any]:
        """Return the state as numbers, strings, bytes, lists, dicts and numpy arrays; never pickled objects."""


class SequentialDetector(abc.ABC):
    """Settings of a detector that takes values one after the other; immutable, the state lives apart."""

    name: ClassVar[str]

    @abc.abstractmethod
    def start(self, groups: int, subjects: int, usual: Usual | None = None) -> SequentialState:
        """Return fresh lanes.

        Parameters
        ----------
        groups, subjects
            How many, at least 0.
        usual
            Baselines of the lanes. Detectors that compare a stream with itself (river's) need none and ignore it;
            those that compare with a baseline take each lane's first values for one where there is none. It is part
            of the state: `restore` brings it back.

        Raises
        ------
        ValueError
            If a number is negative or the baselines are not of so many lanes.
        """

    @abc.abstractmethod
    def restore(self, plain: dict[str, Any]) -> SequentialState:
        """Return the state that `to_plain` described; raises ValueError if it is not this detector's."""
