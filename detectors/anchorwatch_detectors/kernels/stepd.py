"""The loop of STEPD; `sequential.stepd` says what it does."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from anchorwatch_detectors.kernels.block import gather, longest, put_split, with_room
from anchorwatch_detectors.kernels.compiling import kernel

if TYPE_CHECKING:
    from anchorwatch_detectors.base import Floats
    from anchorwatch_detectors.kernels.block import Block

OLDER, OLDER_SUM, FILLED, HEAD, RECENT_SUM, WINDOW = range(6)
"""Columns of a row: number and sum of the values before the window; number of values in the window, place of its oldest
and their sum; the window."""


@kernel
def take(rows: Floats, block: Block, quantile: float, sides: tuple[bool, bool]) -> Floats:
    """Feed all lanes; return the alarms.

    Parameters
    ----------
    rows
        (groups, subjects, WINDOW + window size).
    quantile
        Standard errors that raise an alarm.
    sides
        Whether a rise rings, and whether a fall does.
    """
    room = longest(block)
    series, events = np.empty(room), np.empty(room, dtype=np.int64)
    alarms, k = np.empty((0, 8)), 0
    for span in range(len(block.groups)):
        group = block.groups[span]
        for subject in range(len(block.values)):
            row = rows[group, subject]
            count, at = gather(block, span, subject, series, events), 0
            while at < count:
                at, statistic = _until_alarm(row, series[:count], at, quantile, sides)
                if at < count:
                    older, recent = row[OLDER], row[FILLED]
                    n, mean = older + recent, (row[OLDER_SUM] + row[RECENT_SUM]) / (older + recent)
                    alarms = with_room(alarms, k)
                    where, then = (events[at], group, subject), (older, row[OLDER_SUM] / older)
                    put_split(alarms[k], where, (statistic, quantile), (n, mean), then)
                    alarms[k, 7] = row[RECENT_SUM] / recent
                    k, at = k + 1, at + 1
                    row[:] = 0.0
    return alarms[:k]


@kernel
def _until_alarm(row: Floats, series: Floats, at: int, quantile: float, sides: tuple[bool, bool]) -> tuple[int, float]:
    """Take values from place `at` on, up to the first alarm; return its place, or the number of values without one.

    With the place comes the distance of the shares in standard errors.
    """
    window = row[WINDOW:]
    size = len(window)
    older, older_sum, recent_sum = row[OLDER], row[OLDER_SUM], row[RECENT_SUM]
    filled, head = int(row[FILLED]), int(row[HEAD])
    statistic, i = 0.0, at
    while i < len(series):
        if filled == size:
            older += 1.0
            older_sum += window[head]
            recent_sum -= window[head]
            window[head] = series[i]
            head = head + 1 if head + 1 < size else 0
        else:
            window[filled] = series[i]
            filled += 1
        recent_sum += series[i]
        if older >= size:
            inverse = 1.0 / older + 1.0 / size
            share = (older_sum + recent_sum) / (older + size)
            rise = recent_sum / size - older_sum / older
            beyond = abs(rise) - 0.5 * inverse
            error = math.sqrt(max(0.0, share * (1.0 - share) * inverse))
            if beyond > quantile * error and beyond > 0.0 and (sides[0] if rise > 0.0 else sides[1]):
                statistic = beyond / error
                break
        i += 1
    row[OLDER], row[OLDER_SUM], row[RECENT_SUM], row[FILLED], row[HEAD] = older, older_sum, recent_sum, filled, head
    return i, statistic
