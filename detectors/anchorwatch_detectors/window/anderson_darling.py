"""Two-sample Anderson-Darling test."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np

from anchorwatch_detectors.comparison import ColumnKind, WindowTest
from anchorwatch_detectors.window.quadratic import NODES, SumOfSquares

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Counts = Ints | Floats

_ROOTS: Final = 4.0 + 4 * np.arange(20)[:, np.newaxis] + NODES
_AT: Final = (_ROOTS**2 - 1) / 4
_STEP: Final = _ROOTS / (2 * _AT) * np.sqrt(np.pi * _AT / np.abs(np.cos(np.pi * _ROOTS / 2)))
_LAW: Final = SumOfSquares(_AT, _STEP, 2.0, 0.05)
"""Of the sum of z_j^2 / (j (j + 1)), of mean 1."""
_DEVIATION: Final = math.sqrt(2 * (math.pi**2 - 9) / 3)


@dataclass(frozen=True, slots=True, kw_only=True)
class AndersonDarling(WindowTest):
    """Two-sample Anderson-Darling test: squared distances of distribution functions, each over its own variance.

    It gives the tails as much weight as the middle, so it sees changes there that Kolmogorov-Smirnov and
    Cramer-von Mises do not. The statistic is A^2 of Scholz and Stephens with mid-ranks for ties;
    `scipy.stats.anderson_ksamp` tells (A^2 - 1) over its standard deviation. The p-value is that of the limit law
    itself, fitted to the ties by its variance (scipy reads it off a table that ends at 0.001).

    The effect is the root of A^2 freed of the sample's size: a distance of distribution functions in which one at rank
    h weighs 1 / (h (1 - h)).

    `smallest_effect` is 0.2: a mean moved by about a quarter of a standard deviation.

    Examples
    --------
    >>> import numpy as np
    >>> from anchorwatch_detectors.profile import pooled_counts
    >>> rng = np.random.default_rng(7)
    >>> position, baseline, window = pooled_counts([rng.normal(0, 1, 5000)], [rng.normal(0.5, 1, 1000)])
    >>> said = AndersonDarling().compare(baseline, window, position)
    >>> round(said.statistic.item(), 2), round(said.effect.item(), 3), said.p_value.item() < 1e-9
    (112.2, 0.367, True)

    References
    ----------
    Scholz, F. W., Stephens, M. A. (1987). K-sample Anderson-Darling tests. Journal of the American Statistical
    Association 82(399), 918-924.
    """

    name: ClassVar[str] = "anderson_darling"
    kinds: ClassVar[frozenset[ColumnKind]] = frozenset({ColumnKind.NUMERIC})
    smallest_effect: ClassVar[float] = 0.2

    def measure(self, reference: Counts, current: Counts, position: Floats | None) -> tuple[Floats, Floats]:
        """Return statistics and effects; see `WindowTest.measure`. Cells in order are enough: no position is read."""
        del position
        n, m = (np.maximum(side.sum(axis=1, keepdims=True), 1).astype(np.float64) for side in (reference, current))
        known = (reference.sum(axis=1) > 0) & (current.sum(axis=1) > 0)
        total = n + m
        gap = _middle(reference) / n - _middle(current) / m
        weight, _, variance = _bridge(reference, current)
        distance = np.where(known, (weight * gap**2 / variance).sum(axis=1), np.nan)
        statistic = distance * (n * m * (total - 1) / total**2)[:, 0]
        return statistic, np.sqrt(distance)

    def tail(self, statistic: Floats, reference: Counts, current: Counts, position: Floats | None) -> Floats:
        """Return p-values; see `WindowTest.tail`."""
        del position
        weight, rank, variance = _bridge(reference, current)
        up, down = weight * rank**2 / variance, weight * (1 - rank) ** 2 / variance
        spread = 2 * ((weight**2).sum(axis=1) + 2 * ((np.cumsum(up, axis=1) - up) * down).sum(axis=1))
        moves = spread > 0
        over = (statistic - weight.sum(axis=1)) / np.sqrt(np.where(moves, spread, 1.0))
        chance = np.where(moves, _LAW.tail(1 + _DEVIATION * over), 1.0)
        return np.where(np.isnan(statistic), np.nan, chance)


def _bridge(reference: Counts, current: Counts) -> tuple[Floats, Floats, Floats]:
    """Return each cell's share of all values, the rank of its middle, and the bridge's variance there.

    The share is 0, and the variance 1, where a cell tells nothing.
    """
    total = np.maximum((reference + current).sum(axis=1, keepdims=True), 1)
    weight = (reference + current) / total
    rank = _middle(reference + current) / total
    variance = rank * (1 - rank) - weight / 4
    inside = (weight > 0) & (variance > 1e-12)
    return np.where(inside, weight, 0.0), rank, np.where(inside, variance, 1.0)


def _middle(counts: Counts) -> Floats:
    """Return how many values lie before the middle of each cell."""
    before: Floats = np.cumsum(counts, axis=1, dtype=np.float64) - counts / 2
    return before
