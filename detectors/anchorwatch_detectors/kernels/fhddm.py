"""The loop of FHDDM; `sequential.fhddm` says what it does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from anchorwatch_detectors.kernels.block import gather, longest, put_split, with_room
from anchorwatch_detectors.kernels.compiling import kernel

if TYPE_CHECKING:
    from anchorwatch_detectors.base import Floats
    from anchorwatch_detectors.kernels.block import Block

WINDOW = 11
"""Where a row's window begins, after its numbers."""


@kernel
def take(rows: Floats, block: Block, short: int, bounds: tuple[float, float]) -> Floats:
    """Feed all lanes; return the alarms.

    Parameters
    ----------
    rows
        (groups, subjects, WINDOW + window size), the columns of `Fhddm.fresh`.
    short
        Values in the short window; 0 for none.
    bounds
        On the fall of the share of correct predictions in the window and in the short one.
    """
    room = longest(block)
    series, events = np.empty(room), np.empty(room, dtype=np.int64)
    alarms, k = np.empty((0, 8)), 0
    for span in range(len(block.groups)):
        group = block.groups[span]
        for subject in range(len(block.values)):
            row = rows[group, subject]
            count, at = gather(block, span, subject, series, events), 0
            while at < count:
                at, gap, now, then = _until_alarm(row, series[:count], at, short, bounds)
                if at < count:
                    alarms = with_room(alarms, k)
                    put_split(alarms[k], (events[at], group, subject), gap, now, then)
                    k, at = k + 1, at + 1
                    row[:] = 0.0
    return alarms[:k]


@kernel
def _until_alarm(
    row: Floats, series: Floats, at: int, short: int, bounds: tuple[float, float]
) -> tuple[int, tuple[float, float], tuple[float, float], tuple[float, float]]:
    """Take values from place `at` on, up to the first alarm; return its place, or the number of values without one.

    With the place come statistic and threshold, and number and mean of all values and of those up to the best share.
    """
    window = row[WINDOW:]
    size = len(window)
    n, mean, correct = row[0], row[1], row[2]
    filled, head = int(row[3]), int(row[4])
    best, best_n, best_mean = row[5], row[6], row[7]
    for i in range(at, len(series)):
        n += 1.0
        mean += (1.0 / n) * (series[i] - mean)
        x = 1.0 - series[i]
        end = head + filled
        window[end if end < size else end - size] = x
        correct += x
        filled += 1
        if filled < size:
            continue
        share = correct / size
        if share >= best:
            best, best_n, best_mean = share, n, mean
        fell_shortly = short > 0 and _falls_shortly(row, window, head, short, bounds[1], (n, mean))
        if best - share > bounds[0]:
            return i, (best - share, bounds[0]), (n, mean), (best_n, best_mean)
        if fell_shortly:
            return i, (row[8] - _short_share(window, head, short), bounds[1]), (n, mean), (row[9], row[10])
        correct -= window[head]
        head = head + 1 if head + 1 < size else 0
        filled -= 1
    row[0], row[1], row[2], row[3], row[4] = n, mean, correct, filled, head
    row[5], row[6], row[7] = best, best_n, best_mean
    return len(series), (0.0, 0.0), (n, mean), (n, mean)


@kernel
def _falls_shortly(row: Floats, window: Floats, head: int, short: int, bound: float, now: tuple[float, float]) -> bool:
    """Follow the best share of the short window; say whether the newest lies below it by more than the bound."""
    share = _short_share(window, head, short)
    if share >= row[8]:
        row[8] = share
        row[9], row[10] = now
    return bool(row[8] - share > bound)


@kernel
def _short_share(window: Floats, head: int, short: int) -> float:
    """Return the mean of the newest values of a full window, summed from the oldest on."""
    size, total = len(window), 0.0
    start = head + size - short
    if start >= size:
        start -= size
    ahead = min(short, size - start)
    for place in range(start, start + ahead):
        total += window[place]
    for place in range(short - ahead):
        total += window[place]
    return total / short
