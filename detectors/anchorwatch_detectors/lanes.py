"""Many lanes of one sequential detector: routing, bad values, alarms and plain state, written once for all of them.

A detector adds only how one lane takes values. A lane between two calls is an immutable plain value (bytes, numbers,
a dictionary), so copies share it, and what is stored is what is worked with.
"""

from __future__ import annotations

import abc
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

from anchorwatch_detectors.alarms import Hit, Place, as_columns
from anchorwatch_detectors.counted import CountedDetector, CountedLanes
from anchorwatch_detectors.guard import usable

if TYPE_CHECKING:
    from anchorwatch_detectors.base import Alarms, Floats, Ints, Usual

VERSION = 1
"""Version of the form that `to_plain` gives; another one is refused."""


def check_row(detector: str, lane: Any, length: int) -> tuple[float, ...]:
    """Return a stored lane of numbers as a tuple; raises ValueError if it is not `length` numbers.

    Parameters
    ----------
    detector
        Name for the message.
    lane
        What was stored; a list where the store knows no tuples.
    length
        How many numbers make a lane.
    """
    if isinstance(lane, list | tuple) and len(lane) == length and all(isinstance(x, int | float) for x in lane):
        return tuple(map(float, lane))
    raise ValueError(f"{detector}: a stored lane must be {length} numbers, not {lane!r}")


class LaneDetector(CountedDetector):
    """A sequential detector that says how one lane takes values; subclasses are frozen dataclasses of parameters."""

    @abc.abstractmethod
    def feed(self, lane: Any, values: list[float]) -> tuple[Any, list[Hit]]:
        """Take values in order.

        Parameters
        ----------
        lane
            What an earlier call returned; None for a lane that begins. It is never changed in place.
        values
            At least one value, all usable (see `guard.usable`) and within `domain`.

        Returns
        -------
        tuple
            The lane after the last value, and the alarms in order. After an alarm the lane begins anew.
        """

    @abc.abstractmethod
    def check(self, lane: Any) -> Any:
        """Return a lane of a stored state in the form `feed` takes; raises ValueError if it is not one."""

    def start(self, groups: int, subjects: int, usual: Usual | None = None) -> Lanes:
        """Return fresh lanes; a baseline is checked and ignored. See `SequentialDetector.start`."""
        taken, passed_over = self.none_taken(groups, subjects)
        if usual is not None:
            usual.check_shape(groups, subjects)
        return Lanes(self, [None] * (groups * subjects), taken, passed_over)

    def restore(self, plain: dict[str, Any]) -> Lanes:
        """Return the state that `to_plain` described.

        Raises
        ------
        ValueError
            If it is of another version, detector or parameters, or damaged.
        """
        self.check_described(plain, VERSION)
        try:
            taken = np.array(plain["taken"], dtype=np.int64)
            passed_over = np.array(plain["passed_over"], dtype=np.int64)
            shape = (int(plain["groups"]), int(plain["subjects"]))
            lanes = list(plain["lanes"])
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"the stored state of {self.name} is damaged: {error!r}") from error
        if min(shape) < 0 or len(lanes) != shape[0] * shape[1] or taken.size != len(lanes) != passed_over.size:
            raise ValueError(f"the stored state of {self.name} is damaged: {len(lanes)} lanes do not make {shape}")
        checked = [None if lane is None else self.check(lane) for lane in lanes]
        return Lanes(self, checked, taken.reshape(shape), passed_over.reshape(shape))


