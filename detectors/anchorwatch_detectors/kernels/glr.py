"""The loop of GLR; `sequential.glr` says what it does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from anchorwatch_detectors.kernels.baseline import (
    COUNT,
    MEAN,
    REST,
    ROWS,
    TOTAL,
    USED,
    begin,
    learn,
    memory_of,
    scale_of,
    slack_of,
)
from anchorwatch_detectors.kernels.block import gather, longest, with_room
from anchorwatch_detectors.kernels.compiling import kernel

if TYPE_CHECKING:
    from anchorwatch_detectors.base import Floats, Ints
    from anchorwatch_detectors.kernels.block import Block

SUM = REST
"""Column of a row: sum of the standardised values since the lane began; after it the last such sums, in a ring."""


@kernel
def largest(row: Floats, lengths: Ints, slack: float) -> tuple[float, int]:
    """Return the largest likelihood ratio, in its logarithm, and the length of the stretch that has it."""
    ring = row[REST + 1 :]
    now, n = row[SUM], int(row[COUNT])
    best, since = 0.0, 1
    for length in lengths:
        if length > n:
            break
        beyond = abs(now - ring[(n - length) % len(ring)]) - slack * length
        if beyond > 0.0:
            ratio = beyond * beyond / (2.0 * length)
            if ratio > best:
                best, since = ratio, length
    return best, since


@kernel
def tell(alarm: Floats, row: Floats, where: tuple[int, int, int], found: tuple[float, int], threshold: float) -> None:
    """Write an alarm."""
    ring = row[REST + 1 :]
    statistic, since = found
    rows, n, scale = row[USED + ROWS], row[COUNT], scale_of(row)
    beyond = row[SUM] - ring[int(n - since) % len(ring)]
    after = row[USED + MEAN] + scale * beyond / since
    alarm[0], alarm[1], alarm[2] = where
    alarm[3], alarm[4], alarm[5] = statistic, threshold, since
    alarm[6] = (rows * row[USED + MEAN] + row[TOTAL] - since * after) / (rows + n - since)
    alarm[7] = after


@kernel
def take(rows: Floats, block: Block, lengths: Ints, threshold: float) -> Floats:
    """Feed all lanes; return the alarms.

    Parameters
    ----------
    rows
        (groups, subjects, `REST` + 1 + the largest length + 1).
    lengths
        Increasing numbers of newest values that are looked at.
    threshold
        Logarithm of the likelihood ratio that raises an alarm.
    """
    room = longest(block)
    series, events = np.empty(room), np.empty(room, dtype=np.int64)
    alarms, k = np.empty((0, 8)), 0
    for span in range(len(block.groups)):
        group = block.groups[span]
        for subject in range(len(block.values)):
            row = rows[group, subject]
            ring = row[REST + 1 :]
            for i in range(gather(block, span, subject, series, events)):
                x = series[i]
                if row[USED + ROWS] == 0.0:
                    learn(row, x)
                    continue
                row[COUNT] += 1.0
                row[TOTAL] += x
                row[SUM] += (x - row[USED + MEAN]) / scale_of(row)
                ring[int(row[COUNT]) % len(ring)] = row[SUM]
                found = largest(row, lengths, slack_of(row))
                if found[0] > threshold * memory_of(row):
                    alarms = with_room(alarms, k)
                    tell(alarms[k], row, (events[i], group, subject), found, threshold * memory_of(row))
                    k += 1
                    begin(row)
    return alarms[:k]
