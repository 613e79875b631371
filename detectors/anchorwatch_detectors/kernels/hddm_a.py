"""The loop of HDDM_A; `sequential.hddm_a` says what it does."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from anchorwatch_detectors.kernels.block import gather, longest, put_split, with_room
from anchorwatch_detectors.kernels.compiling import kernel

if TYPE_CHECKING:
    from anchorwatch_detectors.base import Floats
    from anchorwatch_detectors.kernels.block import Block


@kernel
def take(rows: Floats, block: Block, bound: float, distance: float, sides: int) -> Floats:
    """Feed all lanes; return the alarms.

    Parameters
    ----------
    rows
        (groups, subjects, 6), the columns of `HddmA.fresh`.
    bound, distance
        Logarithms of 1 / confidence, for the bound on a mean, and of 2 / confidence, for that on a distance of means.
    sides
        1 if rises alone ring, 2 if falls do too.
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
                at, gap, now, then = _until_alarm(row, series[:count], at, bound, distance, sides)
                if at < count:
                    alarms = with_room(alarms, k)
                    put_split(alarms[k], (events[at], group, subject), gap, now, then)
                    k, at = k + 1, at + 1
                    row[:] = 0.0
    return alarms[:k]


@kernel
def _until_alarm(
    row: Floats, series: Floats, at: int, bound: float, distance: float, sides: int
) -> tuple[int, tuple[float, float], tuple[float, float], tuple[float, float]]:
    """Take values from place `at` on, up to the first alarm; return its place, or the number of values without one.

    With the place come statistic and threshold, and number and mean of all values and of those up to the cut.
    """
    n, mean, n_low, low, n_high, high = row[0], row[1], row[2], row[3], row[4], row[5]
    edge_low = low + math.sqrt(1.0 / (2 * n_low) * bound)
    edge_high = high - math.sqrt(1.0 / (2 * n_high) * bound)
    for i in range(at, len(series)):
        n += 1.0
        mean += (1.0 / n) * (series[i] - mean)
        eps = math.sqrt(1.0 / (2 * n) * bound)
        if n == 1.0 or edge_low >= mean + eps:
            n_low, low, edge_low = n, mean, mean + eps
        if n == 1.0 or edge_high <= mean - eps:
            n_high, high, edge_high = n, mean, mean - eps
        # no bound is below 0, so where the mean did not move off the cut's the square root is not needed
        if n_low != n and mean > low:
            eps = math.sqrt((n - n_low) / n_low * (1.0 / n) / 2 * distance)
            if mean - low >= eps:
                return i, (mean - low, eps), (n, mean), (n_low, low)
        if sides == 2 and n_high != n and high > mean:
            eps = math.sqrt((n - n_high) / n_high * (1.0 / n) / 2 * distance)
            if high - mean >= eps:
                return i, (high - mean, eps), (n, mean), (n_high, high)
    row[0], row[1], row[2], row[3], row[4], row[5] = n, mean, n_low, low, n_high, high
    return len(series), (0.0, 0.0), (n, mean), (n, mean)
