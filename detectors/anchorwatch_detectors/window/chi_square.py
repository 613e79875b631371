"""Pearson's chi-square test of homogeneity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from anchorwatch_detectors.window.binned import ChiSquareLaw
from anchorwatch_detectors.window.cells import expected_counts, shares

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Counts = Ints | Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class ChiSquare(ChiSquareLaw):
    """Pearson's chi-square test that two sides have the same shares.

    The statistic is that of `scipy.stats.chi2_contingency` without continuity correction; cells empty on both sides
    are left out. The effect is Cramer's V of the table in which both sides weigh the same,
    sqrt(sum((p - q)^2 / (p + q)) / 2), from 0 (the same shares) to 1 (nothing in common): V of the table itself would
    shrink as the baseline grows beside the window, and no threshold could be set on it.

    `smallest_effect` is 0.1, a small effect by Cohen's convention.

    Parameters
    ----------
    bins
        Bins of about equal baseline mass that a numeric column is cut into, at least 2.
    least_expected
        Least expected count of a cell for the p-value; rarer cells are pooled for it (see `BinnedTest`).

    Raises
    ------
    ValueError
        If a parameter is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(7)
    >>> baseline = rng.multinomial(5000, [0.5, 0.3, 0.2])[np.newaxis]
    >>> window = rng.multinomial(1000, [0.3, 0.3, 0.4])[np.newaxis]
    >>> said = ChiSquare().compare(baseline, window)
    >>> round(said.effect.item(), 3), said.p_value.item() < 1e-9
    (0.27, True)

    References
    ----------
    Pearson, K. (1900). On the criterion that a given system of deviations ... Philosophical Magazine 50, 157-175.
    Cohen, J. (1988). Statistical Power Analysis for the Behavioral Sciences, chapter 7.
    """

    name: ClassVar[str] = "chi_square"
    smallest_effect: ClassVar[float] = 0.1

    def measure(self, reference: Counts, current: Counts, position: Floats | None = None) -> tuple[Floats, Floats]:
        """Return Pearson's statistic and Cramer's V at equal weight."""
        del position
        p, q = shares(reference, current)
        statistic = np.zeros(len(reference))
        for counts, expected in zip((reference, current), expected_counts(reference, current), strict=True):
            distance = np.square(counts - expected)
            statistic += np.divide(distance, expected, out=np.zeros_like(expected), where=expected > 0).sum(axis=1)
        both = p + q
        apart = np.divide(np.square(p - q), both, out=both.copy(), where=both > 0).sum(axis=1)
        effect: Floats = np.sqrt(apart / 2)
        return np.where(np.isnan(effect), np.nan, statistic), effect

    def chi_square(self, statistic: Floats, balance: Floats) -> Floats:
        """Return the statistic, whatever the sizes."""
        return np.where(balance > 0, statistic, np.nan)
