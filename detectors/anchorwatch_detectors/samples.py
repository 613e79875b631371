"""Raw rows against raw rows: exact distances of two samples, one of which is made ready once.

The window tests compare counts over common cells. Where the rows themselves are at hand, this is the fast way to the
exact statistics: a baseline is sorted once, and each window is sorted and walked along it. p-values are had from
`kolmogorov_law` where they are wanted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple, Self

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

_LARGE: Final = 2.0**900
"""Beyond it, values are scaled so that no area overflows."""


@dataclass(frozen=True, slots=True, eq=False)
class SortedSample:
    """The finite values of a sample in order.

    Attributes
    ----------
    n
        How many.
    ordered
        (n + 1,) the values, and infinity behind them.
    """

    n: int
    ordered: Floats

    @classmethod
    def of(cls, values: ArrayLike) -> Self:
        """Return the sample of numbers in any order; those that are not finite are left out."""
        given = np.asarray(values, dtype=np.float64).ravel()
        finite = np.isfinite(given)
        if not finite.all():
            given = given[finite]
        ordered = np.empty(len(given) + 1)
        ordered[:-1] = given
        ordered[:-1].sort()
        ordered[-1] = np.inf
        return cls(len(given), ordered)


class Distances(NamedTuple):
    """How far two samples are apart.

    Attributes
    ----------
    n, m
        Finite values on either side.
    gap
        Largest abs(i m - j n), i and j being how many values of either side lie at or below one and the same value;
        what `kolmogorov_law.exact_tail` and `critical_gap` are about.
    wasserstein
        Area between the distribution functions, as `scipy.stats.wasserstein_distance` has it, in the values' unit; NaN
        where a side is empty.
    """

    n: int
    m: int
    gap: int
    wasserstein: float

    @property
    def kolmogorov_smirnov(self) -> float:
        """Largest distance of the distribution functions, as `scipy.stats.ks_2samp` has it; NaN where a side is empty.

        It lies in [0, 1].
        """
        return self.gap / (self.n * self.m) if self.n and self.m else np.nan


def distances(reference: SortedSample, current: SortedSample) -> Distances:
    """Return the exact distances of two samples, ties included.

    Examples
    --------
    >>> found = distances(SortedSample.of([1.0, 2.0, 3.0, 4.0]), SortedSample.of([3.0, 5.0]))
    >>> found.kolmogorov_smirnov, found.wasserstein
    (0.5, 1.5)
    """
    from anchorwatch_detectors.kernels import merge

    n, m = reference.n, current.n
    if not (n and m):
        return Distances(n, m, 0, np.nan)
    sides = reference.ordered, current.ordered
    ends = max(abs(side[at]) for side in sides for at in (0, -2))
    scale = 1.0 if ends < _LARGE else 2.0**-120
    first, second = sides if scale == 1.0 else (side * scale for side in sides)
    gap, area = merge.distances(first, second)
    return Distances(n, m, gap, area / (n * m) / scale)
