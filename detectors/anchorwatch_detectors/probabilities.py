"""What metrics need to know of the probabilities of several classes, once it is known which class was true."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Codes = NDArray[np.int64]


def held_against(truth: Codes, said: Codes, p: Floats) -> Floats:
    """Return (n, 4) what the metrics of probabilities take as `given` where there are several classes.

    Parameters
    ----------
    truth, said
        (n,) column of the true and of the predicted class; -1 for a class that has none, and so was given 0.
    p
        (n, classes) probabilities, 0 to 1.

    Returns
    -------
    (n, 4)
        The probability that was given to the true class; the squared distance of all from the truth, the sum over
        classes of (p - 1)^2 for the true one and p^2 for the others, 0 to 2; the probability that was given to the
        predicted class; 1 where that was right. NaN where a probability is.

    Examples
    --------
    >>> p = np.array([[0.5, 0.5, 0.0], [0.25, 0.25, 0.5]])
    >>> held_against(np.array([1, 2]), np.array([0, 2]), p).tolist()
    [[0.5, 0.5, 0.5, 0.0], [0.5, 0.375, 0.5, 1.0]]
    """
    given, distance = against_truth(truth, p)
    confidence, _ = against_truth(said, p)
    return told(given, distance, confidence, (truth == said) & (truth >= 0))


def against_truth(truth: Codes, p: Floats) -> tuple[Floats, Floats]:
    """Return (n,) the first and (n,) the second of what `held_against` returns, for whoever keeps only these."""
    rows, known = np.arange(len(p)), truth >= 0
    off = p.copy()
    off[rows[known], truth[known]] -= 1.0
    distance: Floats = (off**2).sum(axis=1) + ~known
    return np.where(known | np.isnan(distance), p[rows, truth], 0.0), distance


def told(given: Floats, distance: Floats, confidence: Floats, right: NDArray[np.bool_]) -> Floats:
    """Return (n, 4) what `held_against` returns, from its columns."""
    return np.stack([given, distance, confidence, right.astype(np.float64)], axis=1)
