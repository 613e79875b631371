"""Log loss: how surprising the truth is under the scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from anchorwatch_detectors.intervals import mean
from anchorwatch_detectors.metric import CLASSES, Loss
from anchorwatch_detectors.probabilities import losing

if TYPE_CHECKING:
    from anchorwatch_detectors.metric import Estimate, Floats, Kind, Needs


class LogLoss(Loss):
    """Mean of -log of the probability given to the true class; undefined unless all scores lie in 0 to 1.

    Probabilities are kept 2.2e-16 away from 0 and 1. A mean: its error is that of a mean, the interval on the scale of
    logarithms.
    """

    name: ClassVar[str] = "log_loss"
    needs: ClassVar[Needs] = "score"
    kinds: ClassVar[frozenset[Kind]] = CLASSES

    def of(self, truth: Floats, given: Floats) -> Estimate:
        """Return the log loss."""
        p, _ = losing(truth, given)
        least = float(np.finfo(np.float64).eps)
        return mean(-np.log(np.clip(p, least, 1.0 - least)))
