"""How large a change is, in the unit of what changed."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from anchorwatch.decide.evidence import DEVIATIONS, POINTS, SPREAD, VARIATION, Kind

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from anchorwatch.engine.past import Tail
    from anchorwatch.engine.reference import Reference

WINDOW_UNITS: Final = {
    "chi_square": "Cramer's V",
    "fisher_exact": "Cohen's h",
    "g_test": "Jensen-Shannon distance",
    "hellinger": "Hellinger distance",
    "jensen_shannon": "Jensen-Shannon distance",
    "kolmogorov_smirnov": "Kolmogorov-Smirnov distance",
    "kuiper": "Kuiper distance",
    "mann_whitney": "Cliff's delta",
    "psi": "PSI",
    "total_variation": VARIATION,
    "wasserstein": DEVIATIONS,
}
"""Units of the effects of window tests."""
LEAST: Final = 1e-6  # mean ranks nearer to 0 and 1 are held for so near


class Effect(NamedTuple):
    """A signed size and its unit."""

    size: float
    unit: str


def window_unit(test: str) -> str:
    """Return the unit of a window test's effect; that of one we do not know is its name."""
    return WINDOW_UNITS.get(test, test.replace("_", " "))


def points(difference: float) -> Effect:
    """Return a difference of two rates (0 to 1)."""
    return Effect(100.0 * difference, POINTS)


def of_spread(now: float, usual: float) -> Effect:
    """Return by how much a spread differs, as a share; both are mean squared distances."""
    return Effect(math.sqrt(now / usual) - 1.0 if usual > 0.0 else math.nan, SPREAD)


def of_mean_rank(now: float, usual: float) -> Effect:
    """Return the standardised mean difference that mean ranks tell of.

    Of two normal distributions d standard deviations apart, a value of the one lies above one of the other with a
    chance of Phi(d / sqrt(2)), which is the mean rank (McGraw and Wong, "A common language effect size statistic",
    Psychological Bulletin 111, 1992). Tails and units of the feature do not matter to it.
    """
    normal = NormalDist()
    scores = [normal.inv_cdf(min(max(rank, LEAST), 1.0 - LEAST)) for rank in (now, usual)]
    return Effect(math.sqrt(2.0) * (scores[0] - scores[1]), DEVIATIONS)


def of_categories(now: NDArray[np.int64], usual: NDArray[np.int64]) -> Effect:
    """Return the share of values that would have to move for one to be as the other; (cells,) counts."""
    if not now.sum() or not usual.sum():
        return Effect(math.nan, VARIATION)
    return Effect(float(np.abs(now / now.sum() - usual / usual.sum()).sum() / 2.0), VARIATION)


def of_lane(
    reference: Reference, lane: tuple[int, int], levels: tuple[float, float], counts: NDArray[np.int64], *, spread: bool
) -> Effect:
    """Return how far a lane is from the baseline.

    Parameters
    ----------
    reference, lane
        The baseline; group and column.
    levels
        Mean (of the squared distances, for a spread) now and in the baseline.
    counts
        (good cells of the column,) values now.
    spread
        Whether it is the spread that changed.
    """
    group, index = lane
    column = reference.columns[index]
    ranked = column.numeric or reference.season is not None  # the words behind ranks within a time are not remembered
    if not ranked and column.kind is not Kind.ACCURACY:
        return of_categories(counts, cells_of(reference, index, reference.counts[group]))
    if spread:
        return of_spread(*levels)
    return (
        points(levels[0] - levels[1]) if column.kind is Kind.ACCURACY and not column.numeric else of_mean_rank(*levels)
    )


def cells_of(reference: Reference, index: int, counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the counts of a column's good cells, out of a whole vector of counts."""
    start = int(reference.starts[index])
    return counts[start : start + int(reference.sizes[index])]


def counts_of(reference: Reference, index: int, tail: Tail, rows: int) -> NDArray[np.int64]:
    """Return the counts over a column's good cells of the last rows of a lane, as far as they are remembered."""
    start, size = int(reference.starts[index]), int(reference.sizes[index])
    numbers = reference.value[start : start + size].astype(np.float32)
    recent = tail.recent[-rows:]
    known = recent[~np.isnan(recent)]
    order = np.argsort(numbers, kind="stable")
    place = np.minimum(np.searchsorted(numbers[order], known), size - 1)
    return np.bincount(order[place], minlength=size)
