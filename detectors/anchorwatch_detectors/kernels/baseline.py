"""What the rows of all lanes that are held against a baseline begin with, and how a lane without one gets its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from anchorwatch_detectors.kernels.compiling import kernel

if TYPE_CHECKING:
    from anchorwatch_detectors.base import Floats

MEAN, VARIANCE, ROWS, SMALLEST, MEMORY = range(5)
"""Columns of a baseline: those of `base.Usual`."""
GIVEN, USED, COUNT, TOTAL, SQUARES, REST = 0, 5, 10, 11, 12, 13
"""Columns of a row: where the baseline that was given begins, and the one in use; values of the lane since it began,
their sum (while a baseline is learnt: their mean), and their sum of squared deviations (only then); where the
detector's own numbers begin."""
OWN = 100
"""Values that a lane without a baseline takes for one."""


@kernel
def learn(row: Floats, x: float) -> None:
    """Let a value of a lane without a baseline count for its own; after `OWN` of them the lane has one."""
    row[COUNT] += 1.0
    n, deviation = row[COUNT], x - row[TOTAL]
    row[TOTAL] += deviation / n
    row[SQUARES] += deviation * (x - row[TOTAL])
    if n < OWN:
        return
    row[USED + MEAN], row[USED + VARIANCE], row[USED + ROWS] = row[TOTAL], row[SQUARES] / n, n
    row[USED + SMALLEST], row[USED + MEMORY] = 0.0, 1.0
    row[COUNT] = row[TOTAL] = row[SQUARES] = 0.0


@kernel
def begin(row: Floats) -> None:
    """Begin a lane anew; its baseline stays."""
    row[USED:] = 0.0
    row[USED:COUNT] = row[GIVEN:USED]


@kernel
def scale_of(row: Floats) -> float:
    """Return the standard deviation of the baseline in use; of a constant, what is nothing beside its values."""
    return float(max(np.sqrt(row[USED + VARIANCE]), 1e-9 * abs(row[USED + MEAN]), 1e-9))


@kernel
def memory_of(row: Floats) -> float:
    """Return how many successive values tell as much as one independent value."""
    return float(row[USED + MEMORY])


@kernel
def slack_of(row: Floats) -> float:
    """Return how far a mean may be off, in standard deviations: the smallest shift and 2 errors of the baseline."""
    return float(row[USED + SMALLEST] / scale_of(row) + 2.0 * np.sqrt(row[USED + MEMORY] / row[USED + ROWS]))
