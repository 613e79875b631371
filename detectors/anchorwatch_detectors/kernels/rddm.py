"""The loops of RDDM; `sequential.rddm` says what it does."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from anchorwatch_detectors.kernels.block import gather, longest, put_split, with_room
from anchorwatch_detectors.kernels.compiling import kernel

if TYPE_CHECKING:
    from anchorwatch_detectors.base import Floats
    from anchorwatch_detectors.kernels.block import Block

N, RATE, LEAST_RATE, LEAST_SPREAD, LEAST, STORED, HEAD, WARNED, THEN_N, THEN_RATE, WINDOW = range(11)
"""Columns of a row: values and their mean; where mean plus spread was least: mean, spread, their sum; number of values
in the window, place of its oldest, how many of the newest are of a warning; values before the warning and their mean;
the window."""


class Settings(NamedTuple):
    """Parameters of `sequential.rddm.Rddm` by which the loop decides."""

    warm_start: int
    warning_threshold: float
    drift_threshold: float
    max_concept: int
    warning_limit: int


@kernel
def store(row: Floats, x: float) -> None:
    """Put a value in the window; a full one loses its oldest."""
    size = len(row) - WINDOW
    stored, head = int(row[STORED]), int(row[HEAD])
    place = head + stored
    row[WINDOW + (place if place < size else place - size)] = x
    if stored < size:
        row[STORED] = stored + 1
    else:
        row[HEAD] = head + 1 if head + 1 < size else 0


@kernel
def restart(row: Floats, kept: int, first: int) -> None:
    """Let number and mean be those of the newest `kept` values; from the `first` of them on, follow the least."""
    size = len(row) - WINDOW
    stored, head = int(row[STORED]), int(row[HEAD])
    head = (head + stored - kept) % size
    n, rate = 0.0, 0.0
    for i in range(kept):
        place = head + i
        n += 1.0
        rate += (1.0 / n) * (row[WINDOW + (place if place < size else place - size)] - rate)
        spread = math.sqrt(rate * (1.0 - rate) / n)
        if n >= first and rate + spread < row[LEAST]:
            row[LEAST_RATE], row[LEAST_SPREAD], row[LEAST] = rate, spread, rate + spread
    row[N], row[RATE], row[STORED], row[HEAD] = n, rate, kept, head
    row[WARNED] = row[THEN_N] = row[THEN_RATE] = 0.0


@kernel
def walk(row: Floats, series: Floats, start: int, stop: int, settings: Settings) -> int:
    """Let the values [start, stop) enter a lane up to the first that raises an alarm; return its place, or `stop`."""
    for i in range(start, stop):
        n, rate = row[N] + 1.0, row[RATE]
        rate += (1.0 / n) * (series[i] - rate)
        store(row, series[i])
        if n >= settings.warm_start:
            spread = math.sqrt(rate * (1.0 - rate) / n)
            if rate + spread < row[LEAST]:
                row[LEAST_RATE], row[LEAST_SPREAD], row[LEAST] = rate, spread, rate + spread
            warns = rate + spread > row[LEAST_RATE] + settings.warning_threshold * row[LEAST_SPREAD]
            if rate + spread > row[LEAST_RATE] + settings.drift_threshold * row[LEAST_SPREAD]:
                if row[WARNED] == 0.0:
                    row[THEN_N], row[THEN_RATE] = row[N], row[RATE]
                else:
                    row[WARNED] += 1.0
                row[N], row[RATE] = n, rate
                return i
            if warns:
                if row[WARNED] == 0.0:
                    row[THEN_N], row[THEN_RATE] = row[N], row[RATE]
                row[WARNED] += 1.0
            else:
                row[WARNED] = row[THEN_N] = row[THEN_RATE] = 0.0
        row[N], row[RATE] = n, rate
        if row[WARNED] > settings.warning_limit:
            return i
        if n >= settings.max_concept and row[WARNED] == 0.0:
            restart(row, int(row[STORED]), int(row[STORED]) + 1)
    return stop


@kernel
def begin(row: Floats, kept: int, warm_start: int) -> None:
    """Begin a lane anew after an alarm with its newest `kept` values."""
    row[LEAST_RATE] = row[LEAST_SPREAD] = row[LEAST] = math.inf
    restart(row, kept, warm_start)


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
            stop = gather(block, span, subject, series, events)
            at = walk(row, series, 0, stop, settings)
            while at < stop:
                n, rate, then = row[N], row[RATE], (row[THEN_N], row[THEN_RATE])
                reached = rate + math.sqrt(rate * (1.0 - rate) / n)
                threshold = row[LEAST_RATE] + settings.drift_threshold * row[LEAST_SPREAD]
                drifted = reached > threshold
                if not drifted:
                    threshold = row[LEAST_RATE] + settings.warning_threshold * row[LEAST_SPREAD]
                alarms = with_room(alarms, k)
                put_split(alarms[k], (events[at], group, subject), (reached, threshold), (n, rate), then)
                k += 1
                begin(row, max(1, int(row[WARNED])) if drifted else 1, settings.warm_start)
                at = walk(row, series, at + 1, stop, settings)
    return alarms[:k]
