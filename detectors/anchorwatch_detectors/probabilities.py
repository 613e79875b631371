"""What losses take: of two classes the score of the positive one, of several the probability of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from anchorwatch_detectors.metric import are_probabilities, usable, usable_ranks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]


def losing(truth: Floats, given: Floats) -> tuple[Floats, Floats]:
    """Return (n,) the probability that was given to what came true, and the squared distance of all from the truth.

    Parameters
    ----------
    truth
        (n,) true classes: 1 for the positive one; of several the column of each, beyond all of them for a class that
        has none, and so was given 0.
    given
        (n,) scores of the positive class, or (n, classes) probabilities. Rows in which anything is not finite are left
        out.

    Returns
    -------
    tuple
        The distance is that of the positive class, 0 to 1, or the sum over all classes, 0 to 2. Both are NaN where any
        row has what is no probability.
    """
    if np.ndim(given) == 1:
        truth, given = usable(truth, given)
        p, distance = np.where(truth == 1.0, given, 1.0 - given), ((truth == 1.0) - given) ** 2
    else:
        truth, given = usable_ranks(truth, given)
        known = np.flatnonzero(truth < given.shape[1])
        column = truth[known].astype(np.int64)
        p, off = np.zeros(len(truth)), given.copy()
        p[known] = given[known, column]
        off[known, column] -= 1.0
        distance = (off**2).sum(axis=1) + (truth >= given.shape[1])
    return (p, distance) if are_probabilities(given) else (np.full(len(p), np.nan), np.full(len(p), np.nan))


def confident(truth: Floats, given: Floats) -> tuple[Floats, Floats]:
    """Return (n,) the score of what was said and (n,) 1 where it came true.

    Of two classes that is the positive one, of several the most probable one. Rows in which anything is not finite are
    left out.
    """
    if np.ndim(given) == 1:
        truth, given = usable(truth, given)
        return given, (truth == 1.0).astype(np.float64)
    truth, given = usable_ranks(truth, given)
    said = given.argmax(axis=1)
    return given[np.arange(len(given)), said], (said == truth).astype(np.float64)
