"""The loops of SEED; `sequential.seed` says what it does."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from anchorwatch_detectors.kernels.block import gather, longest, put_split, with_room
from anchorwatch_detectors.kernels.compiling import kernel

if TYPE_CHECKING:
    from anchorwatch_detectors.base import Floats
    from anchorwatch_detectors.kernels.block import Block

HELD, WAITED, N, TOTAL, SQUARES, BLOCKS = range(6)
"""Columns of a row: full blocks; blocks since the last compression; of the block that fills: values, their sum and
their sum of squared deviations; then the same three of each full block, oldest first."""


class Settings(NamedTuple):
    """Parameters by which the loop decides; `step` is by how much the distance of alike neighbours grows."""

    delta: float
    block_size: int
    step: float
    compress_term: int


@kernel
def merged(older: tuple[float, float, float], newer: tuple[float, float, float]) -> tuple[float, float, float]:
    """Return number, sum and sum of squared deviations of the values of two blocks."""
    n0, total0, squares0 = older
    n1, total1, squares1 = newer
    distance = total1 / n1 - total0 / n0
    return n0 + n1, total0 + total1, squares0 + squares1 + distance * distance * n0 * n1 / (n0 + n1)


@kernel
def block_of(row: Floats, index: int) -> tuple[float, float, float]:
    """Return number, sum and sum of squared deviations of a full block."""
    place = BLOCKS + 3 * index
    return row[place], row[place + 1], row[place + 2]


@kernel
def put_block(row: Floats, index: int, values: tuple[float, float, float]) -> None:
    """Write a full block."""
    place = BLOCKS + 3 * index
    row[place], row[place + 1], row[place + 2] = values


@kernel
def compress(row: Floats, step: float) -> None:
    """Merge neighbours that are alike, from the newest back."""
    held = int(row[HELD])
    kept, current, alike = held, block_of(row, held - 1), 0.0
    for index in range(held - 2, -1, -1):
        alike += step
        older = block_of(row, index)
        if abs(older[1] / older[0] - current[1] / current[0]) < alike:
            current = merged(older, current)
        else:
            kept -= 1
            put_block(row, kept, current)
            current = older
    kept -= 1
    put_block(row, kept, current)
    for index in range(held):
        put_block(row, index, block_of(row, kept + index) if kept + index < held else (0.0, 0.0, 0.0))
    row[HELD] = held - kept


@kernel
def find_cut(row: Floats, delta: float) -> tuple[float, float, float, float]:
    """Return the newest cut: number and mean of the values before it, the distance and its bound; 0 values: none."""
    held = int(row[HELD])
    whole = block_of(row, 0)
    for index in range(1, held):
        whole = merged(whole, block_of(row, index))
    n, total, squares = whole
    variance, scale = squares / n, math.log(2.0 * math.log(n) / delta)
    older, older_total = n, total
    for index in range(held - 1, 0, -1):
        count, block_total, _ = block_of(row, index)
        older -= count
        older_total -= block_total
        distance = abs((total - older_total) / (n - older) - older_total / older)
        share = 1.0 / older + 1.0 / (n - older)
        bound = math.sqrt(2.0 * share * variance * scale) + 2.0 / 3.0 * scale * share
        if distance > bound:
            return older, older_total / older, distance, bound
    return 0.0, 0.0, 0.0, 0.0


@kernel
def walk(
    row: Floats, series: Floats, at: int, settings: Settings
) -> tuple[int, tuple[float, float], tuple[float, float]]:
    """Take values from place `at` on, up to the first alarm; return its place, or the number of values without one.

    With the place come statistic and threshold, and number and mean of the values before the cut.
    """
    for i in range(at, len(series)):
        x, n = series[i], row[N] + 1.0
        deviation = x - row[TOTAL] / row[N] if row[N] > 0.0 else 0.0
        row[SQUARES] += deviation * deviation * row[N] / n
        row[N] = n
        row[TOTAL] += x
        if n < settings.block_size:
            continue
        put_block(row, int(row[HELD]), (n, row[TOTAL], row[SQUARES]))
        row[N] = row[TOTAL] = row[SQUARES] = 0.0
        row[HELD] += 1.0
        row[WAITED] += 1.0
        if row[HELD] > 1.0:
            older, mean, distance, bound = find_cut(row, settings.delta)
            if older > 0.0:
                return i, (distance, bound), (older, mean)
        if row[WAITED] >= settings.compress_term:
            row[WAITED] = 0.0
            compress(row, settings.step)
    return len(series), (0.0, 0.0), (0.0, 0.0)


@kernel
def take(rows: Floats, block: Block, settings: Settings) -> Floats:
    """Feed all lanes; return the alarms."""
    room = longest(block)
    series, events = np.empty(room), np.empty(room, dtype=np.int64)
    alarms, k = np.empty((0, 8)), 0
    for span in range(len(block.groups)):
        group = block.groups[span]
        for subject in range(len(block.values)):
            row = rows[group, subject]
            count, at = gather(block, span, subject, series, events), 0
            while at < count:
                at, gap, then = walk(row, series[:count], at, settings)
                if at < count:
                    n, total = 0.0, 0.0
                    for index in range(int(row[HELD])):
                        n += block_of(row, index)[0]
                        total += block_of(row, index)[1]
                    alarms = with_room(alarms, k)
                    put_split(alarms[k], (events[at], group, subject), gap, (n, total / n), then)
                    k, at = k + 1, at + 1
                    row[:] = 0.0
    return alarms[:k]
