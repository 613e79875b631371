"""One version against another on a stream: better, worse, equivalent within a margin, or undecided so far.

Four one-sided tests run beside each other: is the difference above the margin, is it below minus the margin, is it
above minus the margin, is it below the margin. Each is an e-process: under its null hypothesis a non-negative process
whose mean is at most 1 at every moment, so that it ever reaches 1 / significance with a probability of at most
`significance` (Ville's inequality), however often one looks. All are functions of counts, so that cutting a stream
into batches changes nothing.

Once something can be said, the comparison begins anew, so that the verdict may change: the k-th round has the
significance `significance / (k (k + 1))`, which sums up to `significance` over all rounds there will ever be.

The samples still needed are those after which the evidence for what looks most likely would suffice, were the next
predictions like those so far.
"""

from __future__ import annotations

import abc
import enum
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Counts = tuple[int, ...]

TOGETHER = 1024
"""Steps that are looked at in one call."""
FIRST_REPORT = 100
"""Undecided is said after so many steps of a round, and whenever they have doubled."""
LEAST_AGAIN = 1000
"""Rounds behind the first say nothing before so many steps: what was said is not to be said again every moment."""


class Claim(enum.StrEnum):
    """What can be said of one version against another."""

    BETTER = "better"
    WORSE = "worse"
    EQUIVALENT = "equivalent"
    UNDECIDED = "undecided"


class Evidence(NamedTuple):
    """Logarithms of the four e-processes: above and below the outer bounds, and within from either side."""

    above: NDArray[np.float64]
    below: NDArray[np.float64]
    not_below: NDArray[np.float64]
    not_above: NDArray[np.float64]


class Contest(abc.ABC):
    """What is compared, and how sure one has to be.

    Parameters
    ----------
    margin
        Differences up to this are none worth knowing; at least 0, less than 1.
    significance
        Probability of at most this that any claim over all time is wrong.
    """

    kinds: int
    """How many sorts of steps there are; a step is the number of its sort."""

    def __init__(self, margin: float, significance: float) -> None:
        if not 0.0 <= margin < 1.0:
            raise ValueError(f"a margin is at least 0 and less than 1, not {margin}")
        if not 0.0 < significance < 1.0:
            raise ValueError(f"a significance lies between 0 and 1, not {significance}")
        self.margin, self.significance = margin, significance

    @abc.abstractmethod
    def evidence(self, counts: NDArray[np.int64]) -> Evidence:
        """Return the evidence after steps of so many of each sort, (kinds, n)."""

    @abc.abstractmethod
    def difference(self, counts: Counts) -> float:
        """Return the estimated difference: above 0 where the second version is worse."""

    @abc.abstractmethod
    def interval(self, counts: Counts) -> tuple[float, float]:
        """Return the confidence sequence of the difference at `1 - 2 significance`: it holds at all times together."""


class Standing(NamedTuple):
    """How a comparison stands.

    Attributes
    ----------
    round
        The how-manieth it is, from 1.
    counts
        Steps of each sort in this round.
    not_below, not_above
        Whether the difference was shown to be above minus the margin, and below the margin.
    """

    round: int
    counts: Counts
    not_below: bool = False
    not_above: bool = False

    @property
    def n(self) -> int:
        """Steps in this round."""
        return sum(self.counts)


class Said(NamedTuple):
    """What was said at a step.

    Attributes
    ----------
    step
        Position of the step.
    claim
        What was said.
    standing
        How it stood then, the step included.
    """

    step: int
    claim: Claim
    standing: Standing


def fresh(contest: Contest) -> Standing:
    """Return a comparison that has seen nothing."""
    return Standing(1, (0,) * contest.kinds)


def bar(contest: Contest, standing: Standing) -> float:
    """Return the logarithm that evidence has to reach in a round."""
    return float(np.log(standing.round * (standing.round + 1) / contest.significance))


def follow(contest: Contest, standing: Standing, steps: NDArray[np.int64]) -> tuple[Standing, list[Said]]:
    """Take steps in order; return how it stands then, and what was said at which step.

    Parameters
    ----------
    contest, standing
        What is compared, and how it stood.
    steps
        (n,) sort of each step.
    """
    said: list[Said] = []
    start = 0
    while start < len(steps):
        part = steps[start : start + TOGETHER]
        standing, done, new = _round(contest, standing, part)
        said += [each._replace(step=each.step + start) for each in new]
        start += done
    return standing, said


def _round(contest: Contest, standing: Standing, steps: NDArray[np.int64]) -> tuple[Standing, int, list[Said]]:
    """Take steps up to the end of the round, or all of them; return also how many were taken."""
    sorts = np.arange(contest.kinds)[:, None]
    counts = np.cumsum(steps[None, :] == sorts, axis=1) + np.array(standing.counts)[:, None]
    found, least = contest.evidence(counts), bar(contest, standing)
    not_below = np.logical_or.accumulate(found.not_below >= least) | standing.not_below
    not_above = np.logical_or.accumulate(found.not_above >= least) | standing.not_above
    ripe = counts.sum(axis=0) >= (LEAST_AGAIN if standing.round > 1 else 1)
    claims = {
        Claim.WORSE: ripe & (found.above >= least),
        Claim.BETTER: ripe & (found.below >= least),
        Claim.EQUIVALENT: ripe & not_below & not_above,
    }
    firsts = [(int(np.argmax(holds)), claim) for claim, holds in claims.items() if holds.any()]
    end = min((at for at, _ in firsts), default=len(steps))
    at = [
        Standing(standing.round, tuple(counts[:, i].tolist()), bool(not_below[i]), bool(not_above[i]))
        for i in (*_reports(standing, end), min(end, len(steps) - 1))
    ]
    said = [Said(each.n - standing.n - 1, Claim.UNDECIDED, each) for each in at[:-1]]
    if end == len(steps):
        return at[-1], len(steps), said
    claim = next(claim for first, claim in firsts if first == end)
    said.append(Said(end, claim, at[-1]))
    return Standing(standing.round + 1, (0,) * contest.kinds), end + 1, said


def _reports(standing: Standing, end: int) -> Sequence[int]:
    """Return the steps before `end` at which undecided is said."""
    reports, n, before = [], FIRST_REPORT, standing.n
    while n <= before + end:
        if n > before and (standing.round == 1 or n >= LEAST_AGAIN):
            reports.append(n - before - 1)
        n *= 2
    return reports
