"""Where in the recent past a lane left the baseline: the most likely change point, and the mean since then.

A detector's own window often reaches far back before the change, so its mean says too little and its start too early.
The baseline's mean is known here, which makes the most likely suffix easy to find.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import rel_entr

if TYPE_CHECKING:
    from numpy.typing import NDArray

RARE = 1e-3  # a share that the baseline never saw is held for so rare
VARIANCE = 1e-4  # of a lane whose baseline never varied
RECENT = 1024  # rows of each lane that are kept to look back on
CONFIRMATION = 4.0  # nats by which one window must beat no change to confirm a suspicion: 2.8 standard errors
EVIDENCE = 10.0  # nats by which the change must beat no change: the best of 1024 suffixes of noise has about log(1024)


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
    spread
        Whether it is how wide the values spread that changed: then the mean is that of their squared distance from the
        baseline's mean.
    """

    rows: int
    values: int
    mean: float
    evidence: float
    spread: bool = False

    @property
    def beyond_noise(self) -> bool:
        """Whether noise does not explain it."""
        return self.evidence >= EVIDENCE


def latest_change(recent: NDArray[np.float32], usual: float, variance: float) -> Change:
    """Return the most likely change of a lane that had the baseline's mean before.

    The log-likelihood ratio of "mean m over the last k values" against the baseline's mean u is k KL(m, u), with the
    divergence of two Bernoulli laws for errors (Hinkley and Hinkley, "Inference about the change-point in a sequence of
    binomial variables", Biometrika 57, 1970). Ranks vary less than errors of the same mean, and values that hang
    together more: the ratio is scaled by what their variances have to do with each other.

    Parameters
    ----------
    recent
        (n,) values in [0, 1], newest last; NaN for rows without a value. At least one row.
    usual, variance
        Mean of the value in the baseline, and its variance times what successive values have in common.
    """
    newest_first = recent[::-1].astype(np.float64)
    known = ~np.isnan(newest_first)
    count = np.cumsum(known)
    total = np.cumsum(np.where(known, newest_first, 0.0))
    mean = np.divide(total, count, out=np.full(len(total), usual), where=count > 0)
    u = min(max(usual, RARE), 1.0 - RARE)
    divergence = rel_entr(mean, u) + rel_entr(1.0 - mean, 1.0 - u)
    evidence = count * divergence * (u * (1.0 - u) / variance if variance > 0 else 1.0)
    best = int(np.argmax(evidence))
    return Change(best + 1, int(count[best]), float(mean[best]), float(evidence[best]))


def change_of(recent: NDArray[np.float32], values: int, mean: float, usual: Usually) -> Change:
    """Return the change that a detector told of, which may lie before the recent rows.

    Within them the most likely change is taken where the mean shows one; it is the nearer to the truth.

    Parameters
    ----------
    recent
        As for `latest_change`.
    values, mean
        Number of values since the change, by the detector's own estimate, and their mean.
    usual
        The lane in the baseline.
    """
    latest = latest_change(recent, usual.mean, usual.variance)
    known = np.flatnonzero(~np.isnan(recent))
    if latest.beyond_noise and values < len(known):
        return latest
    near = min(values, len(known))
    rows = len(recent) - int(known[-near]) + round((values - near) * len(recent) / max(len(known), 1))
    square = float(np.mean((recent[known[-near:]].astype(np.float64) - usual.mean) ** 2))
    shifted = _evidence(values, mean - usual.mean, usual.variance)
    spread = _evidence(near, square - usual.square, usual.square_variance)
    if spread > max(shifted, CONFIRMATION):
        return Change(rows, values, square, spread, spread=True)
    return Change(rows, values, mean, shifted)


def _evidence(n: int, effect: float, variance: float) -> float:
    return n * effect**2 / (2.0 * max(variance, VARIANCE))
