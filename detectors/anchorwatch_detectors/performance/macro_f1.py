"""Macro F1: the mean of the F1 of each class."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from anchorwatch_detectors.intervals import bounded, error_of, undefined
from anchorwatch_detectors.metric import MANY, Metric, usable

if TYPE_CHECKING:
    from anchorwatch_detectors.metric import Estimate, Floats, Kind, Needs


class MacroF1(Metric):
    """Mean over all classes that occur, each counting the same.

    A mean of ratios: delta method, on the logit scale.
    """

    name: ClassVar[str] = "macro_f1"
    needs: ClassVar[Needs] = "class"
    kinds: ClassVar[frozenset[Kind]] = MANY

    def of(self, truth: Floats, given: Floats) -> Estimate:
        """Return the mean of the F1 over classes."""
        truth, given = usable(truth, given)
        n = len(truth)
        if n == 0:
            return undefined()
        words, codes = np.unique(np.concatenate([truth, given]), return_inverse=True)
        k, codes = len(words), codes.ravel()
        true, said, right = codes[:n], codes[n:], codes[:n] == codes[n:]
        whole = np.bincount(true, minlength=k) + np.bincount(said, minlength=k)
        values = 2.0 * np.bincount(true, right, k) / whole
        weight = n / whole / k
        influence = (right - values[true]) * weight[true] + (right - values[said]) * weight[said]
        return bounded(float(values.mean()), error_of(influence), n, n)
