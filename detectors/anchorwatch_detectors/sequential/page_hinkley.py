"""Page-Hinkley: a running sum of deviations from the running mean that strays too far from its extreme."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np

from anchorwatch_detectors.array_lanes import ArrayDetector, check_river
from anchorwatch_detectors.parameters import check_choice, check_real, check_whole

if TYPE_CHECKING:
    from anchorwatch_detectors.base import Floats
    from anchorwatch_detectors.kernels.block import Block


@dataclass(frozen=True, slots=True)
class PageHinkley(ArrayDetector):
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

    def fresh(self) -> Floats:
        """Return a lane that begins: n, mean, sums for rise and fall, then extreme, n and mean at it for each."""
        return np.array([0.0, 0.0, 0.0, 0.0, math.inf, 0.0, 0.0, -1.0, 0.0, 0.0])

    def feed(self, rows: Floats, block: Block) -> tuple[Floats, Floats]:
        """Take a block of events; see `ArrayDetector.feed`."""
        from anchorwatch_detectors.kernels.page_hinkley import take

        rise = math.inf if self.mode == "down" else float(self.threshold)
        fall = math.inf if self.mode == "up" else float(self.threshold)
        settings = (self.min_instances, float(self.delta), float(self.alpha), rise, fall)
        return rows, take(rows, block, settings, self.fresh())

    def to_river(self, row: Floats) -> Any:
        """Return river's `PageHinkley` in the state of a lane."""
        from river import drift, stats

        made = drift.PageHinkley(**self.parameters())
        n, mean, up, down, low, _, _, high, _, _ = row.tolist()
        made._x_mean = stats.Mean._from_state(n, mean)  # noqa: SLF001 - river has no other way to set a state
        made._sum_increase, made._sum_decrease = up, down  # noqa: SLF001
        made._min_increase, made._max_decrease = low, high  # noqa: SLF001
        return made

    def from_river(self, detector: Any) -> Floats:
        """Return the row of a lane in the state of river's `PageHinkley`.

        river does not keep when its sums were at their extremes: an alarm that follows without a new extreme has all
        values since the lane began after its change.
        """
        check_river(self, detector)
        if detector.drift_detected:
            return self.fresh()
        mean, up, down = detector._x_mean, detector._sum_increase, detector._sum_decrease  # noqa: SLF001
        low, high = detector._min_increase, detector._max_decrease  # noqa: SLF001
        return np.array([mean.n, mean.get(), up, down, low, 0.0, 0.0, high, 0.0, 0.0])