class Lanes(CountedLanes):
    """Lanes of one detector, each an immutable plain value."""

    def __init__(self, detector: LaneDetector, lanes: list[Any], taken: Ints, passed_over: Ints) -> None:
        self._detector = detector
        self._lanes = lanes
        self.taken = taken
        self.passed_over = passed_over

    def grow(self, groups: int, usual: Usual | None = None) -> None:
        """Add fresh groups until there are `groups` of them; see `SequentialState.grow`."""
        have, subjects = self.shape
        if groups <= have:
            return
        if usual is not None:
            usual.check_shape(groups - have, subjects)
        self._lanes.extend([None] * (groups - have) * subjects)
        self._count_more(groups - have)

    def reset(self, group: int, subject: int) -> None:
        """Begin one lane anew.

        Raises
        ------
        IndexError
            If there is no such lane.
        """
        self._lane(group, subject)
        self._lanes[group * self.shape[1] + subject] = None
        self.taken[group, subject] = self.passed_over[group, subject] = 0

    def update(self, values: Floats, groups: Ints | None = None) -> Alarms:
        """Take a block of events in order; see `SequentialState.update`."""
        values, groups = self._checked(values, groups)
        order, spans = _by_group(groups, values.shape[1])
        if order is not None:
            values = values[:, order]
        found: list[tuple[Place, Hit]] = []
        if spans:
            self._take(values, spans, found)
        if order is not None:
            found = [(place._replace(event=int(order[place.event])), hit) for place, hit in found]
        found.sort(key=lambda alarm: alarm[0])
        return as_columns(found)

    def copy(self) -> Self:
        """Return an independent copy; lanes are immutable and shared, so this costs no more than a list's copy."""
        return type(self)(self._detector, self._lanes.copy(), self.taken.copy(), self.passed_over.copy())

    def to_plain(self) -> dict[str, Any]:
        """Return the state as numbers, strings, bytes, lists, dicts and numpy arrays."""
        groups, subjects = self.shape
        return {
            **self._detector.described(VERSION),
            "groups": groups,
            "subjects": subjects,
            "lanes": self._lanes.copy(),
            "taken": self.taken.copy(),
            "passed_over": self.passed_over.copy(),
        }

    def _take(self, values: Floats, spans: list[Span], found: list[tuple[Place, Hit]]) -> None:
        """Feed each lane its span of each row; `found` takes the alarms."""
        good = usable(values, *self._detector.domain())
        codes = [span.group for span in spans]
        counts = np.add.reduceat(good[:, : spans[-1].stop], [span.start for span in spans], axis=1, dtype=np.int64)
        self.taken[codes] += counts.T
        self.passed_over[codes] += np.array([[span.stop - span.start] for span in spans]) - counts.T
        feed, lanes, subjects = self._detector.feed, self._lanes, len(values)
        for subject, (row, known) in enumerate(zip(values.tolist(), counts.tolist(), strict=True)):
            for (group, start, stop), count in zip(spans, known, strict=True):
                if count == 0:
                    continue
                series, kept = row[start:stop], None
                if count < stop - start:
                    kept = np.flatnonzero(good[subject, start:stop]).tolist()
                    series = [series[i] for i in kept]
                lane = group * subjects + subject
                lanes[lane], hits = feed(lanes[lane], series)
                for hit in hits:
                    event = start + (hit.position if kept is None else kept[hit.position])
                    found.append((Place(event, subject, group), hit))


class Span(NamedTuple):
    """Columns of a block, ordered by group, that belong to one group."""

    group: int
    start: int
    stop: int


def _by_group(groups: Ints | None, events: int) -> tuple[Ints | None, list[Span]]:
    """Return the order that brings the events of a group together (None: it is so already) and the groups' spans.

    Within a group the events keep their order; negative groups are left out.
    """
    if events == 0:
        return None, []
    if groups is None:
        return None, [Span(0, 0, events)]
    first = int(groups[0])
    if first >= 0 and (groups == first).all():
        return None, [Span(first, 0, events)]
    order = np.argsort(groups, kind="stable")
    ordered = groups[order]
    order = order[np.searchsorted(ordered, 0) :]
    ordered = ordered[len(ordered) - len(order) :]
    edges = np.flatnonzero(np.diff(ordered, prepend=-1, append=-1)).tolist()
    spans = [Span(int(ordered[start]), start, stop) for start, stop in pairwise(edges)]
    return order, spans
