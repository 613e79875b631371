"""Page-Hinkley: a running sum of deviations from the running mean that strays too far from its extreme."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from anchorwatch_detectors.alarms import Hit
from anchorwatch_detectors.lanes import LaneDetector, check_row
from anchorwatch_detectors.parameters import check_choice, check_real, check_whole

Row = tuple[float, ...]
"""(n, mean, sum_increase, sum_decrease, min_increase, n and mean at it, max_decrease, n and mean at it)."""

_FRESH: Row = (0.0, 0.0, 0.0, 0.0, math.inf, 0.0, 0.0, -1.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class PageHinkley(LaneDetector):
    """Page-Hinkley test (a two-sided CUSUM), with the order of operations of river's: same alarms, bit for bit.

    Two sums of the deviations from the running mean, faded by `alpha`, are followed: one held back by `delta` and
    measured from its minimum (a rise of the mean), one pushed on by `delta` and measured from its maximum (a fall).
    The values enter as they are, so `delta` and `threshold` are in their unit.

    Of an alarm, `statistic` is the distance of the sum from its extreme on the side that rang, `since` the number
    of values since that extreme, `before` and `after` the means of the lane's values up to it and after it (of all
    values, and `before` NaN, where the extreme was never reached since the lane began).

    Parameters
    ----------
    min_instances
        No alarm before so many values, at least 1.
    delta
        Deviation that is let pass at every value, finite, in the unit of the values. Larger ignores larger shifts.
    threshold
        Distance that raises an alarm, above 0, in the unit of the values times their number. Larger means fewer
        false alarms and later true ones.
    alpha
        Share of a sum that stays at every value, in (0, 1]. 1 never forgets.
    mode
        "up" rings for rises of the mean, "down" for falls, "both" for either.

    Raises
    ------
    ValueError
        If a parameter is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(7)
    >>> latency = np.concatenate([rng.normal(20, 2, 500), rng.normal(23, 2, 500)])
    >>> alarms = PageHinkley(delta=0.5).start(groups=1, subjects=1).update(latency[np.newaxis])
    >>> alarms.event.tolist(), alarms.since.tolist(), alarms.after.round(1).tolist()
    ([521], [22], [22.6])

    References
    ----------
    Page, E. S. (1954). Continuous inspection schemes. Biometrika 41 (1/2), 100-115.
    Sebastiao, R., Fernandes, J. M. (2017). Supporting the Page-Hinkley test with empirical mode decomposition for
    change detection. International Symposium on Methodologies for Intelligent Systems, 492-498.
    """

    name: ClassVar[str] = "page_hinkley"

    min_instances: int = 30
    delta: float = 0.005
    threshold: float = 50.0
    alpha: float = 1 - 0.0001
    mode: Literal["up", "down", "both"] = "both"

    def __post_init__(self) -> None:
        check_whole(self.name, "min_instances", self.min_instances, least=1)
        check_real(self.name, "delta", self.delta)
        check_real(self.name, "threshold", self.threshold, above=0.0)
        check_real(self.name, "alpha", self.alpha, above=0.0, most=1.0)
        check_choice(self.name, "mode", self.mode, ("up", "down", "both"))

    def feed(self, lane: Row | None, values: list[float]) -> tuple[Row, list[Hit]]:
        """Take values in order; see `LaneDetector.feed`. A lane is a `Row`."""
        delta, alpha, warm = self.delta, self.alpha, self.min_instances
        highest_rise = math.inf if self.mode == "down" else self.threshold
        highest_fall = math.inf if self.mode == "up" else self.threshold
        n, mean, up, down, low, low_n, low_mean, high, high_n, high_mean = _FRESH if lane is None else lane
        hits: list[Hit] = []
        for position, x in enumerate(values):
            n += 1.0
            mean += (1.0 / n) * (x - mean)
            deviation = x - mean
            up = alpha * up + deviation - delta
            down = alpha * down + deviation + delta
            if up < low:
                low, low_n, low_mean = up, n, mean
            if down > high:
                high, high_n, high_mean = down, n, mean
            if n >= warm and (up - low > highest_rise or high - down > highest_fall):
                if up - low > highest_rise:
                    hits.append(Hit.split(position, (up - low, highest_rise), (n, mean), (low_n, low_mean)))
                else:
                    hits.append(Hit.split(position, (high - down, highest_fall), (n, mean), (high_n, high_mean)))
                n, mean, up, down, low, low_n, low_mean, high, high_n, high_mean = _FRESH
        return (n, mean, up, down, low, low_n, low_mean, high, high_n, high_mean), hits

    def check(self, lane: Any) -> Row:
        """Return a stored lane; raises ValueError if it is not one."""
        return check_row(self.name, lane, len(_FRESH))
