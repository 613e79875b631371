"""Accuracy: how many of the predicted classes are right."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from anchorwatch_detectors.intervals import share
from anchorwatch_detectors.metric import CLASSES, Metric, usable

if TYPE_CHECKING:
    from anchorwatch_detectors.metric import Estimate, Floats, Kind, Needs


class Accuracy(Metric):
    """Share of right answers. Wilson's interval.

    Examples
    --------
    >>> import numpy as np
    >>> found = Accuracy().of(np.array([1.0, 0, 1, 1]), np.array([1.0, 0, 0, 1]))
    >>> found.value, round(found.low, 3), round(found.high, 3)
    (0.75, 0.301, 0.954)
    """

    name: ClassVar[str] = "accuracy"
    needs: ClassVar[Needs] = "class"
    kinds: ClassVar[frozenset[Kind]] = CLASSES

    def of(self, truth: Floats, given: Floats) -> Estimate:
        """Return the share of rows in which both are the same."""
        truth, given = usable(truth, given)
        return share(int((truth == given).sum()), len(truth), len(truth))
