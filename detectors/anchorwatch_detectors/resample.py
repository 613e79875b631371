"""Streams like a sample: rows drawn in blocks, so that columns stay together and neighbours stay neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from anchorwatch_detectors.usual import memory_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from anchorwatch_detectors.base import Ints

MEMORIES: Final = 20.0
"""A block is so many autocorrelation times long at least: what is lost at its ends is then 1/40 of the dependence."""
SHARE: Final = 10
"""A block is no longer than this part of the sample: fewer of them would repeat the sample instead of varying it."""


def block_length(values: ArrayLike) -> int:
    """Return how long blocks must be to keep the autocorrelation of the columns of a sample.

    The longest over the columns of 20 autocorrelation times (`usual.memory_of`); 1 where no column has a memory, so
    that rows are drawn one by one. It is longer than the length that estimates the variance of a mean best (Politis
    and White, "Automatic block-length selection for the dependent bootstrap", Econometric Reviews 23, 2004): a false
    alarm that is rare to one in millions reacts to a variance that is too small by a few percent.

    Parameters
    ----------
    values
        (columns, rows) in the order in which the rows came; those that are not finite are left out. Ranks rather than
        raw values, so that heavy tails do not hide the dependence.

    Returns
    -------
    int
        From 1 to a tenth of the rows.

    Examples
    --------
    >>> from anchorwatch_detectors import synth
    >>> independent, dependent = synth.normal(10_000, seed=1), synth.autoregressive(10_000, seed=1, memory=0.7)
    >>> block_length([independent]), block_length([independent, dependent])
    (1, 109)
    """
    table = np.atleast_2d(np.asarray(values, dtype=np.float64))
    memory = max((memory_of(column[np.isfinite(column)]) for column in table), default=1.0)
    if memory <= 1.0:
        return 1
    return int(max(1, min(np.ceil(MEMORIES * memory), table.shape[1] // SHARE)))


def circular_blocks(rows: int, length: int, size: int, rng: np.random.Generator) -> Ints:
    """Return the places of the rows of a stream made of blocks of a sample.

    Each block begins anywhere; the sample is bent to a circle, so that every row is as likely as any other.

    Parameters
    ----------
    rows
        Rows of the sample, at least 1.
    length
        Rows of a block, at least 1.
    size
        Rows of the stream.
    rng
        Source of chance: the same state gives the same stream.

    Returns
    -------
    ndarray
        (size,) int64 in 0..rows-1.

    Raises
    ------
    ValueError
        If the sample is empty or a block has no row.

    References
    ----------
    Politis, D. N., Romano, J. P. (1992). A circular block-resampling procedure for stationary data. In: Exploring the
    Limits of Bootstrap, 263-270.

    Examples
    --------
    >>> circular_blocks(5, 3, 7, np.random.default_rng(1)).tolist()
    [2, 3, 4, 2, 3, 4, 3]
    """
    if rows < 1 or length < 1:
        raise ValueError(
            f"a stream is made of blocks of 1 row or more of a sample of 1 or more, not of {length} of {rows}"
        )
    starts = rng.integers(rows, size=-(-size // length))
    places = (starts[:, np.newaxis] + np.arange(length)) % rows
    return np.asarray(places.ravel()[:size], dtype=np.int64)
