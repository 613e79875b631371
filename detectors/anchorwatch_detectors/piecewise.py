"""The distribution that counts over knots stand for: points carry their mass, between them it lies evenly.

k knots cut the line into 2k+1 cells: (-inf, g0), {g0}, (g0, g1), {g1}, ..., {g_(k-1)}, (g_(k-1), inf). The outer two
are empty here, since the knots hold the smallest and the largest value; later values may fall into them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


def spread(n: int, limit: int) -> Ints:
    """Return (limit,) positions among n sorted values, evenly spread from the first to the last."""
    return (np.arange(limit) * (n - 1) + (limit - 1) // 2) // (limit - 1)


def spread_knots(counts: Ints, limit: int) -> Ints:
    """Return positions of at most `limit` knots, evenly spread over the (2k+1,) counts, first and last among them."""
    cell = np.searchsorted(np.cumsum(counts), spread(int(counts.sum()), limit) + 1)
    return np.unique(np.r_[0, cell[1:-1] // 2, len(counts) // 2 - 1])


def middles(knots: Floats) -> Floats:
    """Return the (2k+1,) value that stands for each cell: the knot, or the middle; the outermost knot beyond it."""
    if len(knots) == 0:
        return np.zeros(1)
    inner = np.clip(knots[:-1] / 2 + knots[1:] / 2, knots[:-1], knots[1:])
    return np.concatenate([knots[:1], np.stack([knots, np.append(inner, knots[-1])], axis=1).ravel()])


def mid_ranks(masses: Floats) -> Floats:
    """Return mass before plus half the mass of each cell, as a share of all; NaN where there is none."""
    total = np.cumsum(masses)
    if total[-1] <= 0:
        return np.full(len(masses), np.nan)
    ranks: Floats = np.clip((total - masses / 2) / total[-1], 0.0, 1.0)
    return ranks


def check(knots: Floats, counts: Ints, masses: Floats) -> None:
    """Raise ValueError unless knots and cells can belong to one column.

    Parameters
    ----------
    knots
        Must be (k,), finite and strictly increasing.
    counts, masses
        Must be (2k+1,), not negative, with empty outer cells.
    """
    if not np.isfinite(knots).all() or not (np.diff(knots) > 0).all():
        raise ValueError("a numeric profile's grid must be finite and strictly increasing: build the baseline anew")
    cells = 2 * len(knots) + 1
    if not len(counts) == len(masses) == cells:
        raise ValueError(f"{len(knots)} knots make {cells} cells, not {len(counts)}: build the baseline anew")
    if not ((counts >= 0).all() and (masses >= 0).all()) or counts[0] or counts[-1]:
        raise ValueError("a numeric profile's counts are negative or outside its range: build the baseline anew")


def locate(knots: Floats, values: Floats) -> Ints:
    """Return the cell of each value.

    Parameters
    ----------
    knots
        (k,) strictly increasing.
    values
        (n,) values.

    Returns
    -------
    ndarray
        (n,) int64 in 0..2k; -1 for a value that is not finite.
    """
    if len(knots) == 0:
        return np.where(np.isfinite(values), 0, -1).astype(np.int64, copy=False)
    left = np.searchsorted(knots, values, side="left")
    on_knot = knots[np.minimum(left, len(knots) - 1)] == values
    return np.where(np.isfinite(values), 2 * left + on_knot, -1).astype(np.int64, copy=False)


def mass_up_to(knots: Floats, masses: Floats, values: Floats) -> tuple[Floats, Floats]:
    """Return the mass strictly below and at or below each value.

    Parameters
    ----------
    knots
        (k,) strictly increasing, k >= 1.
    masses
        (2k+1,) mass of each cell.
    values
        (n,) values, none NaN.

    Returns
    -------
    tuple of ndarray
        (n,) each.
    """
    total = np.cumsum(masses)
    cell = locate(knots, np.clip(values, -np.finfo(np.float64).max, np.finfo(np.float64).max))
    before = total[cell] - masses[cell]
    before[cell > 0] = total[cell[cell > 0] - 1]
    share = _share(knots, cell, values)
    open_cell = cell % 2 == 0
    below = np.where(open_cell, before + share * masses[cell], before)
    upto = np.where(open_cell, below, total[cell])
    return below, upto


def split_counts(knots: Floats, counts: Ints, finer: Floats) -> Ints:
    """Return the counts over the cells of a finer grid.

    A cell that the finer knots cut is shared in proportion to the widths of its pieces; the running share is rounded
    to whole numbers (half up), so that the pieces add up to the cell, and every cell that is not cut keeps its count.

    Parameters
    ----------
    knots
        (k,) strictly increasing, k >= 1.
    counts
        (2k+1,) counts of the cells of `knots`.
    finer
        (m,) strictly increasing; holds all of `knots`.

    Returns
    -------
    ndarray
        (2m+1,) int64 with the same sum.
    """
    total = np.cumsum(counts)
    cell = locate(knots, finer)
    open_cell = cell % 2 == 0
    before = np.where(cell > 0, total[cell - 1], 0)
    part = np.floor(_share(knots, cell, finer) * counts[cell] + 0.5).astype(np.int64)
    below = np.where(open_cell, before + part, before)
    upto = np.where(open_cell, below, total[cell])
    edges = np.stack([below, upto], axis=1).ravel()
    return np.diff(edges, prepend=0, append=total[-1])


def split_masses(knots: Floats, masses: Floats, finer: Floats) -> Floats:
    """Return the masses over the cells of a finer grid, cut cells shared in proportion to width.

    Parameters
    ----------
    knots, masses, finer
        As in `split_counts`, with float64 masses.

    Returns
    -------
    ndarray
        (2m+1,) float64.
    """
    edges = np.stack(mass_up_to(knots, masses, finer), axis=1).ravel()
    return np.diff(edges, prepend=0.0, append=float(np.cumsum(masses)[-1]))


def inverse(knots: Floats, masses: Floats, levels: Floats) -> Floats:
    """Return the smallest value at or below which each level of mass is reached.

    Parameters
    ----------
    knots, masses
        (k,) and (2k+1,), k >= 1, with a positive sum.
    levels
        (n,) mass, from 0 to the sum of `masses`.

    Returns
    -------
    ndarray
        (n,) float64, from the first knot to the last.
    """
    total = np.cumsum(masses)
    cell = np.clip(np.searchsorted(total, levels, side="left"), 1, 2 * len(knots) - 1)
    high = knots[cell // 2]
    low = knots[(cell - 1) // 2]
    mass = masses[cell]
    part = np.divide(levels - total[cell - 1], mass, out=np.ones_like(levels), where=mass > 0)
    scale = _scale(knots)
    inside = (low * scale + part * (high * scale - low * scale)) / scale
    return np.where(cell % 2 == 1, high, np.clip(inside, low, high))


def _share(knots: Floats, cell: Ints, values: Floats) -> Floats:
    """Return how far into its cell each value lies, 0 to 1; 0 in the cell below the first knot and beyond the last."""
    inner = (cell > 0) & (cell < 2 * len(knots)) & (cell % 2 == 0)
    low = knots[np.where(inner, cell // 2 - 1, 0)]
    high = knots[np.where(inner, cell // 2, 0)]
    scale = _scale(knots)
    value = np.where(inner, values, low) * scale
    return np.divide(value - low * scale, high * scale - low * scale, out=np.zeros_like(low), where=inner)


def _scale(knots: Floats) -> float:
    """Return the power of two that keeps differences of knots from overflowing."""
    return 0.5 if max(abs(knots[0]), abs(knots[-1])) > 2.0**1022 else 1.0
