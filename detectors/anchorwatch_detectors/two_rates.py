"""A new version's error rate against what is known of the old one's, on different predictions."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from anchorwatch_detectors.versus import Contest, Evidence, Standing, bar

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from anchorwatch_detectors.base import Floats
    from anchorwatch_detectors.versus import Counts

RIGHT, WRONG = 0, 1
"""Sorts of steps: the new version was right or wrong on a prediction."""


class TwoRates(Contest):
    """Whether a new error rate lies above or below an old one by more than a margin.

    The old rate is known from a sample, so it lies in a confidence sequence: those rates against which a bet by the
    mixture of all alternatives (a Beta(1, 1) prior) has not won 2 / significance. The new one is tested against the far
    ends of it by the same mixture. Half of the significance goes to either; errors must come independently, at a rate
    that stays as it is while they are gathered.

    Parameters
    ----------
    wrong, n
        How many predictions of the old version were wrong, of how many; at most n.
    margin
        Differences of the rates up to this are none worth knowing; at least 0, less than 1.
    significance
        Probability of at most this that any claim over all time is wrong.

    References
    ----------
    Robbins (1970), Statistical methods related to the law of the iterated logarithm, Annals of Mathematical Statistics
    41(5): the mixture. Howard, Ramdas, McAuliffe and Sekhon (2021), Time-uniform, nonparametric, nonasymptotic
    confidence sequences, Annals of Statistics 49(2): its inversion.

    Examples
    --------
    >>> from anchorwatch_detectors.versus import follow, fresh
    >>> contest = TwoRates(wrong=250, n=5000, margin=0.01, significance=0.01)
    >>> tuple(round(bound, 3) for bound in contest.old)
    (0.037, 0.065)
    >>> steps = np.random.default_rng(1).random(5000) < 0.12
    >>> _, said = follow(contest, fresh(contest), steps.astype(np.int64))
    >>> next(each.claim.value for each in said if each.claim != "undecided")
    'worse'
    """

    kinds = 2

    def __init__(self, wrong: int, n: int, margin: float, significance: float) -> None:
        super().__init__(margin, significance)
        if not 0 <= wrong <= n:
            raise ValueError(f"of {n} predictions {wrong} cannot be wrong")
        self.wrong, self.n = wrong, n
        self.old = _bounds(wrong, n, significance)
        """Bounds of the old rate."""

    def evidence(self, counts: NDArray[np.int64]) -> Evidence:
        """Return the logarithms of the four mixtures after so many right and wrong predictions, (2, n)."""
        (low, high), m = self.old, self.margin
        return Evidence(
            above=_against(counts, high + m, above=True),
            below=_against(counts, low - m, above=False),
            not_below=_against(counts, high - m, above=True),
            not_above=_against(counts, low + m, above=False),
        )

    def difference(self, counts: Counts) -> float:
        """Return the new rate less the old one; NaN before the first prediction of either."""
        n = sum(counts)
        return counts[WRONG] / n - self.wrong / self.n if n and self.n else math.nan

    def interval(self, counts: Counts) -> tuple[float, float]:
        """Return the confidence sequence of the difference at `1 - 2 significance`."""
        low, high = _bounds(counts[WRONG], sum(counts), self.significance)
        return low - self.old[1], high - self.old[0]

    def needed(self, standing: Standing) -> int | None:
        """Return how many more predictions it takes if they are like those so far; None where that is not to be told.

        Parameters
        ----------
        standing
            How the comparison stands.
        """
        if not standing.n:
            return None
        found, least = self.evidence(np.array(standing.counts)[:, None]), bar(self, standing)
        rate = (standing.counts[WRONG] + 0.5) / (standing.n + 1.0)
        (low, high), m = self.old, self.margin
        inner = (
            0.0 if standing.not_below else _wait(rate, high - m, least - found.not_below[0], above=True),
            0.0 if standing.not_above else _wait(rate, low + m, least - found.not_above[0], above=False),
        )
        wait = min(
            _wait(rate, high + m, least - found.above[0], above=True),
            _wait(rate, low - m, least - found.below[0], above=False),
            max(inner),
        )
        return math.ceil(wait) if math.isfinite(wait) else None


def _mixture(wrong: NDArray[np.int64], n: NDArray[np.int64], rate: float) -> Floats:
    """Return the logarithm of the mixture's capital against a rate between 0 and 1."""
    from scipy.special import betaln

    capital: Floats = betaln(wrong + 1, n - wrong + 1) - wrong * math.log(rate) - (n - wrong) * math.log1p(-rate)
    return capital


def _against(counts: NDArray[np.int64], rate: float, *, above: bool) -> Floats:
    """Return the evidence that the true rate lies above (or below) a rate, which need not be one."""
    n, wrong = counts[RIGHT] + counts[WRONG], counts[WRONG]
    if not 0.0 < rate < 1.0:
        certain = rate <= 0.0 if above else rate >= 1.0
        return np.full(len(n), np.inf if certain else -np.inf)
    side = wrong > n * rate if above else wrong < n * rate
    return np.where(side, _mixture(wrong, n, rate) - math.log(2.0), -np.inf)


def _bounds(wrong: int, n: int, significance: float) -> tuple[float, float]:
    """Return the rates that the mixture has not refuted at half the significance."""
    least, some, all_ = math.log(2.0 / significance), np.array([wrong]), np.array([n])

    def edge(inside: float, outside: float) -> float:
        for _ in range(60):
            middle = 0.5 * (inside + outside)
            if not 0.0 < middle < 1.0 or _mixture(some, all_, middle)[0] >= least:
                outside = middle
            else:
                inside = middle
        return outside

    if not n:
        return 0.0, 1.0
    rate = wrong / n
    return (0.0 if not wrong else edge(rate, 0.0)), (1.0 if wrong == n else edge(rate, 1.0))


def _wait(rate: float, bound: float, missing: float, *, above: bool) -> float:
    """Return after how many more predictions at `rate` the evidence would have grown by what is missing."""
    if missing <= 0.0:
        return 0.0
    if not 0.0 < bound < 1.0 or (rate <= bound if above else rate >= bound):
        return math.inf
    return missing / (rate * math.log(rate / bound) + (1.0 - rate) * math.log((1.0 - rate) / (1.0 - bound)))
