"""Mean absolute error."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from anchorwatch_detectors.intervals import mean
from anchorwatch_detectors.metric import VALUES, Loss, usable

if TYPE_CHECKING:
    from anchorwatch_detectors.metric import Estimate, Floats, Kind, Needs


class MeanAbsoluteError(Loss):
    """Mean distance of value and truth, in their unit. The error of a mean, the interval on the logarithm's scale."""

    name: ClassVar[str] = "mae"
    needs: ClassVar[Needs] = "value"
    kinds: ClassVar[frozenset[Kind]] = VALUES

    def of(self, truth: Floats, given: Floats) -> Estimate:
        """Return the mean absolute error."""
        truth, given = usable(truth, given)
        return mean(np.abs(truth - given))
