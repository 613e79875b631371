"""Total variation distance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from anchorwatch_detectors.window.binned import BinnedTest
from anchorwatch_detectors.window.cells import shares
from anchorwatch_detectors.window.folded import tail_of_shares

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Counts = Ints | Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class TotalVariation(BinnedTest):
    """Total variation distance: the share of values that would have to be changed to make the two sides alike.

    Statistic and effect are sum(abs(p - q)) / 2 over the bins, from 0 (the same shares) to 1 (nothing in common). The
    p-value is that of a sum of absolute normal values, a gamma law with its mean and variance. By chance alone the
    distance is about 0.4 sqrt(bins (1/n + 1/m)), n and m being the sizes.

    `smallest_effect` is 0.1: one value in ten has moved.

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
    >>> from anchorwatch_detectors.profile import pooled_counts
    >>> rng = np.random.default_rng(7)
    >>> position, baseline, window = pooled_counts([rng.normal(0, 1, 5000)], [rng.normal(0.5, 1, 1000)])
    >>> said = TotalVariation().compare(baseline, window, position)
    >>> round(said.effect.item(), 3), said.p_value.item() < 1e-9
    (0.221, True)

    References
    ----------
    Levin, D. A., Peres, Y., Wilmer, E. L. (2009). Markov Chains and Mixing Times. American Mathematical Society,
    chapter 4.
    """

    name: ClassVar[str] = "total_variation"
    smallest_effect: ClassVar[float] = 0.1

    def measure(self, reference: Counts, current: Counts, position: Floats | None = None) -> tuple[Floats, Floats]:
        """Return the distance twice: it is its own effect."""
        del position
        p, q = shares(reference, current)
        distance: Floats = np.abs(p - q).sum(axis=1) / 2
        return distance, distance

    def law(self, statistic: Floats, reference: Counts, current: Counts) -> Floats:
        """Return the upper tail of a sum of absolute normal values."""
        return tail_of_shares(statistic, reference, current)
