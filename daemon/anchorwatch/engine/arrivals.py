"""How rows came in event time: what a baseline keeps of it, and how many are to be expected in a bin.

A bin of event time is about as long as a hundred rows of the baseline took. How much its own bins differ says how much
others may: successive ones by bursts, and all of them by the cycles that it covers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec
import numpy as np

from anchorwatch.engine.season import LENGTH

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from anchorwatch.engine.season import Cycle

ROWS: Final = 100
"""Rows of a bin of the baseline, on average."""
MOST, LEAST = 200, 10
"""Bins that are kept, and bins without which nothing is said."""
_AROUND = 2.5  # bins to either side of a time of the cycle that say what is usual there


class Arrivals(msgspec.Struct, frozen=True):
    """Rows of a baseline in successive bins of event time.

    Attributes
    ----------
    start, width
        Where the first bin begins, and how long each is, ns.
    counts
        Rows by bin.
    gap
        The longest pause between two rows, ns.
    """

    start: int
    width: int
    counts: list[int]
    gap: int


class Usual(NamedTuple):
    """What is usual in a bin: rows on average, their variance as a multiple of that, fewest, and most."""

    mean: float
    dispersion: float
    fewest: int
    most: int


def arrivals_of(time: NDArray[np.int64]) -> Arrivals | msgspec.UnsetType:
    """Return how rows came, (n,) event times, rising; UNSET where they are too few or all of one moment."""
    bins = min(len(time) // ROWS, MOST)
    width = int(time[-1] - time[0]) // bins if bins >= LEAST else 0
    if width <= 0:
        return msgspec.UNSET
    start = int(time[0])
    counts = np.bincount((time[time < start + bins * width] - start) // width, minlength=bins)
    return Arrivals(start, width, counts.tolist(), int(np.diff(time).max()))


def usual(arrivals: Arrivals, cycle: Cycle | None, begin: int) -> Usual:
    """Return what is usual in the bin that begins at an event time; with a cycle, at that time of it.

    The variance of all bins is that of a bin, cycles that the baseline covers included. With a cycle it is that of
    successive bins: half the squared difference of two, relative to their mean (von Neumann, 1941). It is taken at its
    upper limit (95 %, as of normal counts), for few bins say little of it.
    """
    from scipy.special import chdtri

    counts = np.array(arrivals.counts, np.float64)
    if cycle is None:
        here, dispersion = counts, float(counts.var(ddof=1) / counts.mean())
    else:
        begins = arrivals.start + arrivals.width * np.arange(len(counts))
        apart = (begins - begin) % LENGTH[cycle]
        near = np.minimum(apart, LENGTH[cycle] - apart) <= _AROUND * arrivals.width
        here = counts[near] if near.any() else counts
        pairs = counts[1:] + counts[:-1]
        squares = np.diff(counts)[pairs > 0] ** 2 / pairs[pairs > 0]
        dispersion = float(squares.mean()) if len(squares) else 1.0
    dispersion *= (len(counts) - 1) / float(chdtri(len(counts) - 1, 0.95))
    return Usual(float(here.mean()), max(dispersion, 1.0), int(here.min()), int(here.max()))


def at_most(count: int, usual: Usual) -> float:
    """Return the probability of so few rows or fewer: negative binomial, Poisson without dispersion."""
    from scipy.special import betainc, gammaincc

    if usual.mean <= 0:
        return 1.0
    if usual.dispersion < 1.0 + 1e-6:
        return float(gammaincc(count + 1, usual.mean))
    return float(betainc(usual.mean / (usual.dispersion - 1.0), count + 1, 1.0 / usual.dispersion))


def at_least(count: int, usual: Usual) -> float:
    """Return the probability of so many rows or more."""
    return 1.0 if count <= 0 else 1.0 - at_most(count - 1, usual)
