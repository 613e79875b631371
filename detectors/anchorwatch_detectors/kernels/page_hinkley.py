"""The loops of Page-Hinkley; `sequential.page_hinkley` says what it does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from anchorwatch_detectors.kernels.block import gather, longest, put_split, with_room
from anchorwatch_detectors.kernels.compiling import kernel

if TYPE_CHECKING:
    from anchorwatch_detectors.base import Floats
    from anchorwatch_detectors.kernels.block import Block

N, MEAN, UP, DOWN, LOW, LOW_N, LOW_MEAN, HIGH, HIGH_N, HIGH_MEAN = range(10)
"""Columns of a lane: values, their mean; the sums for a rise and a fall; of each its extreme, and n and mean there."""

Settings = tuple[int, float, float, float, float]
"""min_instances, delta, alpha, threshold of a rise, threshold of a fall."""


@kernel
def walk(row: Floats, series: Floats, start: int, stop: int, settings: Settings) -> int:
    """Let the values [start, stop) enter a lane up to the first that raises an alarm; return its place, or `stop`."""
    warm, delta, alpha, highest_rise, highest_fall = settings
    n, mean, up, down = row[N], row[MEAN], row[UP], row[DOWN]
    low, low_n, low_mean, high, high_n, high_mean = row[LOW], row[LOW_N], row[LOW_MEAN], row[HIGH], row[HIGH_N], row[9]
    i = start
    while i < stop:
        x = series[i]
        n += 1.0
        mean += (1.0 / n) * (x - mean)
        deviation = x - mean
        up = alpha * up + deviation - delta
        down = alpha * down + deviation + delta
        if up < low:
            low, low_n, low_mean = up, n, mean
        if down > high:
            high, high_n, high_mean = down, n, mean
        if n >= warm and (up - low > highest_rise or high - down > highest_fall):
            break
        i += 1
    row[N], row[MEAN], row[UP], row[DOWN] = n, mean, up, down
    row[LOW], row[LOW_N], row[LOW_MEAN], row[HIGH], row[HIGH_N], row[9] = low, low_n, low_mean, high, high_n, high_mean
    return i


@kernel
def put(alarm: Floats, where: tuple[int, int, int], row: Floats, highest_rise: float, highest_fall: float) -> None:
    """Write the alarm of a lane."""
    rise, fall, now = row[UP] - row[LOW], row[HIGH] - row[DOWN], (row[N], row[MEAN])
    if rise > highest_rise:
        put_split(alarm, where, (rise, highest_rise), now, (row[LOW_N], row[LOW_MEAN]))
    else:
        put_split(alarm, where, (fall, highest_fall), now, (row[HIGH_N], row[HIGH_MEAN]))


@kernel
def take(rows: Floats, block: Block, settings: Settings, fresh: Floats) -> Floats:
    """Feed all lanes; return the alarms."""
    room = longest(block)
    series, events = np.empty(room), np.empty(room, dtype=np.int64)
    alarms, k = np.empty((0, 8)), 0
    for span in range(len(block.groups)):
        group = block.groups[span]
        for subject in range(len(block.values)):
            row = rows[group, subject]
            stop = gather(block, span, subject, series, events)
            at = walk(row, series, 0, stop, settings)
            while at < stop:
                alarms = with_room(alarms, k)
                put(alarms[k], (events[at], group, subject), row, settings[3], settings[4])
                k += 1
                row[:] = fresh
                at = walk(row, series, at + 1, stop, settings)
    return alarms[:k]
