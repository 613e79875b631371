"""Two-sample Kolmogorov-Smirnov test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
from scipy.special import kolmogorov

from anchorwatch_detectors.base import ColumnKind, Comparison, WindowTest
from anchorwatch_detectors.parameters import check_choice

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class KolmogorovSmirnov(WindowTest):
    """Two-sample Kolmogorov-Smirnov test: the largest distance between two distribution functions.

    Statistic and effect are that distance, from 0 to 1, as `scipy.stats.ks_2samp` has it, two-sided. On a baseline's
    grid it is the largest at its cells' edges: never more than the true one, and less by no more than a cell's mass.
    Where values are tied, the p-value errs on the careful side.

    `smallest_effect` is 0.1, the common default of drift monitors (a mean moved by about a quarter of a standard
    deviation).

    Parameters
    ----------
    method
        Of the p-value. "asymptotic": Kolmogorov's limit law with Stephens' correction for finite samples. "exact": the
        law of the statistic itself, by counting paths, equal to scipy's exact one; its time grows with n m, so it is
        meant for samples of up to some hundred values.

    Raises
    ------
    ValueError
        If the method is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> from anchorwatch_detectors.profile import pooled_counts
    >>> rng = np.random.default_rng(7)
    >>> position, baseline, window = pooled_counts([rng.normal(0, 1, 5000)], [rng.normal(0.5, 1, 1000)])
    >>> said = KolmogorovSmirnov().compare(baseline, window, position)
    >>> round(said.statistic.item(), 3), said.p_value.item() < 1e-9
    (0.229, True)

    References
    ----------
    Smirnov, N. (1939). On the estimation of the discrepancy between empirical curves of distribution for two
    independent samples. Stephens, M. A. (1970). Use of the Kolmogorov-Smirnov, Cramer-von Mises and related statistics
    without extensive tables. Journal of the Royal Statistical Society B 32(1), 115-122. Hodges, J. L. (1958). The
    significance probability of the Smirnov two-sample test. Arkiv foer Matematik 3, 469-486 (exact).
    """

    name: ClassVar[str] = "kolmogorov_smirnov"
    kinds: ClassVar[frozenset[ColumnKind]] = frozenset({ColumnKind.NUMERIC})
    smallest_effect: ClassVar[float] = 0.1

    method: Literal["asymptotic", "exact"] = "asymptotic"

    def __post_init__(self) -> None:
        check_choice(self.name, "method", self.method, ("asymptotic", "exact"))

    def compare(self, reference: Ints, current: Ints, position: Floats | None = None) -> Comparison:
        """Compare windows with baselines; see `WindowTest.compare`. Cells in order are enough: no position is read."""
        del position
        n, m = reference.sum(axis=1), current.sum(axis=1)
        known = (n > 0) & (m > 0)
        size = np.maximum(n, 1), np.maximum(m, 1)
        below = np.cumsum(reference, axis=1), np.cumsum(current, axis=1)
        gap = np.abs(below[0] / size[0][:, np.newaxis] - below[1] / size[1][:, np.newaxis])
        distance = np.where(known, gap.max(axis=1, initial=0.0), np.nan)
        if self.method == "exact":
            gaps = np.abs(below[0] * m[:, np.newaxis] - below[1] * n[:, np.newaxis])
            tail = np.where(known, _exact_tail(gaps.max(axis=1, initial=0), n, m), np.nan)
        else:
            root = np.sqrt(n * (m / np.maximum(n + m, 1)))
            tail = kolmogorov((root + 0.12 + 0.11 / np.maximum(root, 0.5)) * distance)
        return Comparison(distance, tail, distance)


def _exact(gap: Floats, n: Floats, m: Floats) -> Floats:
    """Return the exact p-values of gaps; of serially correlated values, at the whole number of values they are worth.

    Parameters
    ----------
    gap
        (columns,) distance times n m.
    n, m
        (columns,) sizes.
    """
    said = np.ones(len(gap))
    for column, (size, other) in enumerate(zip(n.tolist(), m.tolist(), strict=True)):
        whole = max(int(size), 1), max(int(other), 1)
        shrunk = gap[column] * (whole[0] * whole[1] / max(size * other, 1.0))
        said[column] = exact_tail(round(shrunk - 0.5 if (size, other) != whole else shrunk), *whole)
    return said
