"""The loop of CUSUM; `sequential.cusum` says what it does."""

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

RISE, RISE_START, RISE_BEHIND, FALL, FALL_START, FALL_BEHIND = range(REST, REST + 6)
"""Columns of a row: a sum, and number and sum of the lane's values before it last left 0."""


@kernel
def tell(alarm: Floats, row: Floats, where: tuple[int, int, int], column: int, threshold: float) -> None:
    """Write an alarm of the sum in a column."""
    rows, n = row[USED + ROWS], row[COUNT]
    statistic, start, behind = row[column], row[column + 1], row[column + 2]
    alarm[0], alarm[1], alarm[2] = where
    alarm[3], alarm[4], alarm[5] = statistic, threshold, n - start
    alarm[6] = (rows * row[USED + MEAN] + behind) / (rows + start)
    alarm[7] = (row[TOTAL] - behind) / (n - start)


@kernel
def add(row: Floats, column: int, step: float, x: float) -> None:
    """Add a step to the sum in a column, which never falls below 0; note where it leaves 0."""
    if row[column] <= 0.0:
        row[column + 1], row[column + 2] = row[COUNT] - 1.0, row[TOTAL] - x
    row[column] = max(0.0, row[column] + step)


@kernel
def take(rows: Floats, block: Block, reference: float, highest: tuple[float, float]) -> Floats:
    """Feed all lanes; return the alarms.

    Parameters
    ----------
    rows
        (groups, subjects, `REST` + 6).
    reference
        Deviation that is let pass at every value, in standard deviations.
    highest
        Sum that raises an alarm, for a rise and for a fall.
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
                deviation, slack = (x - row[USED + MEAN]) / scale_of(row), reference + slack_of(row)
                add(row, RISE, deviation - slack, x)
                add(row, FALL, -deviation - slack, x)
                rise, fall = highest[0] * memory_of(row), highest[1] * memory_of(row)
                if row[RISE] > rise or row[FALL] > fall:
                    alarms = with_room(alarms, found)
                    where = (events[i], group, subject)
                    if row[RISE] > rise:
                        tell(alarms[found], row, where, RISE, rise)
                    else:
                        tell(alarms[found], row, where, FALL, fall)
                    found += 1
                    begin(row)
    return alarms[:found]
