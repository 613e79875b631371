"""Area under the ROC curve: how often a positive scores above a negative."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from anchorwatch_detectors.intervals import bounded, undefined, variance
from anchorwatch_detectors.metric import BINARY, Metric, usable

if TYPE_CHECKING:
    from anchorwatch_detectors.metric import Estimate, Floats, Kind, Needs


class RocAuc(Metric):
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
    needs: ClassVar[Needs] = "score"
    kinds: ClassVar[frozenset[Kind]] = BINARY

    def of(self, truth: Floats, given: Floats) -> Estimate:
        """Return the area under the ROC curve."""
        truth, given = usable(truth, given)
        positive, n = truth == 1.0, len(truth)
        hits, others = int(positive.sum()), n - int(positive.sum())
        if min(hits, others) < 2:
            return undefined(n)
        scores, place = np.unique(given, return_inverse=True)
        place = place.ravel()
        here = np.bincount(place, positive, len(scores)), np.bincount(place, ~positive, len(scores))
        beaten = [(np.cumsum(counts) - counts / 2.0)[place] for counts in here]
        above, below = beaten[1][positive] / others, 1.0 - beaten[0][~positive] / hits
        error = math.sqrt(variance(above) / hits + variance(below) / others)
        return bounded(float(above.mean()), error, n, min(hits, others))
