"""Two-sample Cramer-von Mises test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np

from anchorwatch_detectors.base import ColumnKind, Comparison, WindowTest
from anchorwatch_detectors.window.quadratic import NODES, SumOfSquares, bridge

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

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

    def compare(self, reference: Ints, current: Ints, position: Floats | None = None) -> Comparison:
        """Compare windows with baselines; see `WindowTest.compare`. Cells in order are enough: no position is read."""
        del position
        counts = reference + current
        n, m = (np.maximum(side.sum(axis=1, keepdims=True), 1).astype(np.float64) for side in (reference, current))
        known = (reference.sum(axis=1) > 0) & (current.sum(axis=1) > 0)
        gap = np.cumsum(reference, axis=1)[:, :-1] / n - np.cumsum(current, axis=1)[:, :-1] / m
        weight = (counts[:, :-1] + counts[:, 1:]) / (2 * (n + m))
        distance = np.where(known, (weight * gap**2).sum(axis=1), np.nan)
        rank = np.cumsum(counts, axis=1)[:, :-1] / (n + m)
        law = bridge(rank, weight)
        n, m = n[:, 0], m[:, 0]
        total = n + m
        statistic = distance * (n * m / total)
        variance = law.variance * _finite(n, m)
        moves = variance > 1e-12
        over = (statistic - law.mean * total / (total - 1)) / np.sqrt(45 * np.where(moves, variance, 1.0))
        chance = np.where(moves, _LAW.tail(1 / 6 + over), 1.0)
        return Comparison(statistic, np.where(known, chance, np.nan), np.sqrt(distance))


def _finite(n: Floats, m: Floats) -> Floats:
    """Return the variance of the statistic of so many values without ties, over that of the bridge at their ranks."""
    total = n + m
    exact = (total + 1) * (4 * n * m * total - 3 * (n**2 + m**2) - 2 * n * m) / (180 * total**2 * n * m)
    factor: Floats = exact * 90 * total**4 / ((total**2 - 1) * (2 * total**2 + 7))
    return factor
