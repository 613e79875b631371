"""The loop of mixture Shiryaev-Roberts; `mixture.py` says what it does and what the columns of a row are."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

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
    VARIANCE,
    begin,
    learn,
)
from anchorwatch_detectors.kernels.block import gather, longest, with_room
from anchorwatch_detectors.kernels.compiling import kernel

if TYPE_CHECKING:
    from anchorwatch_detectors.base import Floats
    from anchorwatch_detectors.kernels.block import Block

EVIDENCE, PAYOFF, BEST, START, BEHIND = range(5)
"""Blocks of one column a chain: weighted R, sum of payoffs, the largest product of factors up to now (CUSUM), and the
number and sum of the values before it."""
BLOCKS = 5
UNCERTAINTY = 3.0
"""Standard errors of the baseline by which its mean may be corrected by the stream."""
LEAST = 0.005
"""Smallest factor of one value: a bet never loses more than the rest."""


class Bets(NamedTuple):
    """Payoffs that chains bet on, as functions of a value in [0, 1], linear between knots.

    Attributes
    ----------
    weight
        (chains,) share of each chain in the mixture; they add up to 1.
    side, place
        (chains,) where payoffs are on the mean of a lane: 1 for a rise, -1 for a fall; and where in [0, 1] the
        alternative lies between the smallest and the largest change. Both empty where `payoff` serves all lanes.
    payoff
        (tables, knots, chains) payoff with mean 0 under the uniform distribution: table 0 for continuous ranks, 1 for
        tied ones.
    shift, first, second
        (tables, chains) what the mean of a payoff gains from a mean larger by 1 at most, and the factors of
        value - 1/2 and its square in the payoffs of table 1.
    """

    weight: Floats
    side: Floats
    place: Floats
    payoff: Floats
    shift: Floats
    first: Floats
    second: Floats


class Rates(NamedTuple):
    """What is the same for all chains at one value.

    Attributes
    ----------
    seen, total
        Number and sum of the values of the lane before this one.
    share
        1 / (rows of the baseline + their number).
    power
        To which a factor is raised: 1 / memory.
    keep
        Share of its evidence that a chain keeps, a little below 1: without it values that say nothing (a constant)
        would add up to an alarm.
    """

    seen: float
    total: float
    share: float
    power: float
    keep: float


@kernel
def own_payoffs(mean: float, bets: Bets, payoff: Floats) -> None:
    """Write payoffs on a lane's mean, (2, chains): the likelihood ratio of errors, whose odds change by a factor.

    The logarithm of the factor goes from that of 1.25 in equal ratios to what makes nearly all errors, or nearly none.
    """
    logit, least = np.log(mean / (1.0 - mean)), np.log(1.25)
    for k in range(len(bets.place)):
        most = max(np.log(0.95 / 0.05) - logit, 1.0) if bets.side[k] > 0.0 else 3.0
        change = bets.side[k] * least * (most / least) ** bets.place[k]
        rate = 1.0 / (1.0 + np.exp(-logit - change))
        slope = (rate - mean) / (mean * (1.0 - mean))
        payoff[0, k] = -slope * mean
        payoff[1, k] = slope * (1.0 - mean)


@kernel
def prior_mean(row: Floats) -> float:
    """Return the mean of the baseline in use with one value of 0.5 added: no rate of 0 or 1 is ever certain."""
    n = row[USED + ROWS]
    return float((n * row[USED + MEAN] + 0.5) / (n + 1.0))


@kernel
def scale_payoffs(row: Floats, bets: Bets, own: Floats, terms: Floats) -> Floats:
    """Prepare a lane: fill `terms` and return its payoffs, (knots, chains), scaled so that no bet can lose all.

    Parameters
    ----------
    own
        (2, chains) room for payoffs that are the lane's own.
    terms
        (4, chains): what a payoff is multiplied by, its mean within the baseline, by how much this may move, and what
        the smallest shift takes.
    """
    usual, mean = row[USED:COUNT], prior_mean(row)
    error = np.sqrt(usual[MEMORY] / usual[ROWS])
    variance = max((usual[ROWS] * usual[VARIANCE] + 1.0 / 12.0) / (usual[ROWS] + 1.0), 1e-9)
    tied = len(bets.payoff) == 2 and (abs(12.0 * variance - 1.0) > 0.01 or abs(mean - 0.5) > 0.01)
    table, away = 1 if tied else 0, mean - 0.5
    payoff: Floats = own
    if len(bets.payoff):
        payoff = bets.payoff[table]
    else:
        own_payoffs(mean, bets, own)
    knots = len(payoff)
    for k in range(len(bets.weight)):
        low, spread, centre = payoff[:, k].min(), 0.0, 0.0
        if len(bets.place):
            slope = payoff[1, k] - payoff[0, k]
            spread, given = abs(slope) * np.sqrt(variance), abs(slope) * usual[SMALLEST]
        else:
            for j in range(knots):
                spread += payoff[j, k] ** 2
            spread, given = np.sqrt(spread / knots), bets.shift[table, k] * usual[SMALLEST]
            if tied:
                spread *= np.sqrt(12.0 * variance)
                centre = bets.first[k] * away + bets.second[k] * (variance + away**2 - 1.0 / 12.0)
        room = UNCERTAINTY * error * spread
        scale = min(1.0, (1.0 - LEAST) / (given + room + centre - low))
        terms[0, k], terms[1, k], terms[2, k], terms[3, k] = scale, scale * centre, scale * room, scale * given
    return payoff


@kernel
def tell(alarm: Floats, row: Floats, chains: Floats, where: tuple[int, int, int], threshold: float) -> None:
    """Write an alarm: the change is placed where the product of factors since it is largest, over all chains."""
    k = chains[BEST].argmax()
    rows, n, total = row[USED + ROWS], row[COUNT], row[TOTAL]
    start, behind = chains[START, k], chains[BEHIND, k]
    alarm[0], alarm[1], alarm[2] = where
    alarm[3], alarm[4] = chains[EVIDENCE].sum(), threshold
    alarm[5] = n - start
    alarm[6] = (rows * prior_mean(row) + behind) / (rows + start)
    alarm[7] = (total - behind) / (n - start)


@kernel
def advance(chains: Floats, payoff: Floats, terms: Floats, weight: Floats, x: float, rates: Rates) -> float:
    """Let all chains take a value; return their evidence together."""
    place = x * (len(payoff) - 1)
    knot = min(int(place), len(payoff) - 2)
    part = place - knot
    left, right = payoff[knot], payoff[knot + 1]
    evidence, sums, best, start, behind = chains[0], chains[1], chains[2], chains[3], chains[4]
    scale, centre, room, given = terms[0], terms[1], terms[2], terms[3]
    total = 0.0
    for k in range(len(weight)):
        gain = scale[k] * (left[k] + part * (right[k] - left[k])) - centre[k]
        learnt = sums[k] * rates.share
        learnt = min(learnt, room[k])
        learnt = max(learnt, -room[k])
        sums[k] += gain
        factor = 1.0 + gain - learnt - given[k]
        if rates.power != 1.0:
            factor **= rates.power
        factor *= rates.keep
        begins = best[k] <= 1.0
        start[k] = rates.seen if begins else start[k]
        behind[k] = rates.total if begins else behind[k]
        best[k] = factor if begins else best[k] * factor
        evidence[k] = (evidence[k] + weight[k]) * factor
        total += evidence[k]
    return total


@kernel
def take(rows: Floats, block: Block, bets: Bets, threshold: float) -> Floats:
    """Feed all lanes; return the alarms.

    Parameters
    ----------
    rows
        (groups, subjects, `REST` + `BLOCKS` chains).
    threshold
        Evidence that raises an alarm: the average run length.
    """
    room, k = longest(block), len(bets.weight)
    series, events = np.empty(room), np.empty(room, dtype=np.int64)
    own, terms = np.empty((2, k)), np.empty((4, k))
    alarms, found, keep = np.empty((0, 8)), 0, 1.0 - 2.0 / threshold
    for span in range(len(block.groups)):
        group = block.groups[span]
        for subject in range(len(block.values)):
            row = rows[group, subject]
            chains = row[REST:].reshape((BLOCKS, k))
            ready = False
            for i in range(gather(block, span, subject, series, events)):
                if row[USED + ROWS] == 0.0:
                    learn(row, series[i])
                    continue
                if not ready:
                    payoff = scale_payoffs(row, bets, own, terms)
                    ready = True
                count, total = row[COUNT], row[TOTAL]
                rates = Rates(count, total, 1.0 / (row[USED + ROWS] + count), 1.0 / row[USED + MEMORY], keep)
                row[COUNT], row[TOTAL] = count + 1.0, total + series[i]
                if advance(chains, payoff, terms, bets.weight, series[i], rates) < threshold:
                    continue
                alarms = with_room(alarms, found)
                tell(alarms[found], row, chains, (events[i], group, subject), threshold)
                found += 1
                begin(row)
                ready = False
    return alarms[:found]
