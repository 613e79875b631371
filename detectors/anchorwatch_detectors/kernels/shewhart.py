"""The loop of the Shewhart chart; `sequential.shewhart` says what it does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from anchorwatch_detectors.kernels.baseline import (
    COUNT,
    MEAN,
    MEMORY,
    REST,
    ROWS,
    SMALLEST,
    TOTAL,
    USED,
    begin,
    learn,
    scale_of,
)
from anchorwatch_detectors.kernels.block import gather, longest, with_room
from anchorwatch_detectors.kernels.compiling import kernel

if TYPE_CHECKING:
    from anchorwatch_detectors.base import Floats
    from anchorwatch_detectors.kernels.block import Block

SUM, FILLED = REST, REST + 1
"""Columns of a row: sum and number of the values of the subgroup that is being filled."""


@kernel
def tell(alarm: Floats, row: Floats, where: tuple[int, int, int], distance: tuple[float, float]) -> None:
    """Write an alarm of the subgroup that is full."""
    rows, n = row[USED + ROWS], row[COUNT] - row[FILLED]
    alarm[0], alarm[1], alarm[2] = where
    alarm[3], alarm[4] = distance
    alarm[5] = row[FILLED]
    alarm[6] = (rows * row[USED + MEAN] + row[TOTAL] - row[SUM]) / (rows + n)
    alarm[7] = row[SUM] / row[FILLED]


@kernel
def take(rows: Floats, block: Block, size: int, width: float) -> Floats:
    """Feed all lanes; return the alarms.

    Parameters
    ----------
    rows
        (groups, subjects, `REST` + 2).
    size, width
        Of a subgroup; of the limits, in standard deviations of its mean.
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
                row[COUNT] += 1.0
                row[TOTAL] += x
                row[SUM] += x
                row[FILLED] += 1.0
                if row[FILLED] < size:
                    continue
                scale, memory = scale_of(row), row[USED + MEMORY]
                distance = abs(row[SUM] / size - row[USED + MEAN]) / scale
                spread = np.sqrt(max(1.0, min(memory, size)) / size + memory / row[USED + ROWS])
                limit = width * spread + row[USED + SMALLEST] / scale
                if distance > limit:
                    alarms = with_room(alarms, found)
                    tell(alarms[found], row, (events[i], group, subject), (distance, limit))
                    found += 1
                    begin(row)
                row[SUM] = row[FILLED] = 0.0
    return alarms[:found]
