"""Coefficient of determination: how much of the truth's variance the values explain."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

from anchorwatch_detectors.intervals import error_of, positive, undefined
from anchorwatch_detectors.metric import VALUES, Estimate, Metric, usable

if TYPE_CHECKING:
    from anchorwatch_detectors.metric import Floats, Kind, Needs


class R2(Metric):
    """One less the mean squared error over the variance of the truth; undefined where the truth never varies.

    A function of two means: delta method. The interval is made for the unexplained part, on the logarithm's scale.
    """

    name: ClassVar[str] = "r2"
    needs: ClassVar[Needs] = "value"
    kinds: ClassVar[frozenset[Kind]] = VALUES

    def of(self, truth: Floats, given: Floats) -> Estimate:
        """Return the coefficient of determination."""
        truth, given = usable(truth, given)
        n = len(truth)
        if n < 2 or truth.min() == truth.max():
            return undefined(n)
        square, spread = (truth - given) ** 2, (truth - truth.mean()) ** 2
        variance = float(spread.mean())
        missing = float(square.mean()) / variance
        rest = positive(missing, error_of((square - missing * spread) / variance), n)
        if math.isnan(rest.value):
            return undefined(n)
        return Estimate(1.0 - missing, rest.error, 1.0 - rest.high, 1.0 - rest.low, n, n)
