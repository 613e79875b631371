"""Area under the ROC curve: how often a positive scores above a negative."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from anchorwatch_detectors.intervals import bounded, undefined, variance
from anchorwatch_detectors.one_against_rest import OneAgainstRest

if TYPE_CHECKING:
    from anchorwatch_detectors.metric import Estimate, Floats
    from anchorwatch_detectors.one_against_rest import Mask


class RocAuc(OneAgainstRest):
    """Probability that a positive scores above a negative, ties counting half; exact, by ranks.

    Undefined unless there are two of each class at least. The error is DeLong's (DeLong, DeLong, Clarke-Pearson,
    "Comparing the areas under two or more correlated receiver operating characteristic curves", Biometrics 44, 1988),
    from the scores in order (Sun, Xu, IEEE Signal Processing Letters 21, 2014), the interval on the logit scale.

    Examples
    --------
    >>> import numpy as np
    >>> round(RocAuc().of(np.array([0.0, 0, 1, 1]), np.array([0.1, 0.4, 0.35, 0.8])).value, 3)
    0.75
    """

    name: ClassVar[str] = "roc_auc"

    def of_two(self, positive: Mask, scores: Floats) -> Estimate:
        """Return the area under the ROC curve."""
        n, hits = len(positive), int(positive.sum())
        others = n - hits
        if min(hits, others) < 2:
            return undefined(n)
        above, below = _beaten(positive, scores)
        error = math.sqrt(variance(above) / hits + variance(below) / others)
        return bounded(float(above.mean()), error, n, min(hits, others))

    def influence(self, positive: Mask, scores: Floats) -> tuple[float, Floats]:
        """Return the area, and what each row adds to it: how far it is from the usual, by the share of its side."""
        n, hits = len(positive), int(positive.sum())
        above, below = _beaten(positive, scores)
        value = float(above.mean())
        influence = np.empty(n)
        influence[positive] = (above - value) * (n / hits)
        influence[~positive] = (below - value) * (n / (n - hits))
        return value, influence


def _beaten(positive: Mask, scores: Floats) -> tuple[Floats, Floats]:
    """Return for each positive the share of negatives below it, and for each negative that of positives above it."""
    hits = int(positive.sum())
    levels, place = np.unique(scores, return_inverse=True)
    place = place.ravel()
    here = np.bincount(place, positive, len(levels)), np.bincount(place, ~positive, len(levels))
    beaten = [(np.cumsum(counts) - counts / 2.0)[place] for counts in here]
    return beaten[1][positive] / (len(positive) - hits), 1.0 - beaten[0][~positive] / hits
