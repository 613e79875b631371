"""Where in the recent past a lane left the baseline: the most likely change point, and the mean since then.

A detector's own window often reaches far back before the change, so its mean says too little and its start too early.
The baseline's mean is known here, which makes the most likely suffix easy to find.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import rel_entr

from anchorwatch.engine.past import BLOCK

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from anchorwatch.engine.past import Tail

RARE = 1e-3  # a share that the baseline never saw is held for so rare
VARIANCE = 1e-4  # of a lane whose baseline never varied
CONFIRMATION = 4.0  # nats by which one window must beat no change to confirm a suspicion: 2.8 standard errors
EVIDENCE = 10.0  # nats by which the change must beat no change: the best of 1144 suffixes of noise has about log(1144)
WITHIN = 3.0  # nats below the best within which the change point lies, 19 times in 20


class Usually(NamedTuple):
    """What a lane is like in the baseline.

    Attributes
    ----------
    mean, variance
        Mean of the value, and its variance times what successive values have in common.
    square, square_variance
        The same of the squared distance from the mean: how wide the values spread.
    """

    mean: float
    variance: float
    square: float = np.nan
    square_variance: float = np.nan

    def of(self, *, spread: bool) -> tuple[float, float]:
        """Return mean and variance of the value, or of its squared distance."""
        return (self.square, self.square_variance) if spread else (self.mean, self.variance)


class Change(NamedTuple):
    """The most likely change.

    Attributes
    ----------
    rows
        How many of the last rows belong to the time after it.
    values
        How many of those had a value.
    mean
        Their mean.
    evidence
        Nats by which the change beats no change.
    nearest, farthest
        The interval of `rows`: all numbers whose evidence is within 3 nats of the best (95 %).
    spread
        Whether it is how wide the values spread that changed: then the mean is that of their squared distance from the
        baseline's mean.
    """

    rows: int
    values: int
    mean: float
    evidence: float
    nearest: int
    farthest: int
    spread: bool = False

    @property
    def beyond_noise(self) -> bool:
        """Whether noise does not explain it."""
        return self.evidence >= EVIDENCE


def latest_change(tail: Tail, usual: float, variance: float) -> Change:
    """Return the most likely change of a lane that had the baseline's mean before.

    The log-likelihood ratio of "mean m over the last k values" against the baseline's mean u is k KL(m, u), with the
    divergence of two Bernoulli laws for errors (Hinkley and Hinkley, "Inference about the change-point in a sequence of
    binomial variables", Biometrika 57, 1970). Ranks vary less than errors of the same mean, and values that hang
    together more: the ratio is scaled by what their variances have to do with each other. The interval is that of the
    likelihood ratio (Siegmund, "Confidence sets in change-point problems", International Statistical Review 56, 1988).

    Parameters
    ----------
    tail
        The lane's past, values in [0, 1]. At least one row.
    usual, variance
        Mean of the value in the baseline, and its variance times what successive values have in common.
    """
    rows, count, total = _suffixes(tail)
    mean = np.divide(total, count, out=np.full(len(total), usual), where=count > 0).clip(0.0, 1.0)
    u = min(max(usual, RARE), 1.0 - RARE)
    divergence = rel_entr(mean, u) + rel_entr(1.0 - mean, 1.0 - u)
    evidence = count * divergence * (u * (1.0 - u) / variance if variance > 0 else 1.0)
    best = int(np.argmax(evidence))
    near = rows[evidence >= evidence[best] - WITHIN] if evidence[best] > 0.0 else rows[best:]
    return Change(
        int(rows[best]), int(count[best]), float(mean[best]), float(evidence[best]), int(near.min()), int(near.max())
    )


def change_of(tail: Tail, values: int, mean: float, usual: Usually) -> Change:
    """Return the change that a detector told of.

    The most likely change of the mean is taken where there is one, for it is nearer to the truth than the detector's
    own estimate; that remains for changes of spread, and for those that lie before all that is remembered.

    Parameters
    ----------
    tail
        The lane's past.
    values, mean
        Number of values since the change, by the detector's own estimate, and their mean.
    usual
        The lane in the baseline.
    """
    latest = latest_change(tail, usual.mean, usual.variance)
    if latest.beyond_noise:
        return latest
    values = min(values, tail.reach)
    known = np.flatnonzero(~np.isnan(tail.recent))
    known = known[known >= len(tail.recent) - tail.reach]
    near = min(values, len(known))
    every = min(len(tail.recent), tail.reach) / max(len(known), 1)
    rows = min(len(tail.recent) - int(known[-near]) + round((values - near) * every), tail.reach)
    square = float(np.mean((tail.recent[known[-near:]].astype(np.float64) - usual.mean) ** 2))
    shifted = _evidence(values, mean - usual.mean, usual.variance)
    spread = _evidence(near, square - usual.square, usual.square_variance)
    if spread > max(shifted, CONFIRMATION):
        return Change(rows, values, square, spread, 1, max(rows, latest.farthest), spread=True)
    return Change(rows, values, mean, shifted, min(rows, latest.nearest), max(rows, latest.farthest))


def _suffixes(tail: Tail) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Return all ends of a lane's past that may be looked at: their rows, number of values, and sum."""
    rows, count, total = _all_suffixes(tail)
    near = int(np.searchsorted(rows, tail.reach, side="right"))
    return rows[:near], count[:near], total[:near]


def _all_suffixes(tail: Tail) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Return all ends of a lane's past: their rows, number of values, and sum; in blocks where rows are forgotten."""
    newest_first = tail.recent[::-1].astype(np.float64)
    known = ~np.isnan(newest_first)
    rows = np.arange(1, len(newest_first) + 1)
    count = np.cumsum(known).astype(np.float64)
    total = np.cumsum(np.where(known, newest_first, 0.0))
    inside = (len(rows) - tail.inside) // BLOCK  # blocks that the rows reach back over
    if len(tail.number) <= inside:
        return rows, count, total
    start = tail.inside + inside * BLOCK
    before = (count[start - 1], total[start - 1]) if start else (0.0, 0.0)
    number, sums = tail.number[::-1][inside:].astype(np.float64), tail.total[::-1][inside:].astype(np.float64)
    return (
        np.concatenate([rows, start + BLOCK * np.arange(1, len(number) + 1)]),
        np.concatenate([count, before[0] + np.cumsum(number)]),
        np.concatenate([total, before[1] + np.cumsum(sums)]),
    )


def _evidence(n: int, effect: float, variance: float) -> float:
    return n * effect**2 / (2.0 * max(variance, VARIANCE))
