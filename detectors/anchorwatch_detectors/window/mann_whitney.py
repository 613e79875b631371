"""Mann-Whitney U test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from scipy.special import ndtr

from anchorwatch_detectors.comparison import ColumnKind, WindowTest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Counts = Ints | Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class MannWhitney(WindowTest):
    """Mann-Whitney U test (Wilcoxon's rank sum): whether a value of one side tends to be larger than one of the other.

    It sees a moved location, whatever the tails, and is blind to a changed spread around the same middle. The statistic
    is how far U lies from its mean n m / 2, in pairs of values (`scipy.stats.mannwhitneyu` tells U itself). The p-value
    is scipy's asymptotic one: a normal law with corrections for ties and continuity.

    The effect is Cliff's delta without its sign, the rank-biserial correlation: the chance that a value of one side is
    larger than one of the other, less the chance of the opposite; from 0 to 1.

    `smallest_effect` is 0.147, below which Romano et al. call a difference negligible: a mean moved by about a quarter
    of a standard deviation.

    Examples
    --------
    >>> import numpy as np
    >>> from anchorwatch_detectors.profile import pooled_counts
    >>> rng = np.random.default_rng(7)
    >>> position, baseline, window = pooled_counts([rng.normal(0, 1, 5000)], [rng.normal(0.5, 1, 1000)])
    >>> said = MannWhitney().compare(baseline, window, position)
    >>> round(said.effect.item(), 3), said.p_value.item() < 1e-9
    (0.295, True)

    References
    ----------
    Mann, H. B., Whitney, D. R. (1947). On a test of whether one of two random variables is stochastically larger than
    the other. Annals of Mathematical Statistics 18(1), 50-60. Romano, J., Kromrey, J. D., Coraggio, J., Skowronek, J.
    (2006). Appropriate statistics for ordinal level data. Florida Association of Institutional Research.
    """

    name: ClassVar[str] = "mann_whitney"
    kinds: ClassVar[frozenset[ColumnKind]] = frozenset({ColumnKind.NUMERIC})
    smallest_effect: ClassVar[float] = 0.147

    def measure(self, reference: Counts, current: Counts, position: Floats | None) -> tuple[Floats, Floats]:
        """Return statistics and effects; see `WindowTest.measure`. Cells in order are enough: no position is read."""
        del position
        first, second = reference.astype(np.float64), current.astype(np.float64)
        n, m = first.sum(axis=1), second.sum(axis=1)
        known = (n > 0) & (m > 0)
        larger = (first * (np.cumsum(second, axis=1) - second / 2)).sum(axis=1)
        distance = np.where(known, np.abs(larger - n * m / 2), np.nan)
        return distance, np.divide(2 * distance, n * m, out=distance.copy(), where=known)

    def tail(self, statistic: Floats, reference: Counts, current: Counts, position: Floats | None) -> Floats:
        """Return p-values; see `WindowTest.tail`."""
        del position
        counts = (reference + current).astype(np.float64)
        n, m = reference.sum(axis=1).astype(np.float64), current.sum(axis=1).astype(np.float64)
        total = np.maximum(n + m, 2.0)
        tied = counts**3 - counts
        variance = n * m / 12 * (total + 1 - tied.sum(axis=1) / (total * (total - 1)))
        moves = variance > 1e-9 * n * m
        over = (statistic - 0.5) / np.sqrt(np.where(moves, variance, 1.0))
        chance = np.where(moves, np.minimum(2 * ndtr(-over), 1.0), 1.0)
        return np.where(np.isnan(statistic), np.nan, chance)
