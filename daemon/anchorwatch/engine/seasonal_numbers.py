"""Numbers that stand for values at each time of a cycle: ranks among the values of that time, and adjusted errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from anchorwatch_detectors.piecewise import mid_ranks

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]


def ranks(counts: Ints) -> tuple[Floats, float]:
    """Return the mid-rank of each cell within each bucket, and how much of it is the bucket's own.

    Ranks of a bucket are drawn towards those of all rows, by as much as neither the mean nor the spread of the buckets'
    ranks differ more than they would by chance: a column without a cycle keeps nearly its plain ranks.

    Parameters
    ----------
    counts
        (buckets, cells) good values of the baseline.

    Returns
    -------
    ranks
        (buckets, cells) in [0, 1].
    own
        Mean weight of the bucket's own ranks, over its rows, 0 to 1.
    """
    together = mid_ranks(counts.sum(axis=0).astype(np.float64))
    n = counts.sum(axis=1)
    if not n.any():
        return np.broadcast_to(together, counts.shape), 0.0
    share = counts.sum(axis=0) / n.sum()
    own = np.zeros(len(n))
    for mark in (together - 0.5, np.abs(together - 0.5)):
        usual = float(share @ mark)
        means = np.divide(counts @ mark, n, out=np.full(len(n), usual), where=n > 0)
        own = np.maximum(own, own_weight(means - usual, n, float(share @ (mark - usual) ** 2)))
    mine = np.stack([mid_ranks(row.astype(np.float64)) if row.any() else together for row in counts])
    return _even(own[:, None] * mine + (1.0 - own[:, None]) * together, counts), float(own @ n / n.sum())


def _even(table: Floats, counts: Ints) -> Floats:
    """Return ranks of the same variance in every bucket, as far as they stay in [0, 1].

    Where a few values are frequent at some times their ranks vary less. Distances from the middle are stretched, so
    that the mean stays.
    """
    n = np.maximum(counts.sum(axis=1), 1)
    away = table - 0.5
    variance = (counts * away**2).sum(axis=1) / n
    usual = float(variance @ n / n.sum())
    reach = np.where(counts > 0, np.abs(away), 0.0).max(axis=1)
    factor = np.sqrt(np.divide(usual, variance, out=np.ones(len(n)), where=variance > 0.0))
    stretched: Floats = np.clip(0.5 + away * np.minimum(factor, 0.5 / np.maximum(reach, 1e-9))[:, None], 0.0, 1.0)
    return stretched


def own_weight(deviation: Floats, n: Ints, variance: float) -> Floats:
    """Return how far to trust the mean of each bucket more than what was expected of it, 0 to 1.

    The best linear weights, with the variance between buckets by the method of moments (DerSimonian and Laird,
    "Meta-analysis in clinical trials", Controlled Clinical Trials 7, 1986).

    Parameters
    ----------
    deviation
        (buckets,) mean of the bucket less what was expected.
    n
        (buckets,) values of each.
    variance
        Of a single value.
    """
    scale = n.sum() - (n**2).sum() / max(n.sum(), 1)
    excess = float(n @ deviation**2) - (np.count_nonzero(n) - 1) * variance
    between = max(excess / scale, 0.0) if scale > 0 else 0.0
    weight: Floats = np.divide(n * between, n * between + variance, out=np.zeros(len(n)), where=n * between > 0)
    return weight


def adjusted(rates: Floats, rate: float) -> tuple[Floats, Floats]:
    """Return what a right and a wrong answer stand for where the error rate is usually `rates`, `rate` over all.

    Answers are ranked, right ones below; that of the same rank over all times is wrong with this probability. Its mean
    is `rate` whatever the time, and its variance no larger than that of plain errors.
    """
    more = np.maximum(rate - rates, 0.0)
    right = np.divide(more, 1.0 - rates, out=np.zeros_like(rates), where=rates < 1.0)
    wrong = np.divide(rate, rates, out=np.ones_like(rates), where=rates > rate)
    return right, wrong


def errors(groups: Sequence[Ints], wrong: Floats) -> Iterator[Floats]:
    """Yield for each group what each cell stands for in each bucket; `wrong` is 1 for the cells of wrong answers.

    A group's rate in a bucket is expected to be that of all rows there, times how much worse the group is as a whole.
    """
    pattern: Floats | None = None
    for counts in groups:
        n = counts.sum(axis=1)
        rate = float(counts.sum(axis=0) @ wrong / max(n.sum(), 1))
        expected = np.full(len(n), rate)
        if pattern is not None and (usual := float(n @ pattern) / max(n.sum(), 1)) > 0:
            expected = np.minimum(pattern * (rate / usual), 1.0)
        seen = np.divide(counts @ wrong, n, out=expected.copy(), where=n > 0)
        rates = expected + own_weight(seen - expected, n, rate * (1.0 - rate)) * (seen - expected)
        pattern = rates if pattern is None else pattern
        right, bad = adjusted(rates, rate)
        yield np.where(wrong > 0, bad[:, None], right[:, None])
