"""The role of window tests: counts of a baseline and of a window come in, how far apart they are comes out."""

from __future__ import annotations

import abc
import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Counts = NDArray[np.int64] | NDArray[np.float64]
    """Of values; of serially correlated ones, how many independent values they are worth: no whole numbers."""

_AT_ONCE: Final = 2**15
"""Cells that a window test works on in one go: what it makes of them stays in a processor's cache."""


class ColumnKind(enum.StrEnum):
    """What the values of a column are."""

    NUMERIC = "numeric"
    CATEGORY = "category"


@dataclass(frozen=True, slots=True)
class Comparison:
    """What a window test says of several columns at once.

    Attributes
    ----------
    statistic
        (columns,) the test's statistic, as its reference implementation defines it.
    p_value
        (columns,) probability of a statistic at least as large under no change; NaN where the test has none.
    effect
        (columns,) size of the difference in the unit that `WindowTest.smallest_effect` is stated in; not negative.
    """

    statistic: Floats
    p_value: Floats
    effect: Floats


class WindowTest(abc.ABC):
    """Compares the distribution of a window with that of a baseline, for many columns in one call.

    Both are given as counts over common cells, so the same code serves raw samples (cells = the distinct pooled
    values, see `profile.pooled_counts`: exact) and stored profiles (cells = the baseline's grid).

    A test says how far two sides are apart (`measure`) and how likely that is by chance (`tail`); `compare` is what
    users call.
    """

    name: ClassVar[str]
    kinds: ClassVar[frozenset[ColumnKind]]
    smallest_effect: ClassVar[float]

    def compare(
        self,
        reference: Ints,
        current: Ints,
        position: Floats | None = None,
        *,
        inflation: Floats | None = None,
        p_values: bool = True,
    ) -> Comparison:
        """Compare windows with baselines.

        Parameters
        ----------
        reference, current
            (columns, cells) counts. A column with fewer cells than the widest is padded with cells that are
            empty on both sides.
        position
            (columns, cells) non-decreasing values of numeric cells; None for categories.
        inflation
            (columns,) how many successive values tell as much as one independent value, at least 1: the integrated
            autocorrelation time. The p-value is that of n / inflation and m / inflation values with the same shares;
            statistic and effect are those of the values that came. None means 1: independent values.
        p_values
            Whether p-values are wanted; they are most of the work.

        Returns
        -------
        Comparison
            NaN in every field for a column that is empty on either side, and in every p-value that is not wanted.
        """
        rows = max(_AT_ONCE // max(reference.shape[1], 1), 1)
        parts = [
            self._compared(
                reference[part],
                current[part],
                None if position is None else position[part],
                None if inflation is None else inflation[part],
                p_values=p_values,
            )
            for part in (slice(first, first + rows) for first in range(0, max(len(reference), 1), rows))
        ]
        if len(parts) == 1:
            return parts[0]
        statistic, p_value, effect = zip(*((p.statistic, p.p_value, p.effect) for p in parts), strict=True)
        return Comparison(np.concatenate(statistic), np.concatenate(p_value), np.concatenate(effect))

    def _compared(
        self, reference: Ints, current: Ints, position: Floats | None, inflation: Floats | None, *, p_values: bool
    ) -> Comparison:
        reference, current, position = self.cells(reference, current, position)
        statistic, effect = self.measure(reference, current, position)
        if not p_values:
            return Comparison(statistic, np.full(len(statistic), np.nan), effect)
        if inflation is None or (inflation == 1.0).all():
            return Comparison(statistic, self.tail(statistic, reference, current, position), effect)
        fewest = np.minimum(reference.sum(axis=1), current.sum(axis=1))  # each side is worth at least one value
        times = np.minimum(inflation, np.maximum(fewest, 1))[:, np.newaxis]
        worth = reference / times, current / times
        return Comparison(statistic, self.tail(self.measure(*worth, position)[0], *worth, position), effect)

    def cells(self, reference: Ints, current: Ints, position: Floats | None) -> tuple[Ints, Ints, Floats | None]:
        """Return the cells that are compared: those given, unless the test makes coarser ones of them."""
        return reference, current, position

    @abc.abstractmethod
    def measure(self, reference: Counts, current: Counts, position: Floats | None) -> tuple[Floats, Floats]:
        """Return (columns,) statistics and effects of `cells`; NaN for a column that is empty on either side.

        Counts are whole numbers, or those over an inflation.
        """

    @abc.abstractmethod
    def tail(self, statistic: Floats, reference: Counts, current: Counts, position: Floats | None) -> Floats:
        """Return (columns,) p-values of statistics that `measure` gave; NaN where the test has none.

        Counts are whole numbers, or those over an inflation.
        """
