"""Performance without labels: what outcomes predictions like these had in the baseline."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

BINS = 40
"""Bins at most, each with as many predictions as the others."""
IN_BIN = 100
"""Predictions in a bin, at least."""
_Z = 1.959963984540054


class Estimated(NamedTuple):
    """The mean outcome of some predictions, estimated without their labels.

    Attributes
    ----------
    value, low, high
        The mean, and the 95 % interval in which the real one lies if the assumption holds.
    n
        Predictions it rests on.
    """

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """The mean outcome as a function of what the model said, by bins.

    For a classifier x is its score or confidence and the outcome is 1 for right, 0 for wrong: a window's mean is its
    accuracy, estimated from calibrated confidences (CBPE). For a regression x is the predicted value and the outcome
    the absolute error (direct loss estimation with the prediction as the only feature).

    The assumption is that the relation of features and truth is that of the baseline: the estimate sees that more
    predictions fall where the model errs, and is blind to a concept that moves.

    Attributes
    ----------
    edges
        (bins - 1,) where one bin ends and the next begins, rising; a value on an edge is in the upper one.
    rows
        (bins,) predictions of the baseline in each.
    mean, variance
        (bins,) of their outcomes.

    References
    ----------
    NannyML documentation: How it works, Performance estimation (CBPE, DLE), 2023.
    """

    edges: Floats
    rows: Floats
    mean: Floats
    variance: Floats

    @classmethod
    def of(cls, x: Floats, outcome: Floats) -> Self | None:
        """Return the curve of (n,) predictions with their outcomes; None where fewer than `IN_BIN` are finite."""
        known = np.isfinite(x) & np.isfinite(outcome)
        x, outcome = x[known], outcome[known]
        if len(x) < IN_BIN:
            return None
        bins = min(len(x) // IN_BIN, BINS)
        edges = np.unique(np.quantile(x, np.arange(1, bins) / bins))
        edges = edges[edges > x.min()]
        place = np.searchsorted(edges, x, side="right")
        rows = np.bincount(place, minlength=len(edges) + 1).astype(np.float64)
        mean = np.bincount(place, outcome, len(rows)) / rows
        variance = np.bincount(place, (outcome - mean[place]) ** 2, len(rows)) / rows
        return cls(edges, rows, mean, variance)

    def estimate(self, x: Floats, counts: NDArray[np.int64]) -> Estimated:
        """Return the mean outcome of predictions, given as counts of some values; NaN where there are none.

        Parameters
        ----------
        x
            (k,) finite values.
        counts
            (k,) how many predictions said each.

        Notes
        -----
        The variance has two parts: that of the outcomes of these predictions, and that of the bins' means, which are
        known from a sample.
        """
        n = int(counts.sum())
        if not n:
            return Estimated(math.nan, math.nan, math.nan, 0)
        place = np.searchsorted(self.edges, x, side="right")
        weight = np.bincount(place, counts, len(self.rows)) / n
        value = float(weight @ self.mean)
        half = _Z * math.sqrt(float(weight @ self.variance) / n + float(weight**2 @ (self.variance / self.rows)))
        return Estimated(value, value - half, value + half, n)

    def to_plain(self) -> dict[str, list[float]]:
        """Return the curve as plain data."""
        return {name: getattr(self, name).tolist() for name in ("edges", "rows", "mean", "variance")}

    @classmethod
    def from_plain(cls, plain: dict[str, list[float]]) -> Self:
        """Return the curve that `to_plain` described."""
        return cls(*(np.array(plain[name], np.float64) for name in ("edges", "rows", "mean", "variance")))
