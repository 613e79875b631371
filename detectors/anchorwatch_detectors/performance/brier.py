"""Brier score: the mean squared error of probabilities."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from anchorwatch_detectors.intervals import mean, undefined
from anchorwatch_detectors.metric import BINARY, Metric, are_probabilities, usable

if TYPE_CHECKING:
    from anchorwatch_detectors.metric import Estimate, Floats, Kind, Needs


class Brier(Metric):
    """Mean squared difference of score and truth (Brier, Monthly Weather Review 78, 1950).

    Undefined unless all scores lie in 0 to 1. A mean: its error is that of a mean, the interval on the logit scale.
    """

    name: ClassVar[str] = "brier"
    needs: ClassVar[Needs] = "score"
    kinds: ClassVar[frozenset[Kind]] = BINARY
    larger_is_better: ClassVar[bool] = False
    margin: ClassVar[float] = 0.05
    relative: ClassVar[bool] = True

    def of(self, truth: Floats, given: Floats) -> Estimate:
        """Return the Brier score."""
        truth, given = usable(truth, given)
        if not are_probabilities(given):
            return undefined(len(truth))
        return mean(((truth == 1.0) - given) ** 2, within_one=True)
