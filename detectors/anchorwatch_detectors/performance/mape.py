"""Mean absolute percentage error."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from anchorwatch_detectors.intervals import mean
from anchorwatch_detectors.metric import VALUES, Loss, usable

if TYPE_CHECKING:
    from anchorwatch_detectors.metric import Estimate, Floats, Kind, Needs


class MeanAbsolutePercentageError(Loss):
    """Mean distance of value and truth as a share of the truth (0.1 is 10 %); rows whose truth is 0 are left out.

    The error of a mean, the interval on the logarithm's scale.
    """

    name: ClassVar[str] = "mape"
    needs: ClassVar[Needs] = "value"
    kinds: ClassVar[frozenset[Kind]] = VALUES

    def of(self, truth: Floats, given: Floats) -> Estimate:
        """Return the mean absolute percentage error."""
        truth, given = usable(truth, given)
        known = truth != 0.0
        return mean(np.abs((truth[known] - given[known]) / truth[known]))
