"""Population stability index."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from anchorwatch_detectors.parameters import check_real
from anchorwatch_detectors.window.binned import ChiSquareLaw
from anchorwatch_detectors.window.cells import shares

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Counts = Ints | Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class Psi(ChiSquareLaw):
    """Population stability index (PSI): the symmetrised Kullback-Leibler divergence of binned shares, in nats.

    Statistic and effect are sum((q - p) ln(q / p)) over the bins, p and q being the shares of the baseline and of the
    window. Under no change, the index times n m / (n + m) is about chi-square distributed with bins - 1 degrees of
    freedom, n and m being the sizes: that gives the p-value.

    The usual reading is: below 0.1 no shift, 0.1 to 0.25 some, above a large one; `smallest_effect` is 0.2.

    Parameters
    ----------
    bins
        Bins of about equal baseline mass that a numeric column is cut into, at least 2; ten is the custom.
    least_expected
        Least expected count of a cell for the p-value; rarer cells are pooled for it (see `BinnedTest`). With 10,
        p < 0.01 comes up in 1 to 2 % of unchanged windows even where most words are rare; with the customary 5, in up
        to 4 %.
    floor
        Share in (0, 1) that smaller ones, empty bins before all, are raised to on either side, so that the index is
        finite. The custom is 0.0001. Smaller makes a newly seen value weigh more. A cell empty on both sides adds 0.

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
    >>> said = Psi().compare(baseline, window, position)
    >>> round(said.effect.item(), 3), said.p_value.item() < 1e-9
    (0.281, True)

    References
    ----------
    Siddiqi, N. (2006). Credit Risk Scorecards. Wiley. Yurdakul, B., Naranjo, J. (2020). Statistical properties of the
    population stability index. Journal of Risk Model Validation 14(4).
    """

    name: ClassVar[str] = "psi"
    smallest_effect: ClassVar[float] = 0.2

    least_expected: float = 10.0
    floor: float = 1e-4

    def __post_init__(self) -> None:
        ChiSquareLaw.__post_init__(self)
        check_real(self.name, "floor", self.floor, above=0.0, below=1.0)

    def measure(self, reference: Counts, current: Counts, position: Floats | None = None) -> tuple[Floats, Floats]:
        """Return the index twice: it is its own effect."""
        del position
        p, q = (np.maximum(share, self.floor) for share in shares(reference, current))
        index = ((q - p) * np.log(q / p)).sum(axis=1)
        return index, index

    def chi_square(self, statistic: Floats, balance: Floats) -> Floats:
        """Return index times n m / (n + m)."""
        return statistic * balance
