"""The law of the two-sample Kolmogorov-Smirnov statistic: p-values, and the critical gaps that stand for them.

The statistic of n and m values is `gap / (n m)`, and the gap, the largest abs(i m - j n), is a whole number. So a
decision can be made on whole numbers against a critical gap that is found once, without a p-value: it is the decision
that the p-value would give, not nearly so but always.
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Literal

import numpy as np
from scipy.special import kolmogi, kolmogorov

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

Method = Literal["asymptotic", "exact"]


def asymptotic_tail(distance: ArrayLike, n: ArrayLike, m: ArrayLike) -> Floats:
    """Return P(statistic >= distance) by Kolmogorov's limit law with Stephens' correction for finite samples.

    Parameters
    ----------
    distance
        Statistics in [0, 1]; NaN gives NaN.
    n, m
        Sizes of the samples; of serially correlated values, how many independent ones they are worth.

    References
    ----------
    Stephens, M. A. (1970). Use of the Kolmogorov-Smirnov, Cramer-von Mises and related statistics without extensive
    tables. Journal of the Royal Statistical Society B 32(1), 115-122.
    """
    first, second = np.asarray(n, np.float64), np.asarray(m, np.float64)
    root = np.sqrt(first * (second / np.maximum(first + second, 1)))
    tail: Floats = kolmogorov((root + 0.12 + 0.11 / np.maximum(root, 0.5)) * np.asarray(distance, np.float64))
    return tail


def exact_tail(gap: int, n: int, m: int) -> float:
    """Return P(largest abs(i m - j n) >= gap) over all orders of values without ties.

    Equal to `scipy.stats.ks_2samp(method="exact")`. The time grows with n where n = m, else with n m and the gap's
    share of it: some ten milliseconds for 10,000 and 5,000 values.

    References
    ----------
    Hodges, J. L. (1958). The significance probability of the Smirnov two-sample test. Arkiv foer Matematik 3, 469-486.

    Examples
    --------
    >>> exact_tail(4, 2, 2), exact_tail(5, 2, 3)
    (0.3333333333333333, 0.2)
    """
    from anchorwatch_detectors.kernels.paths import reached, reached_of_equal

    if gap <= 0:
        return 1.0
    if n == m:
        return reached_of_equal(n, -(-gap // n))
    return reached(min(n, m), max(n, m), gap)


@functools.lru_cache(maxsize=4096)
def critical_gap(n: int, m: int, level: float, method: Method = "asymptotic") -> int:
    """Return the least gap that is significant: a gap reaches it if, and only if, its p-value is at most `level`.

    Found once for each n, m, level and method, and kept.

    Parameters
    ----------
    n, m
        Sizes of the samples, at least 1.
    level
        In (0, 1).
    method
        Of the p-value, as in `window.kolmogorov_smirnov`.

    Returns
    -------
    int
        A multiple of the greatest common divisor of n and m, as all gaps are; above n m where even the largest gap is
        not significant.

    Raises
    ------
    ValueError
        If a size or the level is out of its range.

    Examples
    --------
    >>> critical_gap(100, 100, 0.05, "exact") / 100**2
    0.2
    """
    if n < 1 or m < 1 or not 0.0 < level < 1.0:
        raise ValueError(f"sizes are at least 1 and a level lies in (0, 1), not {n}, {m}, {level!r}")
    unit = math.gcd(n, m)
    most = n * m // unit
    near = float(kolmogi(level)) / math.sqrt(n * (m / (n + m)))
    guess = min(max(int(near * most), 1), most)
    low, high = guess - 1, guess  # in units; what is low is not significant, what is high is
    step = 1
    while high <= most and _tail(high * unit, n, m, method) > level:
        low, high, step = high, high + step, 2 * step
    high, step = min(high, most + 1), 1
    while low > 0 and _tail(low * unit, n, m, method) <= level:
        low, high, step = max(low - step, 0), low, 2 * step
    while high - low > 1:
        middle = (low + high) // 2
        if _tail(middle * unit, n, m, method) <= level:
            high = middle
        else:
            low = middle
    return high * unit


def _tail(gap: int, n: int, m: int, method: Method) -> float:
    return exact_tail(gap, n, m) if method == "exact" else float(asymptotic_tail(gap / (n * m), n, m))
