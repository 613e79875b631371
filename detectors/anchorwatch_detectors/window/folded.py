"""The law of a weighted sum of absolute normal values: that of distances that add up absolute differences of shares.

Under no change the differences are about normal. The mean and the variance of the sum of their absolute values are
known; a gamma law with these two stands for the sum. The covariance of |X| and |Y| for normal X and Y of correlation r
and standard deviations s, t is (2/pi) s t f(r), with f(r) = r arcsin(r) + sqrt(1 - r^2) - 1. Powers of r^2 fall apart
into factors here, so f's power series makes the double sum over cells a few single ones.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np
from scipy.special import gammaincc

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Counts = Ints | Floats

_AT_ONE: Final = math.pi / 2 - 1
_SERIES: Final = (1 / 2, 1 / 24, _AT_ONE - 1 / 2 - 1 / 24)
"""Factors of r^2, r^4, r^6 in f(r); the last stands for all that follow and makes f(1) exact: at most 0.005 off."""


def tail_of_shares(statistic: Floats, reference: Counts, current: Counts) -> Floats:
    """Return the upper tail of sum(abs(p - q)) / 2 over cells whose shares are the same on both sides.

    Parameters
    ----------
    statistic
        (columns,) what was measured.
    reference, current
        (columns, cells) counts.

    Returns
    -------
    ndarray
        (columns,) p-values; 1 where the statistic cannot be above 0, NaN where either side is empty.

    Examples
    --------
    >>> counts = np.array([[500, 300, 200]])
    >>> tail_of_shares(np.array([0.01, 0.05]), counts.repeat(2, axis=0), counts.repeat(2, axis=0)).round(3).tolist()
    [0.895, 0.044]
    """
    share, weight = _pooled(reference + current, reference, current)
    odds, spread = _odds(share), np.sqrt(share * (1 - share) * weight) / 2
    # r^2 of cells i and j is odds_i odds_j
    together = _covariance(spread, odds, spread, odds)
    return _tail(statistic, spread, together)


def tail_of_steps(statistic: Floats, reference: Counts, current: Counts, position: Floats) -> Floats:
    """Return the upper tail of the area between two distribution functions that are the same.

    Parameters
    ----------
    statistic
        (columns,) what was measured, in the unit of `position`.
    reference, current, position
        (columns, cells) as in `WindowTest.compare`.

    Returns
    -------
    ndarray
        (columns,) p-values; 1 where the statistic cannot be above 0, NaN where either side is empty.
    """
    share, weight = _pooled(np.cumsum(reference + current, axis=1)[:, :-1], reference, current)
    odds, spread = _odds(share), np.diff(position, axis=1) * np.sqrt(share * (1 - share) * weight)
    # r^2 of steps i < j is odds_i / odds_j
    together = _covariance(spread, odds, spread, 1 / odds)
    return _tail(statistic, spread, together)


def _pooled(counts: Counts, reference: Counts, current: Counts) -> tuple[Floats, Floats]:
    """Return counts of both sides as shares, and 1/n + 1/m; NaN where either side is empty."""
    n, m = (side.sum(axis=1, keepdims=True) for side in (reference, current))
    weight = np.where((n > 0) & (m > 0), 1 / np.maximum(n, 1) + 1 / np.maximum(m, 1), np.nan)
    return np.minimum(counts / np.maximum(n + m, 1), 1.0), weight


def _odds(share: Floats) -> Floats:
    """Return share / (1 - share); 1 where the share is 0 or 1 and does not vary."""
    inside = (share > 0) & (share < 1)
    return np.divide(share, 1 - share, out=np.ones_like(share), where=inside)


def _covariance(first: Floats, first_factor: Floats, second: Floats, second_factor: Floats) -> Floats:
    """Return the sum of first_i second_j f(r_ij) over i < j, r_ij^2 being the product of the factors."""
    total = np.zeros(len(first))
    for factor in _SERIES:
        first, second = first * first_factor, second * second_factor
        before = np.cumsum(first, axis=1)[:, :-1]
        total += factor * np.einsum("ij,ij->i", before, second[:, 1:])
    return total


def _tail(statistic: Floats, spread: Floats, together: Floats) -> Floats:
    """Return the tail of the gamma law that has the mean and variance of the sum."""
    mean = math.sqrt(2 / math.pi) * spread.sum(axis=1)
    variance = 2 / math.pi * (_AT_ONE * np.square(spread).sum(axis=1) + 2 * together)
    moves = variance > 0
    shape = np.divide(np.square(mean), variance, out=np.ones_like(mean), where=moves)
    value = np.divide(statistic * mean, variance, out=np.zeros_like(mean), where=moves)
    tail: Floats = gammaincc(shape, value)
    return np.where(np.isnan(statistic), np.nan, tail)
