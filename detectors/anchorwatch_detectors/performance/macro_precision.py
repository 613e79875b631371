"""Macro precision: the mean of the precision of each class."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from anchorwatch_detectors.intervals import bounded, error_of, undefined
from anchorwatch_detectors.metric import MANY, Metric, usable

if TYPE_CHECKING:
    from anchorwatch_detectors.metric import Estimate, Floats, Kind, Needs


class MacroPrecision(Metric):
    """Mean over all classes that occur, each counting the same; that of a class that is never predicted is 0.

    A mean of ratios: delta method, on the logit scale.
    """

    name: ClassVar[str] = "macro_precision"
    needs: ClassVar[Needs] = "class"
    kinds: ClassVar[frozenset[Kind]] = MANY

    def of(self, truth: Floats, given: Floats) -> Estimate:
        """Return the mean of the precision over classes."""
        truth, given = usable(truth, given)
        n = len(truth)
        if n == 0:
            return undefined()
        words, codes = np.unique(np.concatenate([truth, given]), return_inverse=True)
        k, codes = len(words), codes.ravel()
        mine, right = codes[n:], codes[:n] == codes[n:]
        whole = np.bincount(mine, minlength=k)
        values = np.bincount(mine, right, k) / np.maximum(whole, 1)
        influence = (right - values[mine]) * (n / np.maximum(whole, 1) / k)[mine]
        return bounded(float(values.mean()), error_of(influence), n, n)
