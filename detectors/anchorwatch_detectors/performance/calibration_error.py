"""Expected calibration error: how far scores are from the frequencies they announce."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np

from anchorwatch_detectors.intervals import Z, error_of, undefined
from anchorwatch_detectors.metric import CLASSES, Estimate, Metric, are_probabilities
from anchorwatch_detectors.probabilities import confident

if TYPE_CHECKING:
    from anchorwatch_detectors.metric import Floats, Kind, Needs

BINS: Final = 10


class CalibrationError(Metric):
    """Mean over 10 bins of equal width, by their rows, of the distance between mean score and share of positives.

    Naeini, Cooper, Hauskrecht ("Obtaining well calibrated probabilities using Bayesian binning", AAAI 2015). Of several
    classes the score is that of the most probable one, and the share how often it was right (Guo, Pleiss, Sun,
    Weinberger, "On calibration of modern neural networks", ICML 2017). Undefined unless all scores lie in 0 to 1. Delta
    method with the sign of each bin. A distance is never negative, so that of a perfect model is above 0 by chance:
    `excess` is how much at most, the sum over bins of the mean of a folded normal distribution, and the interval
    reaches down by it.
    """

    name: ClassVar[str] = "calibration_error"
    needs: ClassVar[Needs] = "score"
    kinds: ClassVar[frozenset[Kind]] = CLASSES
    larger_is_better: ClassVar[bool] = False

    def of(self, truth: Floats, given: Floats) -> Estimate:
        """Return the expected calibration error."""
        given, came = confident(truth, given)
        n = len(given)
        if n < 2 or not are_probabilities(given):
            return undefined(n)
        place = np.minimum((given * BINS).astype(np.int64), BINS - 1)
        off = came - given
        total, rows = np.bincount(place, off, BINS), np.bincount(place, minlength=BINS)
        value = float(np.abs(total).sum() / n)
        error = max(error_of(np.sign(total)[place] * off), 1.0 / n)
        spread = np.bincount(place, (off - (total / np.maximum(rows, 1))[place]) ** 2, BINS)
        excess = float(math.sqrt(2.0 / math.pi) * np.sqrt(spread).sum() / n)
        low, high = max(value - excess - Z * error, 0.0), min(value + Z * error, 1.0)
        return Estimate(value, error, low, high, n, n, excess)
