"""Root of the mean squared error."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

from anchorwatch_detectors.intervals import mean, positive, undefined
from anchorwatch_detectors.metric import VALUES, Loss, usable

if TYPE_CHECKING:
    from anchorwatch_detectors.metric import Estimate, Floats, Kind, Needs


class RootMeanSquaredError(Loss):
    """Root of the mean squared distance of value and truth, in their unit.

    Delta method: the error of the mean square over twice the root; the interval on the logarithm's scale.
    """

    name: ClassVar[str] = "rmse"
    needs: ClassVar[Needs] = "value"
    kinds: ClassVar[frozenset[Kind]] = VALUES
    order: ClassVar[float] = 2.0

    def of(self, truth: Floats, given: Floats) -> Estimate:
        """Return the root of the mean squared error."""
        truth, given = usable(truth, given)
        square = mean((truth - given) ** 2)
        if math.isnan(square.value):
            return undefined(len(truth))
        root = math.sqrt(square.value)
        return positive(root, square.error / (2.0 * root) if root > 0.0 else 0.0, len(truth))
