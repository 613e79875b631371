"""Average precision: the area under the precision-recall curve."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from anchorwatch_detectors.intervals import bounded, error_of, undefined
from anchorwatch_detectors.one_against_rest import OneAgainstRest

if TYPE_CHECKING:
    from anchorwatch_detectors.metric import Estimate, Floats
    from anchorwatch_detectors.one_against_rest import Mask


class AveragePrecision(OneAgainstRest):
    """Mean over the positives of the precision at their own score, without interpolation.

    Undefined unless there are two positives and a negative. With p(s) = A(s) / B(s), the share of positives among rows
    that score s or more, it is E[y p(s)] / E[y]; its influence follows by the chain rule, that of p(s) at the score of
    each positive included. The interval is on the logit scale (Boyd, Eng, Page, "Area under the precision-recall curve:
    point estimates and confidence intervals", ECML PKDD 2013).
    """

    name: ClassVar[str] = "average_precision"

    def of_two(self, positive: Mask, scores: Floats) -> Estimate:
        """Return the average precision."""
        n, hits = len(positive), int(positive.sum())
        if hits < 2 or hits == n:
            return undefined(n)
        value, influence = self.influence(positive, scores)
        return bounded(value, error_of(influence), n, min(hits, n - hits))

    def influence(self, positive: Mask, scores: Floats) -> tuple[float, Floats]:
        """Return the average precision, and what each row adds to it."""
        n, hits = len(positive), int(positive.sum())
        levels, place = np.unique(scores, return_inverse=True)
        place, k = place.ravel(), len(levels)
        here = np.bincount(place, positive, k)
        above = np.cumsum(here[::-1])[::-1]
        reached = np.cumsum(np.bincount(place, minlength=k)[::-1])[::-1] / n
        precision = above / n / reached
        value = float((here * precision).sum() / hits)
        # what a row changes in the precision of all positives that score no more than itself
        once = np.cumsum(here / reached)[place] / n
        weighed = np.cumsum(here * precision / reached)[place] / n
        whole = positive * precision[place] + positive * once - weighed
        share = hits / n
        return value, (whole - value * positive) / share
