"""Metrics of classes that are averaged over the classes, each counting the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from anchorwatch_detectors.intervals import bounded, error_of, undefined
from anchorwatch_detectors.metric import MANY, Metric, usable

if TYPE_CHECKING:
    from anchorwatch_detectors.metric import Estimate, Floats, Kind, Needs


class Macro(Metric):
    """Mean over all classes that occur of the share of right answers among those that name the class.

    A mean of ratios: delta method, on the logit scale. A class that none of those answers names counts 0.

    Attributes
    ----------
    among_true, among_said
        Whether the answers are those in which the class is true, those in which it is predicted, or both, one after the
        other.
    """

    needs: ClassVar[Needs] = "class"
    kinds: ClassVar[frozenset[Kind]] = MANY
    among_true: ClassVar[bool]
    among_said: ClassVar[bool]

    def of(self, truth: Floats, given: Floats) -> Estimate:
        """Return the mean over classes."""
        truth, given = usable(truth, given)
        n = len(truth)
        if n == 0:
            return undefined()
        true, said = truth.astype(np.intp), given.astype(np.intp)
        right, codes = true == said, 1 + max(int(true.max()), int(said.max()))
        in_true, in_said = np.bincount(true, minlength=codes), np.bincount(said, minlength=codes)
        occurs = in_true + in_said > 0
        sides = [side for side, counts in ((true, self.among_true), (said, self.among_said)) if counts]
        whole = np.maximum(in_true * self.among_true + in_said * self.among_said, 1)
        values = len(sides) * np.bincount(true, right, codes) / whole
        weight = n / whole / np.count_nonzero(occurs)
        influence = sum((right - values[side]) * weight[side] for side in sides)
        return bounded(float(values[occurs].mean()), error_of(influence), n, n)
