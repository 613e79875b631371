"""Metrics of two classes by their scores, which of several classes are the mean over each against all others."""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from anchorwatch_detectors.intervals import bounded, error_of, undefined
from anchorwatch_detectors.metric import CLASSES, Metric, usable, usable_ranks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from anchorwatch_detectors.metric import Estimate, Floats, Kind, Needs

    Mask = NDArray[np.bool_]


class OneAgainstRest(Metric):
    """A metric of the scores of positives and negatives.

    Of several classes it is the mean over all that have a probability, each counting the same, undefined unless each
    comes twice: a mean over those that happened to come would move with them. The error follows by the delta method
    from the influence that each row has on all of them together, the interval is on the logit scale.
    """

    needs: ClassVar[Needs] = "score"
    kinds: ClassVar[frozenset[Kind]] = CLASSES

    @abc.abstractmethod
    def of_two(self, positive: Mask, scores: Floats) -> Estimate:
        """Return the metric of (n,) scores of positives and negatives."""

    @abc.abstractmethod
    def influence(self, positive: Mask, scores: Floats) -> tuple[float, Floats]:
        """Return the metric where each side comes twice at least, and (n,) what each row adds to it."""

    def of(self, truth: Floats, given: Floats) -> Estimate:
        """Return the metric of the positive class, or the mean over several."""
        if np.ndim(given) == 1:
            truth, given = usable(truth, given)
            return self.of_two(truth == 1.0, given)
        truth, given = usable_ranks(truth, given)
        n, k = given.shape
        sides = [truth == code for code in range(k)]
        rarer = np.array([min(int(side.sum()), n - int(side.sum())) for side in sides])
        if rarer.min() < 2:
            return undefined(n)
        parts = [self.influence(side, given[:, code]) for code, side in enumerate(sides)]
        value = float(np.mean([each for each, _ in parts]))
        influence = np.mean([each for _, each in parts], axis=0)
        support = float(1.0 / (1.0 / rarer).mean())
        return bounded(value, error_of(influence), n, int(k * support))._replace(support=int(support))
