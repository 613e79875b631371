"""Hellinger distance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from anchorwatch_detectors.window.binned import ChiSquareLaw
from anchorwatch_detectors.window.cells import shares

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Counts = Ints | Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Hellinger(ChiSquareLaw):
    """Hellinger distance: the Euclidean distance of the roots of the shares, over the root of 2.

    Statistic and effect are sqrt(sum((sqrt(p) - sqrt(q))^2) / 2), from 0 (the same shares) to 1 (nothing in common);
    an empty bin needs no special care. Under no change, the squared distance times 8 n m / (n + m) is about chi-square
    distributed with bins - 1 degrees of freedom, n and m being the sizes: that gives the p-value.

    `smallest_effect` is 0.1, the common default of drift monitors (a mean moved by about 0.3 standard deviations).

    Parameters
    ----------
    bins
        Bins of about equal baseline mass that a numeric column is cut into, at least 2.
    least_expected
        Least expected count of a cell for the p-value; rarer cells are pooled for it (see `BinnedTest`). With 10,
        p < 0.01 comes up in 1 to 2 % of unchanged windows even where most words are rare; with the customary 5, in up
        to 4 %.

    Raises
    ------
    ValueError
        If a parameter is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> from anchorwatch_detectors.profile import pooled_counts
    >>> rng = np.random.default_rng(7)
    >>> position, baseline, window = pooled_counts([rng.normal(0, 1, 5000)], [rng.normal(0.5, 1, 1000)])
    >>> said = Hellinger().compare(baseline, window, position)
    >>> round(said.effect.item(), 3), said.p_value.item() < 1e-9
    (0.186, True)

    References
    ----------
    Hellinger, E. (1909). Neue Begruendung der Theorie quadratischer Formen von unendlichvielen Veraenderlichen.
    Journal fuer die reine und angewandte Mathematik 136, 210-271. Freeman, M. F., Tukey, J. W. (1950). Transformations
    related to the angular and the square root. Annals of Mathematical Statistics 21(4), 607-611 (its law).
    """

    name: ClassVar[str] = "hellinger"
    smallest_effect: ClassVar[float] = 0.1

    least_expected: float = 10.0

    def measure(self, reference: Counts, current: Counts, position: Floats | None = None) -> tuple[Floats, Floats]:
        """Return the distance twice: it is its own effect."""
        del position
        p, q = shares(reference, current)
        distance: Floats = np.sqrt(np.square(np.sqrt(p) - np.sqrt(q)).sum(axis=1) / 2)
        return distance, distance

    def chi_square(self, statistic: Floats, balance: Floats) -> Floats:
        """Return the squared distance times 8 n m / (n + m)."""
        value: Floats = 8 * np.square(statistic) * balance
        return value
