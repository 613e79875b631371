"""Jensen-Shannon distance."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from scipy.special import rel_entr

from anchorwatch_detectors.parameters import check_real
from anchorwatch_detectors.window.binned import ChiSquareLaw
from anchorwatch_detectors.window.cells import shares

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Counts = Ints | Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class JensenShannon(ChiSquareLaw):
    """Jensen-Shannon distance: the root of the mean divergence of both sides from their middle.

    Statistic and effect are the distance, as `scipy.spatial.distance.jensenshannon` has it; with base 2 it runs from 0
    (the same shares) to 1 (nothing in common), and an empty bin needs no special care. Under no change, the squared
    distance in nats times 8 n m / (n + m) is about chi-square distributed with bins - 1 degrees of freedom, n and m
    being the sizes: that gives the p-value.

    `smallest_effect` is 0.1, the common default of drift monitors at base 2 (a mean moved by about a quarter of a
    standard deviation).

    Parameters
    ----------
    bins
        Bins of about equal baseline mass that a numeric column is cut into, at least 2.
    least_expected
        Least expected count of a cell for the p-value; rarer cells are pooled for it (see `BinnedTest`). With 10,
        p < 0.01 comes up in 1 to 2 % of unchanged windows even where most words are rare; with the customary 5, in up
        to 3 %.
    base
        Base of the logarithm, above 1. `smallest_effect` is meant for 2.

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
    >>> said = JensenShannon().compare(baseline, window, position)
    >>> round(said.effect.item(), 3), said.p_value.item() < 1e-9
    (0.223, True)

    References
    ----------
    Lin, J. (1991). Divergence measures based on the Shannon entropy. IEEE Transactions on Information Theory 37(1),
    145-151. Menendez, M. L., Pardo, J. A., Pardo, L., Pardo, M. C. (1997). The Jensen-Shannon divergence. Journal of
    the Franklin Institute 334(2), 307-318 (its law).
    """

    name: ClassVar[str] = "jensen_shannon"
    smallest_effect: ClassVar[float] = 0.1

    least_expected: float = 10.0
    base: float = 2.0

    def __post_init__(self) -> None:
        ChiSquareLaw.__post_init__(self)
        check_real(self.name, "base", self.base, above=1.0)

    def measure(self, reference: Counts, current: Counts, position: Floats | None = None) -> tuple[Floats, Floats]:
        """Return the distance twice: it is its own effect."""
        del position
        p, q = shares(reference, current)
        middle = (p + q) / 2
        nats = rel_entr(p, middle).sum(axis=1) + rel_entr(q, middle).sum(axis=1)
        distance: Floats = np.sqrt(np.maximum(nats, 0.0) / math.log(self.base) / 2)
        return distance, distance

    def chi_square(self, statistic: Floats, balance: Floats) -> Floats:
        """Return the divergence in nats times 8 n m / (n + m)."""
        value: Floats = 8 * math.log(self.base) * np.square(statistic) * balance
        return value
