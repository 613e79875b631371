"""What a baseline keeps of a column: a fine grid with counts and moments, or words with counts; never a row.

Profiles of both kinds are had from here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np

from anchorwatch_detectors import piecewise
from anchorwatch_detectors.category_profile import CategoryProfile, check_entries

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

__all__ = ["KNOTS", "CategoryProfile", "NumericProfile", "pooled_counts"]

KNOTS: Final = 240
_LARGEST: Final = float(np.finfo(np.float64).max)


@dataclass(frozen=True, slots=True, eq=False)
class NumericProfile:
    """Distribution of a numeric column: exact at its knots, linear between them.

    k knots make 2k+1 cells: (-inf, g0), {g0}, (g0, g1), {g1}, ..., {g_(k-1)}, (g_(k-1), inf).

    Attributes
    ----------
    grid
        (k,) float64 strictly increasing knots: 240 sample quantiles with the smallest and the largest value among
        them, each once, or all distinct values where there are no more than 240. Every value that makes up more than
        1/239 of the sample is a knot.
    counts
        (2k+1,) int64 values in each cell; the outer two are 0.
    masses
        (2k+1,) float64 what the distribution function is made of: the counts, except after a merge, where a cell that
        the other's knots cut is shared in proportion to width without rounding.
    mean, m2
        Mean and sum of squared deviations from it; m2 stops at the largest float64.
    minimum, maximum
        Range; NaN, like the mean, where there are no values.
    missing
        Values that were not finite.
    """

    grid: Floats
    counts: Ints
    masses: Floats
    mean: float
    m2: float
    minimum: float
    maximum: float
    missing: int

    @classmethod
    def of(cls, values: ArrayLike, knots: int = KNOTS) -> Self:
        """Return the profile of a sample; the order of the values does not matter.

        Parameters
        ----------
        values
            (n,) numbers; those that are not finite count as missing.
        knots
            Most knots to keep, at least 2.
        """
        everything = np.asarray(values, dtype=np.float64).ravel()
        sample = np.sort(everything[np.isfinite(everything)]) + 0.0  # -0.0 becomes 0.0
        n = len(sample)
        if n == 0:
            return cls._empty(len(everything))
        grid = sample[np.r_[True, sample[1:] != sample[:-1]]]
        if len(grid) > knots:
            grid = np.unique(sample[piecewise.spread(n, knots)])
        edges = np.stack([np.searchsorted(sample, grid, "left"), np.searchsorted(sample, grid, "right")], axis=1)
        counts = np.diff(edges.ravel(), prepend=0, append=n).astype(np.int64)
        with np.errstate(over="ignore"):
            mean = float(np.mean(sample))
            mean = mean if np.isfinite(mean) else float(np.sum(sample / n))
            m2 = min(float(np.sum((sample - mean) ** 2)), _LARGEST)
        low, high = float(sample[0]), float(sample[-1])
        mean = min(max(mean, low), high)
        return cls(grid, counts, counts.astype(np.float64), mean, m2, low, high, len(everything) - n)

    @classmethod
    def _empty(cls, missing: int) -> Self:
        return cls(np.empty(0), np.zeros(1, np.int64), np.zeros(1), np.nan, 0.0, np.nan, np.nan, missing)

    @property
    def n(self) -> int:
        """Values counted."""
        return int(self.counts.sum())

    @property
    def std(self) -> float:
        """Standard deviation of the values themselves (divisor n); NaN where there are none."""
        return float(np.sqrt(self.m2 / self.n)) if self.n else np.nan

    @property
    def position(self) -> Floats:
        """(2k+1,) value that stands for each cell: the knot, or the middle; the outermost knot beyond it."""
        return piecewise.middles(self.grid)

    @property
    def mid_ranks(self) -> Floats:
        """(2k+1,) mid-distribution function of each cell, P(below) + P(in it) / 2, in [0, 1]; NaN without values."""
        return piecewise.mid_ranks(self.masses)

    def cells(self, values: ArrayLike) -> Ints:
        """Return the cell of each value.

        Parameters
        ----------
        values
            (n,) numbers.

        Returns
        -------
        ndarray
            (n,) int64 in 0..2k; -1 for a value that is not finite.
        """
        return piecewise.locate(self.grid, np.asarray(values, dtype=np.float64))

    def cdf(self, values: ArrayLike) -> Floats:
        """Return P(X <= value), linear between knots; NaN for NaN and without values."""
        x = np.atleast_1d(np.asarray(values, dtype=np.float64))
        known = ~np.isnan(x) & (self.n > 0)
        out = np.full(x.shape, np.nan)
        if known.any():
            _, upto = piecewise.mass_up_to(self.grid, self.masses, x[known])
            out[known] = upto / np.cumsum(self.masses)[-1]
        return out

    def ppf(self, probabilities: ArrayLike) -> Floats:
        """Return the smallest value whose `cdf` reaches each probability; NaN outside [0, 1] and without values."""
        q = np.atleast_1d(np.asarray(probabilities, dtype=np.float64))
        known = (q >= 0) & (q <= 1) & (self.n > 0)
        out = np.full(q.shape, np.nan)
        if known.any():
            out[known] = piecewise.inverse(self.grid, self.masses, q[known] * np.cumsum(self.masses)[-1])
        return out

    def merge(self, other: Self) -> Self:
        """Return the profile of both samples together; the order does not matter.

        The knots are those of both. `counts` adds up exactly: a cell that the other's knots cut is shared in
        proportion to width, in whole numbers that add up to it; all others keep their counts. `masses` is shared
        without rounding, so `cdf` and `ppf` are those of the count-weighted mixture. Moments follow Chan, Golub and
        LeVeque, "Algorithms for computing the sample variance", The American Statistician 37 (1983).
        """
        missing = self.missing + other.missing
        if not (self.n and other.n):
            return replace(self if self.n else other, missing=missing)
        grid = np.union1d(self.grid, other.grid)
        sides = (self, other)
        counts = [piecewise.split_counts(side.grid, side.counts, grid) for side in sides]
        masses = [piecewise.split_masses(side.grid, side.masses, grid) for side in sides]
        low, high = min(self.minimum, other.minimum), max(self.maximum, other.maximum)
        n = self.n + other.n
        mean = min(max(self.mean * (self.n / n) + other.mean * (other.n / n), low), high)
        with np.errstate(over="ignore"):
            between = float(np.square(np.float64(other.mean) - self.mean) * (self.n * other.n / n))
        m2 = min(self.m2 + other.m2 + between, _LARGEST)
        return type(self)(grid, counts[0] + counts[1], masses[0] + masses[1], mean, m2, low, high, missing)

    def compact(self, knots: int = KNOTS) -> Self:
        """Return a profile of at most so many knots, chosen as `of` chooses them; cells join, counts stay exact."""
        if len(self.grid) <= knots:
            return self
        kept = piecewise.spread_knots(self.counts, knots)
        cells = np.r_[0, np.stack([2 * kept + 1, 2 * kept + 2], axis=1).ravel()]
        counts, masses = np.add.reduceat(self.counts, cells), np.add.reduceat(self.masses, cells)
        return replace(self, grid=self.grid[kept], counts=counts, masses=masses)

    def to_plain(self) -> dict[str, Any]:
        """Return the profile as numbers and lists that JSON keeps exactly; None for what is undefined."""
        return {
            "grid": self.grid.tolist(),
            "counts": self.counts.tolist(),
            "masses": None if np.array_equal(self.masses, self.counts) else self.masses.tolist(),
            "mean": self.mean if self.n else None,
            "m2": self.m2,
            "minimum": self.minimum if self.n else None,
            "maximum": self.maximum if self.n else None,
            "missing": self.missing,
        }

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """Return the profile that `to_plain` described.

        Raises
        ------
        ValueError
            If it describes none: an entry is missing, knots do not increase, counts do not fit them or are negative.
        """
        check_entries(plain, "grid", "counts", "masses", "mean", "m2", "minimum", "maximum", "missing")
        grid = np.asarray(plain["grid"], dtype=np.float64)
        counts = np.asarray(plain["counts"], dtype=np.int64)
        masses = np.asarray(counts if plain["masses"] is None else plain["masses"], dtype=np.float64)
        piecewise.check(grid, counts, masses)
        mean, low, high = (
            np.nan if plain[key] is None else float(plain[key]) for key in ("mean", "minimum", "maximum")
        )
        return cls(grid, counts, masses, mean, float(plain["m2"]), low, high, int(plain["missing"]))


def pooled_counts(reference: Sequence[ArrayLike], current: Sequence[ArrayLike]) -> tuple[Floats, Ints, Ints]:
    """Count raw samples over their distinct pooled values, so that a window test on them is exact.

    Parameters
    ----------
    reference, current
        One sequence of numbers per column; values that are not finite are left out.

    Returns
    -------
    position, reference_counts, current_counts
        (columns, cells) each, as `WindowTest.compare` takes them: columns with fewer distinct values are padded with
        their last value and empty cells.

    Raises
    ------
    ValueError
        If the two have not the same number of columns.
    """
    columns = []
    for sides in zip(reference, current, strict=True):
        a, b = (np.asarray(side, dtype=np.float64).ravel() for side in sides)
        a, b = a[np.isfinite(a)], b[np.isfinite(b)]
        values, at = np.unique(np.concatenate([a, b]), return_inverse=True)
        counts = [np.bincount(at[part], minlength=len(values)) for part in (slice(len(a)), slice(len(a), None))]
        columns.append((values, *counts))
    width = max((len(values) for values, _, _ in columns), default=0)
    position = np.zeros((len(columns), width))
    counted = np.zeros((2, len(columns), width), np.int64)
    for row, (values, before, after) in enumerate(columns):
        position[row, : len(values)] = values
        position[row, len(values) :] = values[-1] if len(values) else 0.0
        counted[0, row, : len(values)], counted[1, row, : len(values)] = before, after
    return position, counted[0], counted[1]
