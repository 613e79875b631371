"""Two-sample Kolmogorov-Smirnov test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from anchorwatch_detectors.comparison import ColumnKind, WindowTest
from anchorwatch_detectors.kolmogorov_law import asymptotic_tail, exact_tail
from anchorwatch_detectors.parameters import check_choice

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Counts = Ints | Floats


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
        law of the statistic itself, by counting paths, equal to scipy's exact one; some ten milliseconds for ten
        thousand values.

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
    independent samples. The laws: `anchorwatch_detectors.kolmogorov_law`.
    """

    name: ClassVar[str] = "kolmogorov_smirnov"
    kinds: ClassVar[frozenset[ColumnKind]] = frozenset({ColumnKind.NUMERIC})
    smallest_effect: ClassVar[float] = 0.1

    method: Literal["asymptotic", "exact"] = "asymptotic"

    def __post_init__(self) -> None:
        check_choice(self.name, "method", self.method, ("asymptotic", "exact"))

    def measure(self, reference: Counts, current: Counts, position: Floats | None) -> tuple[Floats, Floats]:
        """Return statistics and effects; see `WindowTest.measure`. Cells in order are enough: no position is read."""
        del position
        n, m = reference.sum(axis=1), current.sum(axis=1)
        size = np.maximum(n, 1)[:, np.newaxis], np.maximum(m, 1)[:, np.newaxis]
        gap = np.abs(np.cumsum(reference, axis=1) / size[0] - np.cumsum(current, axis=1) / size[1])
        distance = np.where((n > 0) & (m > 0), gap.max(axis=1, initial=0.0), np.nan)
        return distance, distance

    def tail(self, statistic: Floats, reference: Counts, current: Counts, position: Floats | None) -> Floats:
        """Return p-values; see `WindowTest.tail`."""
        del position
        n, m = reference.sum(axis=1), current.sum(axis=1)
        if self.method == "exact":
            return _exact(statistic, np.floor(n).astype(np.int64), np.floor(m).astype(np.int64))
        return asymptotic_tail(statistic, n, m)


def _exact(distance: Floats, n: Ints, m: Ints) -> Floats:
    """Return the exact p-value of each statistic that is not NaN."""
    said = np.full(len(distance), np.nan)
    for column in np.flatnonzero(~np.isnan(distance)).tolist():
        first, second = int(n[column]), int(m[column])
        said[column] = exact_tail(int(distance[column] * (first * second) + 1e-6), first, second)
    return said
