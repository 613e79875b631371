"""The loop of the EWMA chart; `sequential.ewma` says what it does."""

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
    from anchorwatch_detectors.base import Floats
    from anchorwatch_detectors.kernels.block import Block

AVERAGE, FADED, START, BEHIND = range(REST, REST + 4)
"""Columns of a row: the average, (1 - weight)^(2 n), and number and sum of the values before it last crossed 0."""


@kernel
def tell(alarm: Floats, row: Floats, where: tuple[int, int, int], limit: float) -> None:
    """Write an alarm."""
    rows, n = row[USED + ROWS], row[COUNT]
    start, behind = row[START], row[BEHIND]
    alarm[0], alarm[1], alarm[2] = where
    alarm[3], alarm[4], alarm[5] = abs(row[AVERAGE]), limit, n - start
    alarm[6] = (rows * row[USED + MEAN] + behind) / (rows + start)
    alarm[7] = (row[TOTAL] - behind) / (n - start)


@kernel
def take(rows: Floats, block: Block, weight: float, width: float) -> Floats:
    """Feed all lanes; return the alarms.

    Parameters
    ----------
    rows
        (groups, subjects, `REST` + 4).
    weight, width
        Of the newest value, and of the limits in standard deviations of the average.
    """
    room = longest(block)
    series, events = np.empty(room), np.empty(room, dtype=np.int64)
    alarms, found = np.empty((0, 8)), 0
    for span in range(len(block.groups)):
        group = block.groups[span]
        for subject in range(len(block.values)):
            row = rows[group, subject]
            for i in range(gather(block, span, subject, series, events)):
                x = series[i]
                if row[USED + ROWS] == 0.0:
                    learn(row, x)
                    continue
                if row[COUNT] == 0.0:
                    row[FADED] = 1.0
                before = row[AVERAGE]
                row[AVERAGE] = before + weight * ((x - row[USED + MEAN]) / scale_of(row) - before)
                row[FADED] *= (1.0 - weight) ** 2
                if row[AVERAGE] * before <= 0.0:
                    row[START], row[BEHIND] = row[COUNT], row[TOTAL]
                row[COUNT] += 1.0
                row[TOTAL] += x
                spread = np.sqrt(weight / (2.0 - weight) * (1.0 - row[FADED]) * memory_of(row))
                limit = width * spread + slack_of(row)
                if abs(row[AVERAGE]) > limit:
                    alarms = with_room(alarms, found)
                    tell(alarms[found], row, (events[i], group, subject), limit)
                    found += 1
                    begin(row)
    return alarms[:found]
