"""Two-sample Cramer-von Mises test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np

from anchorwatch_detectors.comparison import ColumnKind, WindowTest
from anchorwatch_detectors.window.quadratic import NODES, SumOfSquares, bridge

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Counts = Ints | Floats

_ROOTS: Final = np.pi * (1.5 + 2 * np.arange(20)[:, np.newaxis] + NODES / 2)
_LAW: Final = SumOfSquares(_ROOTS**2, 2 / _ROOTS * np.sqrt(_ROOTS / np.abs(np.sin(_ROOTS))), np.pi, 0.005)
"""Of the sum of z_j^2 / (j pi)^2."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CramerVonMises(WindowTest):
    """Two-sample Cramer-von Mises test: the mean squared distance between two distribution functions.

    It sees a difference that is spread over the whole range better than Kolmogorov-Smirnov, which looks at its largest
    place alone. The statistic is Anderson's T, that of `scipy.stats.cramervonmises_2samp` where no values are tied;
    tied values count by the distances before and after them, half each (scipy takes mid-ranks, by which two equal sides
    differ). The p-value is scipy's asymptotic one, its law fitted to the ties by mean and variance.

    The effect is the root of the mean squared distance, weighted by the values of both sides, from 0 to about 0.58.

    `smallest_effect` is 0.075: a mean moved by about a quarter of a standard deviation.

    Examples
    --------
    >>> import numpy as np
    >>> from anchorwatch_detectors.profile import pooled_counts
    >>> rng = np.random.default_rng(7)
    >>> position, baseline, window = pooled_counts([rng.normal(0, 1, 5000)], [rng.normal(0.5, 1, 1000)])
    >>> said = CramerVonMises().compare(baseline, window, position)
    >>> round(said.statistic.item(), 2), round(said.effect.item(), 3), said.p_value.item() < 1e-9
    (21.57, 0.161, True)

    References
    ----------
    Anderson, T. W. (1962). On the distribution of the two-sample Cramer-von Mises criterion. Annals of Mathematical
    Statistics 33(3), 1148-1159.
    """

    name: ClassVar[str] = "cramer_von_mises"
    kinds: ClassVar[frozenset[ColumnKind]] = frozenset({ColumnKind.NUMERIC})
    smallest_effect: ClassVar[float] = 0.075

    def measure(self, reference: Counts, current: Counts, position: Floats | None) -> tuple[Floats, Floats]:
        """Return statistics and effects; see `WindowTest.measure`. Cells in order are enough: no position is read."""
        del position
        n, m = _sizes(reference), _sizes(current)
        known = (reference.sum(axis=1) > 0) & (current.sum(axis=1) > 0)
        gap = np.cumsum(reference, axis=1)[:, :-1] / n - np.cumsum(current, axis=1)[:, :-1] / m
        distance = np.where(known, (_weight(reference + current, n + m) * gap**2).sum(axis=1), np.nan)
        return distance * (n * m / (n + m))[:, 0], np.sqrt(distance)

    def tail(self, statistic: Floats, reference: Counts, current: Counts, position: Floats | None) -> Floats:
        """Return p-values; see `WindowTest.tail`."""
        del position
        n, m = _sizes(reference), _sizes(current)
        rank = np.cumsum(reference + current, axis=1)[:, :-1] / (n + m)
        law = bridge(rank, _weight(reference + current, n + m))
        n, m = n[:, 0], m[:, 0]
        total = n + m
        variance = law.variance * _finite(n, m)
        moves = variance > 1e-12
        over = (statistic - law.mean * total / (total - 1)) / np.sqrt(45 * np.where(moves, variance, 1.0))
        chance = np.where(moves, _LAW.tail(1 / 6 + over), 1.0)
        return np.where(np.isnan(statistic), np.nan, chance)


def _sizes(counts: Counts) -> Floats:
    """Return (columns, 1) how many values there are; 1 where there are none."""
    sizes: Floats = np.maximum(counts.sum(axis=1, keepdims=True), 1).astype(np.float64)
    return sizes


def _weight(counts: Counts, total: Floats) -> Floats:
    """Return the weight of the place behind each cell but the last: half the share of the values on either side."""
    weight: Floats = (counts[:, :-1] + counts[:, 1:]) / (2 * total)
    return weight


def _finite(n: Floats, m: Floats) -> Floats:
    """Return the variance of the statistic of so many values without ties, over that of the bridge at their ranks."""
    total = n + m
    exact = (total + 1) * (4 * n * m * total - 3 * (n**2 + m**2) - 2 * n * m) / (180 * total**2 * n * m)
    factor: Floats = exact * 90 * total**4 / ((total**2 - 1) * (2 * total**2 + 7))
    return factor
