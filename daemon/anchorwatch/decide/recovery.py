"""What a retraining would recover, as estimated before it is asked for."""

from __future__ import annotations

from collections.abc import Callable

import msgspec


class Recovery(msgspec.Struct, frozen=True):
    """What a cheap model reached on the labelled predictions since a change, each predicted before it was learnt.

    Attributes
    ----------
    metric
        What is compared, larger is better: "accuracy", "average precision"; or "error", smaller is better.
    reached, low, high
        What the cheap model reached on the later of those rows, and its 95 % interval.
    current
        What the model in production reached on the same rows.
    usual
        What the model reached in the baseline; None where that is not known.
    rows
        Labelled predictions since the change that it learnt from and was judged on.
    """

    metric: str
    reached: float
    low: float
    high: float
    current: float
    usual: float | None
    rows: int

    @property
    def gain(self) -> float:
        """Return how much better than the model in production it was, in points: hundredths of the metric.

        An error has a unit of its own, so its points are hundredths of the error of the model in production.
        """
        return self._better(self.reached)

    @property
    def sure_gain(self) -> float:
        """Return the gain, in points, at that end of the interval of `reached` which is the worse one.

        The estimate is the best of a few models, and is looked at again and again: its middle comes out too large.
        """
        return self._better(self.high if self.metric == "error" else self.low)

    def _better(self, than: float) -> float:
        if self.metric == "error":
            return 100.0 * (1.0 - than / self.current) if self.current > 0.0 else 0.0
        return 100.0 * (than - self.current)


Estimator = Callable[[str, int, int], Recovery | None]
"""Gives the recovery of a version from a change at an event time, among its first so many labelled predictions; None
where there are too few to tell."""
