"""The loop of KSWIN; `sequential.kswin` says what it does."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from anchorwatch_detectors.kernels import block as column
from anchorwatch_detectors.kernels.block import gather, longest, with_room
from anchorwatch_detectors.kernels.compiling import kernel
from anchorwatch_detectors.kernels.mersenne import WORDS, sample

if TYPE_CHECKING:
    from anchorwatch_detectors.base import Floats, Ints
    from anchorwatch_detectors.kernels.block import Block

N, MEAN, FILLED, HEAD, GAP, PLACE, GENERATOR = range(7)
"""Where a row holds its numbers and the words of its generator."""
WINDOW = GENERATOR + WORDS
"""Where a row's window begins; the oldest of its values is in place HEAD of it, once it is full."""


class Work(NamedTuple):
    """What is known of the window of the lane at work.

    Attributes
    ----------
    slots, ordered
        (window size,) places of the window in order of their values, and the values in order.
    mark
        (window size,) -1 for a place among the newest values, 1 for one that is drawn, 0 for others.
    pool, chosen
        (window size - newest,) and (newest,) for `mersenne.sample`.
    """

    slots: Ints
    ordered: Floats
    mark: Ints
    pool: Ints
    chosen: Ints


@kernel
def take(rows: Floats, block: Block, fresh: Floats, newest: int, most_listed: int, critical: int) -> Floats:
    """Feed all lanes; return the alarms.

    Parameters
    ----------
    rows
        (groups, subjects, WINDOW + window size), the columns of `Kswin.fresh`.
    fresh
        A lane that begins.
    newest
        Values on either side of the test.
    most_listed
        See `mersenne.sample`.
    critical
        Least gap of the two distribution functions that rings, in values.
    """
    room, size = longest(block), len(fresh) - WINDOW
    series, events = np.empty(room), np.empty(room, dtype=np.int64)
    slots, mark = np.empty(size, dtype=np.int64), np.empty(size, dtype=np.int64)
    pool, chosen = np.empty(size - newest, dtype=np.int64), np.empty(newest, dtype=np.int64)
    work = Work(slots, np.empty(size), mark, pool, chosen)
    alarms, k = np.empty((0, 8)), 0
    for span in range(len(block.groups)):
        group = block.groups[span]
        for subject in range(len(block.values)):
            row = rows[group, subject]
            count, at = gather(block, span, subject, series, events), 0
            while at < count:
                at = _until_alarm(row, series[:count], at, work, most_listed, critical)
                if at < count:
                    alarms = with_room(alarms, k)
                    alarms[k, column.EVENT], alarms[k, column.GROUP] = events[at], group
                    alarms[k, column.SUBJECT], alarms[k, column.THRESHOLD] = subject, critical / newest
                    _put(alarms[k], row, newest)
                    k, at = k + 1, at + 1
                    row[:] = fresh
    return alarms[:k]


@kernel
def _until_alarm(row: Floats, series: Floats, at: int, work: Work, most_listed: int, critical: int) -> int:
    """Take values from place `at` on, up to the first alarm; return its place, or the number of values without one."""
    words, window = row[GENERATOR:WINDOW], row[WINDOW:]
    size, older = len(window), len(work.pool)
    n, mean = row[N], row[MEAN]
    filled, head, gap, place = int(row[FILLED]), int(row[HEAD]), int(row[GAP]), int(row[PLACE])
    if filled == size:
        _sort(window, head, work)
    i = at
    while i < len(series):
        n += 1.0
        mean += (1.0 / n) * (series[i] - mean)
        if filled == size:
            _exchange(window, head, series[i], work)
            head = head + 1 if head + 1 < size else 0
        else:
            window[filled] = series[i]
            filled += 1
            if filled == size:
                _sort(window, head, work)
        if filled == size:
            place = sample(words, place, older, most_listed, work.pool, work.chosen)
            gap = _gap(head, work)
            if gap >= critical:
                break
        i += 1
    row[N], row[MEAN], row[FILLED], row[HEAD], row[GAP], row[PLACE] = n, mean, filled, head, gap, place
    return i


@kernel
def _sort(window: Floats, head: int, work: Work) -> None:
    """Order a full window and mark its newest values."""
    size, older = len(window), len(work.pool)
    work.slots[:] = np.argsort(window)
    work.ordered[:] = window[work.slots]
    for age in range(size):
        work.mark[(head + age) % size] = 0 if age < older else -1


@kernel
def _exchange(window: Floats, head: int, x: float, work: Work) -> None:
    """Put a value in the place of the oldest, and keep the order and the marks."""
    slots, ordered, last = work.slots, work.ordered, len(window) - 1
    at = 0
    while slots[at] != head:
        at += 1
    while at < last and ordered[at + 1] < x:
        ordered[at], slots[at] = ordered[at + 1], slots[at + 1]
        at += 1
    while at > 0 and ordered[at - 1] > x:
        ordered[at], slots[at] = ordered[at - 1], slots[at - 1]
        at -= 1
    window[head], ordered[at], slots[at] = x, x, head
    aged = head + len(work.pool)
    work.mark[head] = -1
    work.mark[aged if aged <= last else aged - last - 1] = 0


@kernel
def _gap(head: int, work: Work) -> int:
    """Return the largest distance of the counts, up to any value, of the values drawn and of the newest."""
    size, mark = len(work.mark), work.mark
    for index in work.chosen:
        slot = head + index
        mark[slot if slot < size else slot - size] = 1
    ahead, most, last = 0, 0, size - 1
    for at in range(size):
        slot = work.slots[at]
        ahead += mark[slot]
        mark[slot] = min(mark[slot], 0)
        if at == last or work.ordered[at + 1] != work.ordered[at]:
            most = max(most, abs(ahead))
    return most


@kernel
def _put(alarm: Floats, row: Floats, newest: int) -> None:
    """Write statistic, values since the change and the means before and after it."""
    window, n = row[WINDOW:], row[N]
    size, total = len(window), 0.0
    for age in range(size - newest, size):
        total += window[(int(row[HEAD]) + age) % size]
    alarm[column.STATISTIC] = row[GAP] / newest
    alarm[column.SINCE] = newest
    alarm[column.BEFORE] = (n * row[MEAN] - total) / (n - newest)
    alarm[column.AFTER] = total / newest
