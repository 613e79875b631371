"""G-test: the likelihood-ratio test of homogeneity."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from scipy.special import rel_entr

from anchorwatch_detectors.window.binned import ChiSquareLaw
from anchorwatch_detectors.window.cells import expected_counts, shares

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Counts = Ints | Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class GTest(ChiSquareLaw):
    """Likelihood-ratio test (G-test) that two sides have the same shares.

    The statistic is that of `scipy.stats.chi2_contingency` with `lambda_="log-likelihood"` and no correction; cells
    empty on both sides are left out. The effect is the root of the statistic of the table in which both sides weigh
    the same, as a share of its largest value: that is the Jensen-Shannon distance to base 2, from 0 (the same shares)
    to 1 (nothing in common). It does not depend on the sizes, so a threshold can be set on it.

    `smallest_effect` is 0.1, about a small effect by Cohen's convention (a Cramer's V of 0.12).

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
    >>> said = GTest().compare(baseline, window)
    >>> round(said.effect.item(), 3), said.p_value.item() < 1e-9
    (0.231, True)

    References
    ----------
    Wilks, S. S. (1938). The large-sample distribution of the likelihood ratio for testing composite hypotheses. Annals
    of Mathematical Statistics 9(1), 60-62. Sokal, R. R., Rohlf, F. J. (1981). Biometry. Freeman, chapter 17.
    """

    name: ClassVar[str] = "g_test"
    smallest_effect: ClassVar[float] = 0.1

    def measure(self, reference: Counts, current: Counts, position: Floats | None = None) -> tuple[Floats, Floats]:
        """Return G and the root of its share of the largest possible at equal weight."""
        del position
        p, q = shares(reference, current)
        expected = expected_counts(reference, current)
        sides = zip((reference, current), expected, strict=True)
        statistic = 2 * sum(rel_entr(counts, awaited).sum(axis=1) for counts, awaited in sides)
        middle = (p + q) / 2
        nats = rel_entr(p, middle).sum(axis=1) + rel_entr(q, middle).sum(axis=1)
        effect: Floats = np.sqrt(np.maximum(nats, 0.0) / (2 * math.log(2)))
        return np.where(np.isnan(effect), np.nan, np.maximum(statistic, 0.0)), effect

    def chi_square(self, statistic: Floats, balance: Floats) -> Floats:
        """Return the statistic, whatever the sizes."""
        return np.where(balance > 0, statistic, np.nan)
