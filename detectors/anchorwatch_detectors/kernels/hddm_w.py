"""The loop of HDDM_W; `sequential.hddm_w` says what it does."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from anchorwatch_detectors.kernels.block import gather, longest, put_split, with_room
from anchorwatch_detectors.kernels.compiling import kernel

if TYPE_CHECKING:
    from anchorwatch_detectors.base import Floats
    from anchorwatch_detectors.kernels.block import Block

    Weights = tuple[float, float, float, float]
    Side = tuple[float, float, float, float, float, float, float, float]


@kernel
def take(rows: Floats, block: Block, fresh: Floats, weights: Weights, bound: float, sides: int) -> Floats:
    """Feed all lanes; return the alarms.

    Parameters
    ----------
    rows
        (groups, subjects, 20), the columns of `HddmW.fresh`.
    fresh
        (20,) a lane that begins.
    weights
        Of the newest value and of all before it, and their squares.
    bound
        Logarithm of 1 / confidence.
    sides
        1 if rises alone ring, 2 if falls do too.
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
                at, gap, now, then = _until_alarm(row, series[:count], at, weights, bound, sides)
                if at < count:
                    alarms = with_room(alarms, k)
                    put_split(alarms[k], (events[at], group, subject), gap, now, then)
                    k, at = k + 1, at + 1
                    row[:] = fresh
    return alarms[:k]


@kernel
def _until_alarm(
    row: Floats, series: Floats, at: int, weights: Weights, bound: float, sides: int
) -> tuple[int, tuple[float, float], tuple[float, float], tuple[float, float]]:
    """Take values from place `at` on, up to the first alarm; return its place, or the number of values without one.

    With the place come statistic and threshold, and number and mean of all values and of those up to the cut.
    """
    n, mean, weighted, spread = row[0], row[1], row[2], row[3]
    rise = (row[4], row[5], row[6], row[7], row[8], row[9], row[10], row[11])
    fall = (row[12], row[13], row[14], row[15], row[16], row[17], row[18], row[19])
    eps_spread, eps = spread, math.sqrt(spread * bound / 2)
    i = at
    while i < len(series):
        if n >= 1.0 and _settled(spread, weights) and _at_rest(rise, weights) and _at_rest(fall, weights):
            limits = (_near(rise, bound), _near(fall, bound) if sides == 2 else math.inf)
            i, n, mean, weighted, rise, fall = _quiet(series, i, (n, mean, weighted, eps), rise, fall, limits, weights)
            if i == len(series):
                break
        x = series[i]
        n += 1.0
        mean += (1.0 / n) * (x - mean)
        weighted = weights[0] * x + weights[1] * weighted if n > 1.0 else x
        spread = weights[2] + weights[3] * spread
        if spread != eps_spread:  # it comes to a stop
            eps_spread, eps = spread, math.sqrt(spread * bound / 2)
        now = (n, mean, weighted, spread)
        rise = _followed(rise, weighted + eps, x, now, weights)
        fall = _followed(fall, eps - weighted, x, now, weights)
        if _may_ring(rise, rise[5] - rise[1], bound):
            gap = (rise[5] - rise[1], _threshold(rise, bound))
            if gap[0] > gap[1]:
                return i, gap, (n, mean), (rise[3], rise[4])
        if sides == 2 and _may_ring(fall, fall[1] - fall[5], bound):
            gap = (fall[1] - fall[5], _threshold(fall, bound))
            if gap[0] > gap[1]:
                return i, gap, (n, mean), (fall[3], fall[4])
        i += 1
    row[0], row[1], row[2], row[3] = n, mean, weighted, spread
    for j in range(8):
        row[4 + j], row[12 + j] = rise[j], fall[j]
    return len(series), (0.0, 0.0), (n, mean), (n, mean)


@kernel
def _followed(side: Side, edge: float, x: float, now: Weights, weights: Weights) -> Side:
    """Return a side whose cut is moved to the newest value where the edge is below its own, else with a value more."""
    if edge < side[0]:
        return edge, now[2], now[3], now[0], now[1], 0.0, 1.0, 0.0
    late = weights[0] * x + weights[1] * side[5] if side[7] > 0.0 else x
    late_spread = weights[2] + weights[3] * side[6]
    return side[0], side[1], side[2], side[3], side[4], late, late_spread, side[7] + 1.0


@kernel
def _settled(spread: float, weights: Weights) -> bool:
    """Say whether a sum of squared weights has come to its stop."""
    return weights[2] + weights[3] * spread == spread


@kernel
def _at_rest(side: Side, weights: Weights) -> bool:
    """Say whether a side has values after its cut, and so many that their squared weights have come to a stop."""
    return side[7] > 0.0 and _settled(side[6], weights)


@kernel
def _quiet(
    series: Floats,
    at: int,
    now: Weights,
    rise: Side,
    fall: Side,
    limits: tuple[float, float],
    weights: Weights,
) -> tuple[int, float, float, float, Side, Side]:
    """Take values from place `at` on while no cut moves and nothing may ring; return the place of the one that does.

    The same arithmetic as in `_until_alarm`, less what no longer changes once all squared weights have come to a stop.

    Parameters
    ----------
    now
        Number of values, their mean, their weighted mean and its bound.
    limits
        Squared distance of weighted means from which a rise and a fall may ring.
    """
    n, mean, weighted, eps = now
    new, old = weights[0], weights[1]
    up, down, late_up, late_down = rise[1], fall[1], rise[5], fall[5]
    edge_up, edge_down = rise[0], fall[0]
    begin, i = at, at
    while i < len(series):
        x = series[i]
        after = new * x + old * weighted
        later_up, later_down = new * x + old * late_up, new * x + old * late_down
        rises, falls = later_up - up, down - later_down
        if after + eps < edge_up or eps - after < edge_down:
            break
        if rises * abs(rises) >= limits[0] or falls * abs(falls) >= limits[1]:
            break
        n += 1.0
        mean += (1.0 / n) * (x - mean)
        weighted, late_up, late_down = after, later_up, later_down
        i += 1
    taken = float(i - begin)
    rise = rise[0], rise[1], rise[2], rise[3], rise[4], late_up, rise[6], rise[7] + taken
    fall = fall[0], fall[1], fall[2], fall[3], fall[4], late_down, fall[6], fall[7] + taken
    return i, n, mean, weighted, rise, fall


@kernel
def _near(side: Side, bound: float) -> float:
    """Return nearly the square of the bound on the distance of the weighted means up to the cut and after it."""
    return 0.99 * ((side[2] + side[6]) * bound / 2)


@kernel
def _may_ring(side: Side, distance: float, bound: float) -> bool:
    """Say whether the weighted means lie apart by nearly the bound, or more: without a square root."""
    return side[7] > 0.0 and distance * abs(distance) >= _near(side, bound)


@kernel
def _threshold(side: Side, bound: float) -> float:
    """Return the bound on the distance of the weighted means up to the cut and after it."""
    return math.sqrt((side[2] + side[6]) * bound / 2)
