"""The laws of sums of squared normal values: those of distances that add up squared differences of distributions.

Under no change the difference of two distribution functions, times the root of n m / N, is about a Brownian bridge
over the pooled ranks. A weighted sum of its squares has cumulants that fall apart into few single sums, because the
covariance of the bridge at ranks s <= t is s (1 - t): they are had for any weights and ties. Where the law of the sum
is tabulated for values without ties, its own mean and standard deviation make it fit; else a chi-square law with its
mean, variance and skewness stands for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from scipy.special import gammaincc

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Counts = Ints | Floats


class Cumulants(NamedTuple):
    """(columns,) mean, variance and third cumulant of a sum of squares."""

    mean: Floats
    variance: Floats
    third: Floats


def bridge(rank: Floats, weight: Floats) -> Cumulants:
    """Return the cumulants of the sum of weight B(rank)^2, B being a Brownian bridge.

    Parameters
    ----------
    rank
        (columns, places) in [0, 1], non-decreasing.
    weight
        (columns, places), not negative.

    Examples
    --------
    >>> found = bridge(np.array([[0.5]]), np.array([[4.0]]))  # the square of a standard normal value
    >>> [cumulant.item() for cumulant in found]
    [1.0, 2.0, 8.0]
    """
    up, own, down = weight * rank**2, weight * rank * (1 - rank), weight * (1 - rank) ** 2
    second = (own**2).sum(axis=1) + 2 * (_before(up) * down).sum(axis=1)
    third = 6 * _before(own * _before(up)) + 3 * _before(up * own) + 3 * _before(up) * own
    third = (own**3).sum(axis=1) + (third * down).sum(axis=1)
    return Cumulants(own.sum(axis=1), 2 * second, 8 * third)


def tail(statistic: Floats, law: Cumulants) -> Floats:
    """Return the upper tail of the chi-square law with these cumulants, after Hall and Buckley-Eagleson.

    Returns
    -------
    ndarray
        (columns,) p-values; 1 where the statistic cannot vary, NaN where it is NaN.

    References
    ----------
    Buckley, M. J., Eagleson, G. K. (1988). An approximation to the distribution of quadratic forms in normal random
    variables. Australian Journal of Statistics 30A, 150-159.
    """
    moves = law.third > 0
    third = np.where(moves, law.third, 1.0)
    variance = np.where(moves, law.variance, 1.0)
    freedom = 8 * variance**3 / third**2
    value = (statistic - law.mean) * np.sqrt(2 * freedom / variance) + freedom
    chance: Floats = gammaincc(freedom / 2, np.maximum(value, 0.0) / 2)
    return np.where(np.isnan(statistic), np.nan, np.where(moves, chance, 1.0))


class SumOfSquares:
    """The law of a sum of z_j^2 / a_j, z_j standard normal and independent, a_1 < a_2 < ..., by Smirnov's formula.

    Parameters
    ----------
    at
        (intervals, nodes) y, from a_(2k-1) to a_2k, at the nodes of `NODES`.
    step
        (intervals, nodes) dy/ds over y and the root of abs(prod(1 - y / a_j)), s being what runs evenly over an
        interval.
    width
        Of an interval in s.
    least
        Below it no value is, in double precision.

    References
    ----------
    Smirnov, N. (1937). On the omega-squared distribution. Matematicheskii Sbornik 2, 973-993.
    """

    def __init__(self, at: Floats, step: Floats, width: float, least: float) -> None:
        sign = np.where(np.arange(len(at)) % 2 == 0, 1.0, -1.0)[:, np.newaxis]
        self._at = at.ravel() / 2
        self._factor = (sign * step * SPREAD * (width / 2 / len(NODES))).ravel()
        self._least = least

    def tail(self, value: Floats) -> Floats:
        """Return the upper tail at each of (columns,) values, exact far out, too."""
        above = np.maximum(value, self._least)[:, np.newaxis]
        chance: Floats = np.exp(-above * self._at) @ self._factor
        return np.where(value < self._least, 1.0, np.clip(chance, 0.0, 1.0))


_ANGLE: Final = (np.arange(48) + 0.5) * (np.pi / 48)
NODES: Final = np.cos(_ANGLE)
"""Where an interval [-1, 1] is looked at whose ends are singular like 1 / sqrt (Chebyshev's nodes)."""
SPREAD: Final = np.sin(_ANGLE)


def _before(values: Floats) -> Floats:
    """Return, for each place, the sum of the values before it."""
    sums: Floats = np.cumsum(values, axis=1) - values
    return sums
