"""The loops of EDDM; `sequential.eddm` says what it does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from anchorwatch_detectors.kernels.block import gather, longest, put_split, with_room
from anchorwatch_detectors.kernels.compiling import kernel

if TYPE_CHECKING:
    from anchorwatch_detectors.base import Floats
    from anchorwatch_detectors.kernels.block import Block

N, TOTAL, ERRORS, LAST, MEAN, SQUARES, MOST, MOST_N, MOST_TOTAL, WARNING = range(10)
"""Columns of a lane: values and their sum; errors and the place of the last; mean and sum of squared deviations of
the distances between errors; the greatest mean plus two spreads, values and sum then; 1 in the warning zone, else 0."""

Settings = tuple[int, float, float, float]
"""warm_start, alpha, beta and 0.5: a root by an exponent that the compiler does not know is the one Python takes."""


@kernel
def distance(row: Floats, n: float, half: float) -> float:
    """Take an error at value `n`; return the mean distance of errors plus two spreads."""
    errors, mean = row[ERRORS] + 1.0, row[MEAN]
    x = n - row[LAST]
    after = mean + (1.0 / errors) * (x - mean)
    row[SQUARES] += (x - mean) * (x - after)
    row[ERRORS], row[LAST], row[MEAN] = errors, n, after
    variance = row[SQUARES] / (errors - 1.0) if errors > 1.0 else 0.0
    return float(after + 2.0 * variance**half)


@kernel
def walk(row: Floats, series: Floats, start: int, stop: int, settings: Settings) -> int:
    """Let the values [start, stop) enter a lane up to the first that raises an alarm; return its place, or `stop`."""
    warm, alpha, beta, half = settings
    n, total = row[N], row[TOTAL]
    i = start
    while i < stop:
        x = series[i]
        n += 1.0
        total += x
        if x == 1.0:
            reached = distance(row, n, half)
            if n > warm and reached > row[MOST]:
                row[MOST], row[MOST_N], row[MOST_TOTAL] = reached, n, total
            elif n > warm and row[ERRORS] > warm:
                level = reached / row[MOST]
                if level < beta:
                    break
                row[WARNING] = 1.0 if level < alpha else 0.0
        i += 1
    row[N], row[TOTAL] = n, total
    return i


@kernel
def put(alarm: Floats, where: tuple[int, int, int], row: Floats, settings: Settings) -> None:
    """Write the alarm of a lane."""
    errors, n, then = row[ERRORS], row[N], row[MOST_N]
    level = (row[MEAN] + 2.0 * (row[SQUARES] / (errors - 1.0)) ** settings[3]) / row[MOST]
    before = row[MOST_TOTAL] / then if then > 0.0 else 0.0
    put_split(alarm, where, (level, settings[2]), (n, row[TOTAL] / n), (then, before))


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
                put(alarms[k], (events[at], group, subject), row, settings)
                k += 1
                row[:] = fresh
                at = walk(row, series, at + 1, stop, settings)
    return alarms[:k]
