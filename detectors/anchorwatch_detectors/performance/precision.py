"""Precision: how many of the predicted positives are positive."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from anchorwatch_detectors.intervals import share
from anchorwatch_detectors.metric import BINARY, Metric, usable

if TYPE_CHECKING:
    from anchorwatch_detectors.metric import Estimate, Floats, Kind, Needs


class Precision(Metric):
    """True positives among predicted positives; undefined without any. Wilson's interval."""

    name: ClassVar[str] = "precision"
    needs: ClassVar[Needs] = "class"
    kinds: ClassVar[frozenset[Kind]] = BINARY

    def of(self, truth: Floats, given: Floats) -> Estimate:
        """Return the share of positives among rows that were predicted to be."""
        truth, given = usable(truth, given)
        return share(int(((truth == 1.0) & (given == 1.0)).sum()), int((given == 1.0).sum()), len(truth))
