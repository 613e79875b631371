"""What is done to counts over cells before they are compared: coarsened, made shares, pooled where too few."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import betainc

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Counts = Ints | Floats


def coarsened(reference: Ints, current: Ints, bins: int) -> tuple[Ints, Ints]:
    """Return the counts over bins of about equal reference mass.

    A cell goes whole into the bin of its mid-rank in the reference, so a heavy value may leave bins beside it empty,
    and cells that the reference never saw join the bin on whose side they lie.

    Parameters
    ----------
    reference, current
        (columns, cells) counts in order of value.
    bins
        How many.

    Returns
    -------
    tuple of ndarray
        (columns, bins) counts each.
    """
    before = np.cumsum(reference, axis=1) - reference
    total = np.maximum(reference.sum(axis=1, keepdims=True), 1)
    target = np.minimum((2 * before + reference) * bins // (2 * total), bins - 1)
    return _whole(reference, target, bins), _whole(current, target, bins)


def shares(reference: Counts, current: Counts) -> tuple[Floats, Floats]:
    """Return counts as shares of their row, NaN on both sides where either is empty."""
    n, m = reference.sum(axis=1, keepdims=True), current.sum(axis=1, keepdims=True)
    known = np.broadcast_to((n > 0) & (m > 0), reference.shape)
    out = np.full(reference.shape, np.nan), np.full(reference.shape, np.nan)
    return np.divide(reference, n, out=out[0], where=known), np.divide(current, m, out=out[1], where=known)


def expected_counts(reference: Counts, current: Counts) -> tuple[Floats, Floats]:
    """Return the counts expected in each cell under no change, given the sizes and the pooled counts."""
    n, m = reference.sum(axis=1, keepdims=True), current.sum(axis=1, keepdims=True)
    pooled = (reference + current) / np.maximum(n + m, 1)
    return pooled * n, pooled * m


def sturdy(reference: Counts, current: Counts, least: float, *, fixed: bool = False) -> tuple[Counts, Counts]:
    """Return the counts with rare cells pooled, so that a chi-square approximation holds.

    A cell is rare if fewer than `least` values are expected in it on the smaller side under no change (Cochran's
    rule). Rare cells are pooled with their rare neighbours until at least `least` are expected; where all rare cells
    together do not reach it, they join the largest cell, and `rare_tail` has their p-value.

    Parameters
    ----------
    reference, current
        (columns, cells) counts.
    least
        Least expected count of a cell; 0 pools nothing.
    fixed
        Whether the cells were made from the reference, as bins of equal mass are. Then its counts alone say what is
        expected: were those of the window to say it too, just the cells in which few happened to fall would be pooled.

    Returns
    -------
    tuple of ndarray
        (columns, cells of any number) counts each.

    References
    ----------
    Cochran, W. G. (1954). Some methods for strengthening the common chi-square tests. Biometrics 10, 417-451.
    """
    expected, rare = _rare(reference, current, least, fixed=fixed)
    if not rare.any():
        return reference, current
    amount = np.where(rare, expected, 0.0)
    upto = np.cumsum(amount, axis=1)
    # no rare cell reaches `least`, so a span of twice as much always holds at least `least`
    last = np.maximum(upto[:, -1:] // (2 * least) - 1, 0)
    span = np.minimum((upto - amount) // (2 * least), last).astype(np.int64)
    cells = reference.shape[1]
    own = np.arange(cells)
    home = np.where(upto[:, -1:] < least, expected.argmax(axis=1)[:, np.newaxis], cells + span)
    target = np.where(rare, home, own)
    width = cells + int(span.max()) + 1
    return _gathered(reference, target, width), _gathered(current, target, width)


def rare_tail(tail: Floats, reference: Counts, current: Counts, least: float, *, fixed: bool = False) -> Floats:
    """Return p-values that also heed the values of rare cells that were too few for a cell of their own.

    A value never seen before is in such a cell. How many of its values are on one side is binomial under no change,
    given how many there are: its upper tail on either side and the p-value of the other cells are three tests in one
    (Bonferroni's correction).

    Parameters
    ----------
    tail
        (columns,) p-values of the counts that `sturdy` returned.
    reference, current, least, fixed
        As given to `sturdy`.

    Examples
    --------
    >>> rare_tail(np.array([0.5]), np.array([[900, 0]]), np.array([[96, 4]]), 5.0).round(6).tolist()
    [0.0003]
    """
    expected, rare = _rare(reference, current, least, fixed=fixed)
    few = rare & (np.where(rare, expected, 0.0).sum(axis=1, keepdims=True) < least)
    if not few.any():
        return tail
    sizes = reference.sum(axis=1), current.sum(axis=1)
    total = np.maximum(sizes[0] + sizes[1], 1)
    there = [np.where(few, side, 0).sum(axis=1) for side in (reference, current)]
    least_tail = tail
    for own, other, size in ((*there, sizes[0]), (*there[::-1], sizes[1])):
        beyond = betainc(np.where(own > 0, own, 1.0), other + 1.0, size / total)
        least_tail = np.minimum(least_tail, np.where(own > 0, beyond, 1.0))
    return np.where(few.any(axis=1), np.minimum(3 * least_tail, 1.0), tail)


def _rare(reference: Counts, current: Counts, least: float, *, fixed: bool) -> tuple[Floats, NDArray[np.bool_]]:
    """Return how many values are expected in each cell on the smaller side, and whether that is too few."""
    counted = reference if fixed else reference + current
    total = np.maximum(counted.sum(axis=1, keepdims=True), 1)
    smaller = np.minimum(reference.sum(axis=1, keepdims=True), current.sum(axis=1, keepdims=True))
    expected = counted * (smaller / total)
    return expected, (expected < least) & (reference + current > 0)


def _gathered(counts: Counts, target: Ints, width: int) -> Floats:
    """Return the counts summed by target cell, row by row; whole numbers are exact below 2**53."""
    rows = len(counts)
    at = target + width * np.arange(rows)[:, np.newaxis]
    sums = np.bincount(at.ravel(), weights=counts.ravel(), minlength=rows * width)
    return np.asarray(sums, dtype=np.float64).reshape(rows, width)


def _whole(counts: Ints, target: Ints, width: int) -> Ints:
    return _gathered(counts, target, width).astype(np.int64)
