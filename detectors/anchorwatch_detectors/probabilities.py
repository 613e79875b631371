"""What metrics need to know of the probabilities of several classes, once it is known which class was true."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def held_against(truth: NDArray[np.int64], p: Floats) -> Floats:
    """Return (n, 2) the probability that was given to the true class, and the squared distance of all from the truth.

    Parameters
    ----------
    truth
        (n,) column of the true class; -1 for a class that has none, and so was given 0.
    p
        (n, classes) probabilities, 0 to 1; rows with NaN stay NaN.

    Notes
    -----
    The distance is the sum over classes of (p - 1)^2 for the true one and p^2 for the others, 0 to 2.

    Examples
    --------
    >>> held_against(np.array([0, 2]), np.array([[0.5, 0.5, 0.0], [0.25, 0.25, 0.5]])).tolist()
    [[0.5, 0.5], [0.5, 0.375]]
    """
    off = p.copy()
    known = np.flatnonzero(truth >= 0)
    off[known, truth[known]] -= 1.0
    given = np.where(truth >= 0, p[np.arange(len(p)), truth], np.where(np.isnan(p).any(axis=1), np.nan, 0.0))
    return np.stack([given, (off**2).sum(axis=1)], axis=1)
