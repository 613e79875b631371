"""What counts over a baseline's grid leave open about the rows: bounds of the statistics that they could have.

A grid's cells are its knots, which are exact, and the open intervals between them, of which only the number of values
is known (`profile.NumericProfile`). Wherever the values of an interval lie, the two distribution functions go through
it from what they are at its one end to what they are at its other: that bounds their distance inside it, and so every
statistic that is made of distances.

A decision needs the rows only where a critical value lies between the bounds: `decided` says where, and `settled` asks
for the exact test there and nowhere else. What nobody can settle is taken for not significant, and says so.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Bools = NDArray[np.bool_]


class Bounds(NamedTuple):
    """(columns,) least and largest value that a statistic of the rows can have; NaN where a side is empty."""

    lower: Floats
    upper: Floats


class Side(enum.StrEnum):
    """On which side of a critical value a statistic is, as far as its bounds tell."""

    ABOVE = "above"
    BELOW = "below"
    OPEN = "open"


class Decision(NamedTuple):
    """Whether a difference is significant, and what says so.

    `reason` is "bounds" (whatever the rows are), "rows" (the exact test) or "rows_unknown" (the rows would have to
    decide and there are none: not significant).
    """

    significant: bool
    reason: str


def settled(sides: Sequence[Side], exact: Callable[[int], bool] | None = None) -> list[Decision]:
    """Return the decision of each column.

    Parameters
    ----------
    sides
        What `decided` returned.
    exact
        Returns whether a column is significant by its rows, or by finer cells; asked for open columns alone. None
        where there are none.

    Examples
    --------
    >>> settled([Side.ABOVE, Side.OPEN], lambda column: True)
    [Decision(significant=True, reason='bounds'), Decision(significant=True, reason='rows')]
    >>> settled([Side.BELOW, Side.OPEN])
    [Decision(significant=False, reason='bounds'), Decision(significant=False, reason='rows_unknown')]
    """
    decisions = []
    for column, side in enumerate(sides):
        if side is not Side.OPEN:
            decisions.append(Decision(side is Side.ABOVE, "bounds"))
        elif exact is None:
            decisions.append(Decision(significant=False, reason="rows_unknown"))
        else:
            decisions.append(Decision(exact(column), "rows"))
    return decisions


def decided(bounds: Bounds, critical: ArrayLike) -> list[Side]:
    """Return, column by column, whether all that the rows can be is significant, none of it, or only some.

    Parameters
    ----------
    bounds
        Of a statistic.
    critical
        Value from which on it is significant, one or (columns,): `kolmogorov_law.critical_gap(n, m, level) / (n m)`.

    Returns
    -------
    list of Side
        OPEN where the rows would have to decide. A column with an empty side is OPEN.

    Examples
    --------
    >>> decided(Bounds(np.array([0.2, 0.1, 0.0]), np.array([0.3, 0.3, 0.1])), 0.15)
    [<Side.ABOVE: 'above'>, <Side.OPEN: 'open'>, <Side.BELOW: 'below'>]
    """
    least = np.asarray(critical, dtype=np.float64)
    margin = 1e-12 * np.abs(least)  # rounding decides nothing
    sides = np.select([bounds.lower >= least + margin, bounds.upper < least - margin], [0, 1], 2)
    return [(Side.ABOVE, Side.BELOW, Side.OPEN)[side] for side in sides.tolist()]


def kolmogorov_smirnov(reference: Ints, current: Ints) -> Bounds:
    """Return bounds of the largest distance of two distribution functions.

    The lower one is what `window.kolmogorov_smirnov` says on a grid: so what it calls significant is so for the rows.

    Parameters
    ----------
    reference, current
        (columns, 2k + 1) counts over a grid of k knots: interval, knot, interval, ..., knot, interval. Cells that are
        empty on both sides may follow.
    """
    paths = _paths(reference, current)
    highest = np.maximum(paths.above, paths.below)
    return _known(np.abs(paths.behind).max(axis=1, initial=0.0), highest.max(axis=1, initial=0.0), paths)


def kuiper(reference: Ints, current: Ints) -> Bounds:
    """Return bounds of how far one distribution function lies above the other, plus how far below.

    Parameters are those of `kolmogorov_smirnov`.
    """
    paths = _paths(reference, current)
    ends = paths.behind.max(axis=1, initial=0.0) - paths.behind.min(axis=1, initial=0.0)
    return _known(ends, paths.above.max(axis=1, initial=0.0) + paths.below.max(axis=1, initial=0.0), paths)


def wasserstein(reference: Ints, current: Ints, grid: Floats) -> Bounds:
    """Return bounds of the area between two distribution functions, in the unit of the grid.

    Parameters
    ----------
    reference, current
        As in `kolmogorov_smirnov`.
    grid
        (columns, k) knots. Values beyond the outermost ones may be anywhere there: then the upper bound is infinite.
    """
    paths = _paths(reference, current)
    width = _widths(grid, reference.shape[1])
    return _integrated(paths.least, np.maximum(paths.above, paths.below), width, paths)


def energy_distance(reference: Ints, current: Ints, grid: Floats) -> Bounds:
    """Return bounds of the root of twice the integrated squared distance, in the root of the grid's unit.

    Parameters are those of `wasserstein`.
    """
    paths = _paths(reference, current)
    width = _widths(grid, reference.shape[1])
    square = _integrated(paths.least**2, np.maximum(paths.above, paths.below) ** 2, width, paths)
    return Bounds(np.sqrt(2 * square.lower), np.sqrt(2 * square.upper))


class _Paths(NamedTuple):
    """What the difference of two distribution functions (reference less current) can be in each cell.

    Attributes
    ----------
    behind
        (columns, cells) what it is behind the cell.
    above, below
        (columns, cells) the most it can rise above 0, and fall below 0, in the cell or at its ends.
    least
        (columns, cells) least distance from 0 inside the cell.
    known
        (columns,) whether there are values on both sides.
    """

    behind: Floats
    above: Floats
    below: Floats
    least: Floats
    known: Bools


def _paths(reference: Ints, current: Ints) -> _Paths:
    n, m = (side.sum(axis=1, keepdims=True) for side in (reference, current))
    own, other = reference / np.maximum(n, 1), current / np.maximum(m, 1)
    behind = np.cumsum(reference, axis=1) / np.maximum(n, 1) - np.cumsum(current, axis=1) / np.maximum(m, 1)
    before = np.concatenate([np.zeros_like(n, dtype=np.float64), behind[:, :-1]], axis=1)
    at_once = np.arange(reference.shape[1]) % 2 == 1  # a knot's values all lie in one place
    highest = np.where(at_once, np.maximum(before, behind), before + own)
    lowest = np.where(at_once, np.minimum(before, behind), before - other)
    least = np.maximum(np.maximum(lowest, -highest), 0.0)
    return _Paths(behind, highest, -lowest, least, ((n > 0) & (m > 0))[:, 0])


def _widths(grid: Floats, cells: int) -> Floats:
    """Return (columns, cells) the widths of the intervals; infinite for the outer ones, 0 for knots and padding."""
    width = np.zeros((len(grid), cells))
    width[:, 2 : 2 * grid.shape[1] : 2] = np.diff(grid, axis=1)
    width[:, [0, 2 * grid.shape[1]]] = np.inf
    return width


def _integrated(least: Floats, most: Floats, width: Floats, paths: _Paths) -> Bounds:
    """Return bounds of the integral of something that lies between `least` and `most` in each cell."""
    lower = least * np.where(np.isinf(width), 0.0, width)  # far out both have seen everything, or nothing
    upper = np.multiply(most, width, out=np.zeros_like(width), where=most > 0)
    return _known(lower.sum(axis=1), upper.sum(axis=1), paths)


def _known(lower: Floats, upper: Floats, paths: _Paths) -> Bounds:
    return Bounds(np.where(paths.known, lower, np.nan), np.where(paths.known, np.maximum(lower, upper), np.nan))
