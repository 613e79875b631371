"""Where in the recent past a lane left the baseline: the most likely change point, and the mean since then.

A detector's own window often reaches far back before the change, so its mean says too little and its start too early.
The baseline's mean is known here, which makes the most likely suffix easy to find.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

RECENT = 1024  # rows of each lane that are kept to look back on
EVIDENCE = 8.0  # nats by which the change must beat no change: the best of 1024 suffixes of noise has about log(1024)


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
    """

    rows: int
    values: int
    mean: float


def latest_change(recent: NDArray[np.float32], usual: float, variance: float) -> Change | None:
    """Return the most likely change of a lane that had the baseline's mean before; None where noise explains it.

    For normal values of known variance the log-likelihood ratio of "mean m over the last k values" against the
    baseline's mean u is k (m - u)^2 / (2 variance), with the best m the mean of those k (Hinkley, "Inference about the
    change-point in a sequence of random variables", Biometrika 57, 1970).

    Parameters
    ----------
    recent
        (n,) values, newest last; NaN for rows without a value.
    usual, variance
        Mean and variance of the value in the baseline.
    """
    newest_first = recent[::-1].astype(np.float64)
    known = ~np.isnan(newest_first)
    count = np.cumsum(known)
    total = np.cumsum(np.where(known, newest_first - usual, 0.0))
    evidence = np.divide(total**2, count * 2.0 * max(variance, 1e-12), out=np.zeros(len(total)), where=count > 0)
    if not len(evidence) or evidence.max() < EVIDENCE:
        return None
    best = int(np.argmax(evidence))
    return Change(best + 1, int(count[best]), usual + float(total[best] / count[best]))
