"""The walk through two sorted samples at once, on which exact distances of distribution functions rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from anchorwatch_detectors.kernels.compiling import kernel

if TYPE_CHECKING:
    from anchorwatch_detectors.base import Floats


class Walk(NamedTuple):
    """Where a walk through both samples is, and what it has seen.

    Attributes
    ----------
    i, j
        Values passed of the first and of the second sample.
    gap
        m i - n j: n m times the distance of the distribution functions here.
    last
        The value passed last.
    most, area
        Largest gap so far, and the area of the gaps over the values passed.
    """

    i: int
    j: int
    gap: int
    last: float
    most: int
    area: float


@kernel
def distances(first: Floats, second: Floats) -> tuple[int, float]:
    """Return the largest gap of two distribution functions and the area between them, both times n m.

    Parameters
    ----------
    first, second
        (n + 1,) and (m + 1,) sorted, at least one finite value each, and infinity as the last.
    """
    n, m = len(first) - 1, len(second) - 1
    part = (n + m) // 4
    a, b = _begun(first, second, 0), _begun(first, second, part)
    c, d = _begun(first, second, 2 * part), _begun(first, second, 3 * part)
    for _ in range(part):  # four walks at once, because each step waits for the one before
        a, b = _step(a, first, second, n, m), _step(b, first, second, n, m)
        c, d = _step(c, first, second, n, m), _step(d, first, second, n, m)
    for _ in range(4 * part, n + m):
        d = _step(d, first, second, n, m)
    return max(a.most, b.most, c.most, d.most), a.area + b.area + c.area + d.area


@kernel
def _begun(first: Floats, second: Floats, total: int) -> Walk:
    """Return a walk that has passed the `total` smallest values and seen nothing."""
    n, m = len(first) - 1, len(second) - 1
    i = _taken(first, second, total)
    j = total - i
    last = min(first[0], second[0])
    if i > 0:
        last = max(last, first[i - 1])
    if j > 0:
        last = max(last, second[j - 1])
    return Walk(i, j, m * i - n * j, last, 0, 0.0)


@kernel
def _taken(first: Floats, second: Floats, total: int) -> int:
    """Return how many of the `total` smallest values are of the first sample; of equal ones, its own come first."""
    n, m = len(first) - 1, len(second) - 1
    low, high = max(0, total - m), min(total, n)
    while low < high:
        i = (low + high) // 2
        if first[i] <= second[total - 1 - i]:
            low = i + 1
        else:
            high = i
    return low


@kernel
def _step(walk: Walk, first: Floats, second: Floats, n: int, m: int) -> Walk:
    """Pass the next value.

    Which sample gives it is a coin's throw that no processor foresees, so nothing branches on it: the side is counted
    as 0 or 1, and an interval of no width (a tie) weighs nothing.
    """
    x, y = first[walk.i], second[walk.j]
    own = 1 if x <= y else 0
    value = min(x, y)
    width = value - walk.last
    size = abs(walk.gap)
    most = max(walk.most, size if width > 0.0 else 0)
    gap = walk.gap + own * (n + m) - n
    return Walk(walk.i + own, walk.j + 1 - own, gap, value, most, walk.area + size * width)
