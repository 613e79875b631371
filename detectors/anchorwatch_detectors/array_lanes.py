"""Many lanes of one sequential detector in one array, fed by one call of a kernel for a whole block.

A detector adds a lane's fresh row of numbers and the kernel that takes values; routing, bad values, order of alarms and
plain state are written here once for all of them.
"""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from anchorwatch_detectors.base import Alarms
from anchorwatch_detectors.counted import CountedDetector, CountedLanes

if TYPE_CHECKING:
    from anchorwatch_detectors.base import Floats, Ints, Usual
    from anchorwatch_detectors.kernels.block import Block

VERSION = 2
"""Version of the form that `to_plain` gives; another one is refused."""


class ArrayDetector(CountedDetector):
    """A sequential detector whose lanes are rows of numbers; subclasses are frozen dataclasses of parameters."""

    @abc.abstractmethod
    def fresh(self) -> Floats:
        """Return the row of a lane that begins, (width,)."""

    @abc.abstractmethod
    def feed(self, rows: Floats, block: Block) -> tuple[Floats, Floats]:
        """Take a block of events: call the kernel.

        Parameters
        ----------
        rows
            (groups, subjects, width), changed in place.
        block
            The events; `kernels.block.gather` gives each lane its usable values.

        Returns
        -------
        tuple
            The rows, the same array or a wider one, and the alarms, (k, 8) with the columns of `kernels.block`, in any
            order. After an alarm the lane's row is fresh, but for values that the method carries over.
        """

    @abc.abstractmethod
    def to_river(self, row: Floats) -> Any:
        """Return river's own detector in the state of a lane."""

    @abc.abstractmethod
    def from_river(self, detector: Any) -> Floats:
        """Return the row of a lane in the state of river's own detector.

        Raises
        ------
        ValueError
            If it is of another class or has other parameters.
        """

    def check(self, rows: Floats) -> Floats:
        """Return rows of a stored state, (groups, subjects, width); raises ValueError if they are not such.

        What a kernel could not bear (an index out of range) must be refused here.
        """
        width = len(self.fresh())
        if rows.shape[2] != width:
            raise ValueError(f"{self.name}: a stored lane must be {width} numbers, not {rows.shape[2]}")
        return rows

    def plain(self, rows: Floats) -> Floats:
        """Return a copy of the rows in the form that is stored: it depends on the values taken alone."""
        return rows.copy()

    def begun(self, groups: int, subjects: int, usual: Usual | None) -> Floats:
        """Return rows of lanes that begin, (groups, subjects, width), with their baselines.

        Raises
        ------
        ValueError
            If the baselines are not of so many lanes.
        """
        if usual is not None:
            usual.check_shape(groups, subjects)
        return fresh_rows(self, groups, subjects)

    def anew(self, row: Floats) -> Floats:
        """Return the row of a lane that begins again where `row` was, as wide; a baseline stays."""
        made = np.zeros_like(row)
        fresh = self.fresh()
        made[: len(fresh)] = fresh
        return made

    def start(self, groups: int, subjects: int, usual: Usual | None = None) -> ArrayLanes:
        """Return fresh lanes; see `SequentialDetector.start`."""
        taken, passed_over = self.none_taken(groups, subjects)
        return ArrayLanes(self, self.begun(groups, subjects, usual), taken, passed_over)

    def restore(self, plain: dict[str, Any]) -> ArrayLanes:
        """Return the state that `to_plain` described.

        Raises
        ------
        ValueError
            If it is of another version, detector or parameters, or damaged.
        """
        self.check_described(plain, VERSION)
        try:
            rows = np.array(plain["rows"], dtype=np.float64)
            taken = np.array(plain["taken"], dtype=np.int64)
            passed_over = np.array(plain["passed_over"], dtype=np.int64)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"the stored state of {self.name} is damaged: {error!r}") from error
        if rows.ndim != 3 or taken.shape != rows.shape[:2] or passed_over.shape != rows.shape[:2]:
            raise ValueError(f"the stored state of {self.name} is damaged: rows {rows.shape} for {taken.shape} lanes")
        return ArrayLanes(self, np.ascontiguousarray(self.check(rows)), taken, passed_over)


