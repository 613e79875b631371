"""F1: the harmonic mean of precision and recall."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from anchorwatch_detectors.intervals import bounded, error_of, undefined
from anchorwatch_detectors.metric import BINARY, Metric, usable

if TYPE_CHECKING:
    from anchorwatch_detectors.metric import Estimate, Floats, Kind, Needs


class F1(Metric):
    """Twice the true positives over positives and predicted positives; undefined where there are neither.

    A ratio of two means: delta method, on the logit scale.
    """

    name: ClassVar[str] = "f1"
    needs: ClassVar[Needs] = "class"
    kinds: ClassVar[frozenset[Kind]] = BINARY

    def of(self, truth: Floats, given: Floats) -> Estimate:
        """Return the F1 of the positive class."""
        truth, given = usable(truth, given)
        hits = 2.0 * ((truth == 1.0) & (given == 1.0))
        whole = (truth == 1.0).astype(np.float64) + (given == 1.0)
        n, support = len(truth), int((whole > 0.0).sum())
        if support == 0:
            return undefined(n)
        value = float(hits.sum() / whole.sum())
        return bounded(value, error_of((hits - value * whole) / whole.mean()), n, support)
