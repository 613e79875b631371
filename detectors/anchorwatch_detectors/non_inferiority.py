"""Whether a metric is worse than a baseline's by more than a margin: anytime-valid, over successive windows.

Each window tells how much worse it is than the baseline, less the margin, with its own variance; all share the error of
the baseline. Under "no worse than the margin" the best weighted mean of any run of windows is a Brownian motion with a
drift of at most 0 in the time of its information, so that its likelihood ratio against a half-normal mixture of larger
drifts is an e-process (Robbins, "Statistical methods related to the law of the iterated logarithm", Ann. Math. Stat.
41, 1970; Howard, Ramdas, McAuliffe, Sekhon, "Time-uniform, nonparametric, nonasymptotic confidence sequences", Ann.
Stat. 49, 2021, Proposition 6). One begins with each window, and their sum is an e-detector of Shiryaev-Roberts form: it
reaches A once in A windows at most (Shin, Ramdas, Rinaldo, "E-detectors", New England J. Stat. Data Sci. 2, 2023).
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


class Standing(NamedTuple):
    """What the windows say together.

    Attributes
    ----------
    evidence
        Natural logarithm of the sum of e-values; an alarm from the logarithm of the windows between false alarms on.
    since
        Place of the window with which the difference most likely began.
    """

    evidence: float
    since: int


def standing(worse: Floats, variance: Floats, shared: float | Floats, scale: float) -> Standing:
    """Return how strongly windows speak against "no worse than the margin".

    Parameters
    ----------
    worse
        (k,) how much worse each window is than the baseline, less the margin; in order, k at least 1.
    variance
        (k,) variance of each, above 0, the baseline's share left out.
    shared
        Variance of the baseline's own value, at least 0; or (k,) that of what each window is held against, where they
        differ. Such errors are taken to go together: those of windows of the same time of the day do.
    scale
        Excess over the margin that is looked for, above 0, in the metric's unit: the mixture's standard deviation.
    """
    from scipy.special import log_ndtr

    weight = np.cumsum((1.0 / variance)[::-1])[::-1]
    total = np.cumsum((worse / variance)[::-1])[::-1]
    if isinstance(shared, np.ndarray):
        shared = (np.cumsum((np.sqrt(shared) / variance)[::-1])[::-1] / weight) ** 2
    known, drift = weight / (1.0 + weight * shared), total / (1.0 + weight * shared)
    spread = 1.0 + scale**2 * known
    logs = math.log(2.0) - 0.5 * np.log(spread) + (scale * drift) ** 2 / (2.0 * spread)
    logs = logs + log_ndtr(scale * drift / np.sqrt(spread))
    most = float(logs.max())
    return Standing(most + math.log(float(np.exp(logs - most).sum())), int(np.argmax(logs)))
