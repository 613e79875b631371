"""Brier score: the mean squared error of probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from anchorwatch_detectors.intervals import mean
from anchorwatch_detectors.metric import CLASSES, Loss
from anchorwatch_detectors.probabilities import losing

if TYPE_CHECKING:
    from anchorwatch_detectors.metric import Estimate, Floats, Kind, Needs


class Brier(Loss):
    """Mean squared distance of probabilities and truth (Brier, Monthly Weather Review 78, 1950).

    Of two classes it is that of the positive one's score, 0 to 1; of several it is the sum over all classes, 0 to 2, as
    Brier wrote it. Undefined unless all scores lie in 0 to 1. A mean: its error is that of a mean, the interval on the
    logit scale.

    Examples
    --------
    >>> import numpy as np
    >>> Brier().of(np.array([1.0, 0.0]), np.array([0.5, 0.5])).value
    0.25
    >>> Brier().of(np.array([0.0, 2.0]), np.array([[0.5, 0.5, 0.0], [0.25, 0.25, 0.5]])).value
    0.4375
    """

    name: ClassVar[str] = "brier"
    needs: ClassVar[Needs] = "score"
    kinds: ClassVar[frozenset[Kind]] = CLASSES

    def of(self, truth: Floats, given: Floats) -> Estimate:
        """Return the Brier score."""
        _, distance = losing(truth, given)
        most = 1.0 if np.ndim(given) == 1 else 2.0
        found = mean(distance / most, within_one=True)
        low, high = most * found.low, most * found.high
        return found._replace(value=most * found.value, error=most * found.error, low=low, high=high)
