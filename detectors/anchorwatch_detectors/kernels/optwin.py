"""The loops of OPTWIN; `sequential.optwin` says what it does."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from anchorwatch_detectors.kernels.block import gather, longest, put_split, with_room
from anchorwatch_detectors.kernels.compiling import kernel

if TYPE_CHECKING:
    from anchorwatch_detectors.base import Floats, Ints
    from anchorwatch_detectors.kernels.block import Block

N, HEAD, ORIGIN, OLDER, OLDER_SUM, OLDER_SQUARES, NEWER_SUM, NEWER_SQUARES, WINDOW = range(9)
"""Columns of a row: values in the window, place of its oldest, the lane's first value, values on the older side, sums
and sums of squares of either side; the window. All but the first value are told as distances from it, so that values
far from zero lose no digits."""


SPOILS = 2.0**20
"""A square so many times larger than the sum of those left has cost them digits that count."""


class Settings(NamedTuple):
    """By which the loop decides.

    Attributes
    ----------
    splits, t_bounds, f_bounds
        (most_window + 1,) by number of values in the window: how many of them are on the older side, and the bounds.
    least_window, noise
        As in `sequential.optwin.Optwin`.
    """

    splits: Ints
    t_bounds: Floats
    f_bounds: Floats
    least_window: int
    noise: float


@kernel
def add_anew(row: Floats, column: int, first: int, last: int, most: int) -> None:
    """Sum the values from the `first` oldest of the window up to the `last` into a side's columns."""
    row[column] = row[column + 1] = 0.0
    for i in range(first, last):
        place = int(row[HEAD]) + i
        x = row[WINDOW + (place if place < most else place - most)]
        row[column] += x
        row[column + 1] += x * x


@kernel
def lose(row: Floats, column: int, x: float) -> bool:
    """Take a value out of a side's sums; say whether it was so large that rounding has spoilt what is left."""
    row[column] -= x
    row[column + 1] -= x * x
    return bool(x * x > SPOILS * row[column + 1])


@kernel
def move(row: Floats, split: int, most: int) -> None:
    """Let the older side have `split` values; what it has too many or too few changes sides."""
    older, n = int(row[OLDER]), int(row[N])
    while older != split:
        place = int(row[HEAD]) + (older if older < split else older - 1)
        x = row[WINDOW + (place if place < most else place - most)]
        if older < split:
            older += 1
            row[OLDER_SUM] += x
            row[OLDER_SQUARES] += x * x
            if lose(row, NEWER_SUM, x):
                add_anew(row, NEWER_SUM, older, n, most)
        else:
            older -= 1
            row[NEWER_SUM] += x
            row[NEWER_SQUARES] += x * x
            if lose(row, OLDER_SUM, x):
                add_anew(row, OLDER_SUM, 0, older, most)
    row[OLDER] = older


@kernel
def enter(row: Floats, value: float, settings: Settings) -> int:
    """Let a value enter the window and split it; return how many values it holds."""
    n, most = int(row[N]), len(settings.splits) - 1
    if n == 0:
        row[ORIGIN] = value
    x = value - row[ORIGIN]
    if n < most:
        row[WINDOW + n] = x
        n += 1
        row[N] = n
    else:
        head = int(row[HEAD])
        oldest = row[WINDOW + head]
        row[WINDOW + head] = x
        row[HEAD] = head + 1 if head + 1 < most else 0
        row[OLDER] -= 1.0
        if lose(row, OLDER_SUM, oldest):
            add_anew(row, OLDER_SUM, 0, int(row[OLDER]), most)
    row[NEWER_SUM] += x
    row[NEWER_SQUARES] += x * x
    move(row, settings.splits[n], most)
    if n == most and row[HEAD] == 0.0:
        add_anew(row, OLDER_SUM, 0, int(row[OLDER]), most)
        add_anew(row, NEWER_SUM, int(row[OLDER]), most, most)
    return n


@kernel
def deviation(n: float, total: float, squares: float, noise: float) -> float:
    """Return the standard deviation of a sample, and the noise."""
    return math.sqrt(max(0.0, squares - total * total / n) / (n - 1.0)) + noise


@kernel
def walk(row: Floats, series: Floats, at: int, settings: Settings) -> tuple[int, float, float]:
    """Take values from place `at` on, up to the first alarm; return its place, or the number of values without one.

    With the place come statistic and threshold.
    """
    for i in range(at, len(series)):
        n = enter(row, series[i], settings)
        if n < settings.least_window:
            continue
        older, newer = row[OLDER], n - row[OLDER]
        rise = row[NEWER_SUM] / newer - row[OLDER_SUM] / older
        if rise <= 0.0:
            continue
        before = deviation(older, row[OLDER_SUM], row[OLDER_SQUARES], settings.noise)
        after = deviation(newer, row[NEWER_SUM], row[NEWER_SQUARES], settings.noise)
        statistic = rise / math.sqrt(after * after / newer + before * before / older)
        if statistic > settings.t_bounds[n]:
            return i, statistic, settings.t_bounds[n]
        statistic = (after / before) ** 2
        if statistic > settings.f_bounds[n]:
            return i, statistic, settings.f_bounds[n]
    return len(series), 0.0, 0.0


@kernel
def take(rows: Floats, block: Block, settings: Settings) -> Floats:
    """Feed all lanes; return the alarms. `rows` must have room for the windows that the values will make."""
    room = longest(block)
    series, events = np.empty(room), np.empty(room, dtype=np.int64)
    alarms, k = np.empty((0, 8)), 0
    for span in range(len(block.groups)):
        group = block.groups[span]
        for subject in range(len(block.values)):
            row = rows[group, subject]
            count, at = gather(block, span, subject, series, events), 0
            while at < count:
                at, statistic, threshold = walk(row, series[:count], at, settings)
                if at < count:
                    n, older, origin = row[N], row[OLDER], row[ORIGIN]
                    mean = origin + (row[OLDER_SUM] + row[NEWER_SUM]) / n
                    then = (older, origin + row[OLDER_SUM] / older)
                    alarms = with_room(alarms, k)
                    put_split(alarms[k], (events[at], group, subject), (statistic, threshold), (n, mean), then)
                    alarms[k, 7] = origin + row[NEWER_SUM] / (n - older)
                    k, at = k + 1, at + 1
                    row[:] = 0.0
    return alarms[:k]
