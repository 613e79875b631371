"""Two versions on the same predictions: which is wrong where the other is right."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from anchorwatch_detectors.versus import Contest, Evidence, Standing, bar

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from anchorwatch_detectors.versus import Counts

BETTER, SAME, WORSE = 0, 1, 2
"""Sorts of steps: the second version was better, as good, or worse than the first on a prediction."""

BETS: Final = tuple(0.5 * 2.0 ** (-k / 2) for k in range(20))
"""Stakes that are mixed in equal parts, from 1/2 (few predictions on which the two differ) to 1/1450."""


class Paired(Contest):
    """Whether the mean of paired differences is above or below a margin.

    A difference is 1 where the second version was worse on a prediction, -1 where it was better, 0 where both did as
    well. Against "the mean is at most m" one bets a stake: after each difference d the capital is multiplied by
    1 + stake (d - m), which under that hypothesis is a non-negative supermartingale, whatever the distribution and
    however the mean moves. Stakes are mixed in equal parts. With a margin of 0 only the predictions on which the two
    differ count, as in McNemar's test.

    Parameters
    ----------
    margin
        Differences of the rates up to this are none worth knowing; at least 0, less than 1.
    significance
        Probability of at most this that any claim over all time is wrong.

    References
    ----------
    Waudby-Smith and Ramdas (2024), Estimating means of bounded random variables by betting, Journal of the Royal
    Statistical Society B 86(1), section 4: capital processes with a mixture of stakes.

    Examples
    --------
    >>> from anchorwatch_detectors.versus import follow, fresh
    >>> contest, rng = Paired(margin=0.01, significance=0.01), np.random.default_rng(1)
    >>> steps = rng.choice([BETTER, SAME, WORSE], size=5000, p=[0.02, 0.9, 0.08])
    >>> _, said = follow(contest, fresh(contest), steps)
    >>> next((each.claim.value, each.standing.n) for each in said if each.claim != "undecided")
    ('worse', 458)
    """

    kinds = 3

    def evidence(self, counts: NDArray[np.int64]) -> Evidence:
        """Return the logarithms of the four capitals after so many steps of each sort, (3, n)."""
        mirrored, m = counts[::-1], self.margin
        return Evidence(
            above=capital(counts, m),
            below=capital(mirrored, m),
            not_below=capital(counts, -m),
            not_above=capital(mirrored, -m),
        )

    def difference(self, counts: Counts) -> float:
        """Return the mean difference so far; NaN before the first step."""
        n = sum(counts)
        return (counts[WORSE] - counts[BETTER]) / n if n else math.nan

    def interval(self, counts: Counts) -> tuple[float, float]:
        """Return the confidence sequence of the mean difference at `1 - 2 significance`."""
        least = math.log(1.0 / self.significance)
        return _lowest(np.array(counts)[:, None], least), -_lowest(np.array(counts[::-1])[:, None], least)

    def needed(self, standing: Standing) -> int | None:
        """Return how many more predictions it takes if they are like those so far; None where that is not to be told.

        Parameters
        ----------
        standing
            How the comparison stands.
        """
        if not standing.n:
            return None
        counts = np.array(standing.counts)[:, None]
        shares = (counts[:, 0] + 0.5) / (standing.n + 1.5)
        least, found = bar(self, standing), self.evidence(counts)
        m = self.margin
        above, below = (_wait(shares, m, least - found.above[0]), _wait(shares[::-1], m, least - found.below[0]))
        inner = (
            0.0 if standing.not_below else _wait(shares, -m, least - found.not_below[0]),
            0.0 if standing.not_above else _wait(shares[::-1], -m, least - found.not_above[0]),
        )
        wait = min(above, below, max(inner))
        return math.ceil(wait) if math.isfinite(wait) else None


def capital(counts: NDArray[np.int64], m: float) -> NDArray[np.float64]:
    """Return the logarithm of the mixed capital of bets against "the mean is at most m".

    Parameters
    ----------
    counts
        (3, n) how many differences were -1, 0 and 1.
    m
        From -1 to 1, 1 left out.
    """
    total = np.full(counts.shape[1], -np.inf)
    for bet in BETS:
        better, same, worse = np.log1p(bet * (np.array([-1.0, 0.0, 1.0]) - m))
        total = np.logaddexp(total, counts[0] * better + counts[1] * same + counts[2] * worse)
    return total - math.log(len(BETS))


def _wait(shares: NDArray[np.float64], m: float, missing: float) -> float:
    """Return after how many more steps the capital would have grown by what is missing; infinity for never."""
    growth = max(float(shares @ np.log1p(bet * (np.array([-1.0, 0.0, 1.0]) - m))) for bet in BETS)
    if missing <= 0.0:
        return 0.0
    return missing / growth if growth > 0.0 else math.inf


def _lowest(counts: NDArray[np.int64], least: float) -> float:
    """Return the largest m that the bets have refuted, -1 for none: the capital falls as m rises."""
    low, high = -1.0, 1.0
    if capital(counts, low)[0] < least:
        return low
    for _ in range(50):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if capital(counts, middle)[0] >= least else (low, middle)
    return low
