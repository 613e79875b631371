"""What the tests on bins and categories share: bins for numbers, no rare cells for the law, the chi-square law."""

from __future__ import annotations

import abc
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from scipy.special import chdtrc

from anchorwatch_detectors.comparison import ColumnKind, WindowTest
from anchorwatch_detectors.parameters import check_real, check_whole
from anchorwatch_detectors.window.cells import coarsened, rare_tail, sturdy

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Counts = Ints | Floats


@dataclass(frozen=True, slots=True, kw_only=True)
class BinnedTest(WindowTest):
    """A test that compares the shares of bins (numeric columns) or of words (categories).

    Parameters
    ----------
    bins
        Bins of about equal baseline mass that a numeric column is cut into, at least 2. More see finer differences
        and need more values. Categories are compared word by word.
    least_expected
        Least count, at least 0, that a cell must have under no change on the smaller side for the statistic's law to
        be trusted. For the p-value alone, rarer cells are pooled with their rare neighbours; statistic and effect keep
        every cell. Smaller keeps more power and gives more false alarms; 0 pools nothing.
    """

    kinds: ClassVar[frozenset[ColumnKind]] = frozenset(ColumnKind)

    bins: int = 10
    least_expected: float = 5.0

    def __post_init__(self) -> None:
        check_whole(self.name, "bins", self.bins, least=2, most=10_000)
        check_real(self.name, "least_expected", self.least_expected, least=0.0)

    def cells(self, reference: Ints, current: Ints, position: Floats | None) -> tuple[Ints, Ints, Floats | None]:
        """Return the bins of numeric columns, with their numbers for positions, and words as they are."""
        if position is None:
            return reference, current, None
        number = np.broadcast_to(np.arange(self.bins, dtype=np.float64), (len(reference), self.bins))
        return *coarsened(reference, current, self.bins), number

    @abc.abstractmethod
    def measure(self, reference: Counts, current: Counts, position: Floats | None = None) -> tuple[Floats, Floats]:
        """Return statistics and effects; see `WindowTest.measure`. No position is read."""

    def tail(self, statistic: Floats, reference: Counts, current: Counts, position: Floats | None = None) -> Floats:
        """Return p-values; see `WindowTest.tail`. A position says that the cells are bins made from the reference."""
        fixed = position is not None
        pooled = sturdy(reference, current, self.least_expected, fixed=fixed)
        if pooled[0] is not reference:
            statistic, _ = self.measure(*pooled)
        return rare_tail(self.law(statistic, *pooled), reference, current, self.least_expected, fixed=fixed)

    @abc.abstractmethod
    def law(self, statistic: Floats, reference: Counts, current: Counts) -> Floats:
        """Return the probability of a statistic at least as large, for (columns, cells) counts with no rare cell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChiSquareLaw(BinnedTest):
    """A test on bins whose statistic, suitably scaled, is chi-square distributed under no change."""

    @abc.abstractmethod
    def chi_square(self, statistic: Floats, balance: Floats) -> Floats:
        """Return the chi-square value of a statistic; `balance` is n m / (n + m) of the two sizes."""

    def law(self, statistic: Floats, reference: Counts, current: Counts) -> Floats:
        """Return the upper tail of the chi-square law with one degree of freedom less than there are cells."""
        n, m = reference.sum(axis=1), current.sum(axis=1)
        value = self.chi_square(statistic, n * (m / np.maximum(n + m, 1)))
        freedom = np.count_nonzero(reference + current, axis=1) - 1
        tail: Floats = chdtrc(np.maximum(freedom, 1), value)
        return np.where((freedom > 0) | np.isnan(value), tail, 1.0)