def fresh_rows(detector: ArrayDetector, groups: int, subjects: int) -> Floats:
    """Return rows of lanes that begin, (groups, subjects, width)."""
    row = detector.fresh()
    rows: Floats = np.tile(row, (groups, subjects, 1)).reshape(groups, subjects, len(row))
    return rows


def check_river(detector: ArrayDetector, theirs: Any) -> None:
    """Raise ValueError unless river's object is of the class that is the definition of `detector`, and set as it is."""
    own = detector.to_river(detector.fresh())
    expected = detector.parameters()
    given = {name: getattr(theirs, name, None) for name in expected}
    if type(theirs) is not type(own) or given != expected:
        raise ValueError(
            f"{detector.name} with {expected} cannot go on from a {type(theirs).__name__} of river with {given}: its "
            "alarms would be others; take the same class and parameters"
        )


class ArrayLanes(CountedLanes):
    """Lanes of one detector, rows of an array."""

    def __init__(self, detector: ArrayDetector, rows: Floats, taken: Ints, passed_over: Ints) -> None:
        self._detector = detector
        self._rows = rows
        self.taken = taken
        self.passed_over = passed_over

    def grow(self, groups: int, usual: Usual | None = None) -> None:
        """Add fresh groups until there are `groups` of them; see `SequentialState.grow`."""
        have, subjects = self.shape
        if groups <= have:
            return
        begun = self._detector.begun(groups - have, subjects, usual)
        rows = np.zeros((groups - have, *self._rows.shape[1:]))
        rows[:, :, : begun.shape[2]] = begun
        self._rows = np.concatenate((self._rows, rows))
        self._count_more(groups - have)

    def reset(self, group: int, subject: int) -> None:
        """Begin one lane anew.

        Raises
        ------
        IndexError
            If there is no such lane.
        """
        lane = self._lane(group, subject)
        self._rows[lane] = self._detector.anew(self._rows[lane])
        self.taken[group, subject] = self.passed_over[group, subject] = 0

    def update(self, values: Floats, groups: Ints | None = None) -> Alarms:
        """Take a block of events in order; see `SequentialState.update`."""
        values, groups = self._checked(values, groups)
        from anchorwatch_detectors.kernels.block import Block, by_group

        if groups is None:
            events = values.shape[1]
            order, codes, stops = np.arange(events), np.zeros(1, dtype=np.int64), np.array([events])
        else:
            order, codes, stops = by_group(groups, len(self.taken))
        low, high = self._detector.domain()
        block = Block(values, order, codes, stops, float(low), float(high), self.taken, self.passed_over)
        self._rows, alarms = self._detector.feed(self._rows, block)
        return _as_columns(alarms)

    def copy(self) -> Self:
        """Return an independent copy."""
        return type(self)(self._detector, self._rows.copy(), self.taken.copy(), self.passed_over.copy())

    def to_plain(self) -> dict[str, Any]:
        """Return the state as numbers, strings, dicts and numpy arrays; `rows` is (groups, subjects, width)."""
        return {
            **self._detector.described(VERSION),
            "rows": self._detector.plain(self._rows),
            "taken": self.taken.copy(),
            "passed_over": self.passed_over.copy(),
        }

    def to_river(self, group: int, subject: int) -> Any:
        """Return river's own detector in the state of one lane, which goes on unaffected by it."""
        return self._detector.to_river(self._rows[self._lane(group, subject)].copy())

    def from_river(self, group: int, subject: int, detector: Any) -> None:
        """Put one lane in the state of river's own detector; raises ValueError if it is another or set otherwise."""
        row = self._detector.from_river(detector)
        lane = self._lane(group, subject)
        if len(row) > self._rows.shape[2]:
            wider = np.zeros((*self.shape, len(row)))
            wider[:, :, : self._rows.shape[2]] = self._rows
            self._rows = wider
        self._rows[lane] = 0.0
        self._rows[lane][: len(row)] = row


def _as_columns(found: Floats) -> Alarms:
    """Return alarms of a kernel as columns, in order of event, then subject."""
    if len(found) > 1:
        found = found[np.lexsort((found[:, 2], found[:, 0]))]
    event, group, subject, statistic, threshold, since, before, after = (column.copy() for column in found.T)
    return Alarms(
        event=event.astype(np.int64),
        group=group.astype(np.int64),
        subject=subject.astype(np.int64),
        statistic=statistic,
        threshold=threshold,
        since=since.astype(np.int64),
        before=before,
        after=after,
    )
