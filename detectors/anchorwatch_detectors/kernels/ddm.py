"""The loops of DDM; `sequential.ddm` says what it does."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from anchorwatch_detectors.kernels.block import gather, longest, put_split, with_room
from anchorwatch_detectors.kernels.compiling import kernel

if TYPE_CHECKING:
    from anchorwatch_detectors.base import Floats
    from anchorwatch_detectors.kernels.block import Block

N, RATE, LEAST_N, LEAST_RATE, LEAST_SPREAD, LEAST = range(6)
"""Columns of a lane: values and their mean; where mean plus spread was least: values, mean, spread, their sum."""

Settings = tuple[int, float]
"""warm_start, drift_threshold."""


@kernel
def walk(row: Floats, series: Floats, start: int, stop: int, settings: Settings) -> int:
    """Let the values [start, stop) enter a lane up to the first that raises an alarm; return its place, or `stop`."""
    warm, highest = settings
    n, rate, least_n = row[N], row[RATE], row[LEAST_N]
    least_rate, least_spread, least = row[LEAST_RATE], row[LEAST_SPREAD], row[LEAST]
    i = start
    while i < stop:
        n += 1.0
        rate += (1.0 / n) * (series[i] - rate)
        if n > warm:
            spread = math.sqrt(rate * (1.0 - rate) / n)
            if rate + spread <= least:
                least_n, least_rate, least_spread, least = n, rate, spread, rate + spread
            if rate + spread > least_rate + highest * least_spread:
                break
        i += 1
    row[N], row[RATE], row[LEAST_N] = n, rate, least_n
    row[LEAST_RATE], row[LEAST_SPREAD], row[LEAST] = least_rate, least_spread, least
    return i


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
                n, rate, where = row[N], row[RATE], (events[at], group, subject)
                reached = rate + math.sqrt(rate * (1.0 - rate) / n)
                threshold = row[LEAST_RATE] + settings[1] * row[LEAST_SPREAD]
                alarms = with_room(alarms, k)
                put_split(alarms[k], where, (reached, threshold), (n, rate), (row[LEAST_N], row[LEAST_RATE]))
                k += 1
                row[:] = fresh
                at = walk(row, series, at + 1, stop, settings)
    return alarms[:k]
