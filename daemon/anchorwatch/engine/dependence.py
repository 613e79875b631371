"""How the values of a baseline hang together: each with those before it, and the columns with each other."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from anchorwatch.engine.seasonal_numbers import ranks
from anchorwatch_detectors.copula import Dependence

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from anchorwatch.engine.baseline import AnyProfile

BATCHES = 8  # fewer batches say nothing about how much their means vary
DEPENDENT = 200  # of more columns the correlations are not kept: they would outweigh everything else


def placed(
    profile: AnyProfile, cells: NDArray[np.int64], bucket: NDArray[np.int64] | None
) -> tuple[NDArray[np.float64], float]:
    """Return the rank of each value of a column, NaN for a fault, and the noise that the ranks themselves have.

    Parameters
    ----------
    profile
        Of the column.
    cells
        (n,) cell of each value in order; those behind the good cells are faults.
    bucket
        (n,) bucket of the season by which ranks go; None for none, and then they have no noise.
    """
    size = len(profile.counts)
    if bucket is None:
        return np.append(profile.mid_ranks, np.nan)[np.minimum(cells, size)], 0.0
    buckets, good = int(bucket.max()) + 1, cells < size
    counts = np.bincount(bucket[good] * size + cells[good], minlength=buckets * size).reshape(buckets, size)
    table, own = ranks(counts)
    return np.where(good, table[bucket, np.minimum(cells, size - 1)], np.nan), float(own)


def inflation(values: NDArray[np.float64]) -> float:
    """Return how many times as much as that of independent values the mean of successive values varies; at least 1.

    By batch means, with batches of sqrt(n) values (Schmeiser, "Batch size effects in the analysis of simulation
    output", Operations Research 30, 1982): in truth 1 for independent values, 5.7 for an autoregression of 0.7. The
    estimate is taken for more than 1 only if it is so by two of its standard errors, and then these are added to it:
    too little would make false alarms.

    Parameters
    ----------
    values
        (n,) numbers in order; NaN is passed over.
    """
    values = values[~np.isnan(values)]
    size = math.isqrt(len(values))
    variance = float(values.var()) if size else 0.0
    if size < BATCHES or variance == 0.0:
        return 1.0
    means = values[: size * size].reshape(size, size).mean(axis=1)
    estimate = float(size * means.var(ddof=1) / variance)
    doubt = 1.0 + 2.0 * math.sqrt(2.0 / (size - 1))
    return estimate * doubt if estimate > doubt else 1.0


def dependence_of(columns: Sequence[NDArray[np.float64]]) -> dict[str, list[float]] | None:
    """Return how ranks of columns hang together, as plain data; None for more than `DEPENDENT` columns."""
    return Dependence.of(columns).to_plain() if 0 < len(columns) <= DEPENDENT else None
