"""What every kernel begins and ends with: the usable values of a lane out of a block, and the alarms it found."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from anchorwatch_detectors.kernels.compiling import kernel

if TYPE_CHECKING:
    from anchorwatch_detectors.base import Floats, Ints

EVENT, GROUP, SUBJECT, STATISTIC, THRESHOLD, SINCE, BEFORE, AFTER = range(8)
"""Columns of the alarms that a kernel returns; see `base.Alarms`."""


class Block(NamedTuple):
    """The events of one call, ordered by group.

    Attributes
    ----------
    values
        (subjects, events).
    order
        (k,) events in order of group; events of no group are left out.
    groups, stops
        (spans,) group of each span of `order`, and where it ends; it starts where the one before it ends.
    low, high
        Smallest and largest value that is usable.
    taken, passed_over
        (groups, subjects) counts of usable and of other values, increased by `gather`.
    """

    values: Floats
    order: Ints
    groups: Ints
    stops: Ints
    low: float
    high: float
    taken: Ints
    passed_over: Ints


@kernel
def by_group(codes: Ints, have: int) -> tuple[Ints, Ints, Ints]:
    """Return `order`, `groups` and `stops` of a `Block` by counting.

    Parameters
    ----------
    codes
        (events,) group codes below `have`; negative ones belong to no group.
    have
        Number of groups.
    """
    counts = np.zeros(have, dtype=np.int64)
    for code in codes:
        if code >= 0:
            counts[code] += 1
    groups = np.flatnonzero(counts)
    stops = np.cumsum(counts[groups])
    places = np.zeros(have, dtype=np.int64)
    places[groups[1:]] = stops[:-1]
    order = np.empty(counts.sum(), dtype=np.int64)
    for event in range(len(codes)):
        code = codes[event]
        if code >= 0:
            order[places[code]] = event
            places[code] += 1
    return order, groups, stops


@kernel
def longest(block: Block) -> int:
    """Return the number of events of the largest span: how much room `gather` needs."""
    most, start = 0, 0
    for stop in block.stops:
        most = max(most, stop - start)
        start = stop
    return most


@kernel
def gather(block: Block, span: int, subject: int, series: Floats, events: Ints) -> int:
    """Write the usable values of a lane into `series` and their events into `events`; return how many there are."""
    start = block.stops[span - 1] if span > 0 else 0
    stop = block.stops[span]
    values, low, high = block.values[subject], block.low, block.high
    kept = 0
    for event in block.order[start:stop]:  # without a branch: the next value overwrites one that is not usable
        x = values[event]
        series[kept] = x
        events[kept] = event
        kept += 1 if low <= x <= high else 0  # not for NaN
    group = block.groups[span]
    block.taken[group, subject] += kept
    block.passed_over[group, subject] += stop - start - kept
    return kept


@kernel
def with_room(alarms: Floats, count: int) -> Floats:
    """Return `alarms` with room for one more than `count`."""
    if count < len(alarms):
        return alarms
    larger = np.empty((2 * count + 8, 8))
    larger[:count] = alarms[:count]
    return larger


@kernel
def put_split(
    alarm: Floats,
    where: tuple[int, int, int],
    distance: tuple[float, float],
    now: tuple[float, float],
    then: tuple[float, float],
) -> None:
    """Write an alarm whose means follow from the running means at the alarm and at the estimated change.

    Parameters
    ----------
    alarm
        (8,) to be written.
    where
        Event, group, subject.
    distance
        Statistic and threshold.
    now, then
        Number of values of the lane and their mean: of all of them, and of those up to the change. A change before
        the first value leaves no mean before it: NaN.
    """
    n, mean = now
    n_then, mean_then = then
    alarm[EVENT], alarm[GROUP], alarm[SUBJECT] = where
    alarm[STATISTIC], alarm[THRESHOLD] = distance
    alarm[SINCE] = n - n_then
    alarm[BEFORE] = mean_then if n_then > 0 else np.nan
    alarm[AFTER] = (n * mean - n_then * mean_then) / (n - n_then)
