"""HDDM_W: weighted averages before and after a cut point, held apart by McDiarmid's bound."""

from __future__ import annotations

import math
from dataclasses import astuple, dataclass
from typing import Any, ClassVar

from anchorwatch_detectors.alarms import Hit
from anchorwatch_detectors.lanes import LaneDetector, check_row
from anchorwatch_detectors.parameters import check_choice, check_real

Row = tuple[float, ...]
"""(n, mean, weighted mean, sum of squared weights) of all values, then eight numbers for each side, see `_Side`."""


@dataclass(slots=True)
class _Side:
    """The cut for a rise; a fall is the rise of the negated values, which changes no bit but the sign.

    `edge` is what the weighted mean plus its bound must go below to move the cut. `past` and `past_spread` are the
    weighted mean and the sum of its squared weights up to the cut, `past_n` and `past_mean` the plain ones; `late`,
    `late_spread` and `late_n` are of the values after the cut.
    """

    sign: float
    edge: float = math.inf
    past: float = 0.0
    past_spread: float = 1.0
    past_n: float = 0.0
    past_mean: float = 0.0
    late: float = 0.0
    late_spread: float = 1.0
    late_n: float = 0.0


@dataclass(frozen=True, slots=True)
class HddmW(LaneDetector):
    """Hoeffding drift detection, weighted averages; river's order of operations: same alarms, bit for bit.

    The cut for a rise is where the exponentially weighted mean plus its McDiarmid bound was least; an alarm is raised
    when the weighted mean of the values after it exceeds the one up to it by more than the bound of their difference.
    A fall mirrors it. The bounds hold for values in [0, 1]: errors (1 = wrong), ranks, rates. Recent values weigh
    more than in HDDM_A, so gradual changes are seen sooner.

    Of an alarm, `statistic` is the distance of the two weighted means, `threshold` the bound, `since` the number of
    values after the cut, `before` and `after` the plain means up to the cut and after it.

    Parameters
    ----------
    drift_confidence
        Probability of a false alarm at one check, in (0, 1). Smaller means fewer false alarms and later true ones.
    warning_confidence
        The same for a warning, in (0, 1), not below `drift_confidence`. It does not change alarms.
    lambda_val
        Weight of the newest value in the means, in (0, 1). Larger forgets sooner.
    two_sided_test
        False rings for rises of the mean alone, True for falls too.

    Raises
    ------
    ValueError
        If a parameter is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(7)
    >>> errors = np.concatenate([rng.random(1000) < 0.1, rng.random(1000) < 0.4]).astype(float)
    >>> alarms = HddmW().start(groups=1, subjects=1).update(errors[np.newaxis])
    >>> alarms.event.tolist(), alarms.since.tolist(), alarms.before.round(2).tolist()
    ([1037], [543], [0.09])

    References
    ----------
    Frias-Blanco, I., del Campo-Avila, J., Ramos-Jimenez, G., Morales-Bueno, R., Ortiz-Diaz, A., Caballero-Mota, Y.
    (2014). Online and non-parametric drift detection methods based on Hoeffding's bounds. IEEE Transactions on
    Knowledge and Data Engineering 27 (3), 810-823.
    """

    name: ClassVar[str] = "hddm_w"

    drift_confidence: float = 0.001
    warning_confidence: float = 0.005
    lambda_val: float = 0.05
    two_sided_test: bool = False

    def __post_init__(self) -> None:
        check_real(self.name, "drift_confidence", self.drift_confidence, above=0.0, below=1.0)
        check_real(self.name, "warning_confidence", self.warning_confidence, least=self.drift_confidence, below=1.0)
        check_real(self.name, "lambda_val", self.lambda_val, above=0.0, below=1.0)
        check_choice(self.name, "two_sided_test", self.two_sided_test, (False, True))

    def feed(self, lane: Row | None, values: list[float]) -> tuple[Row, list[Hit]]:
        """Take values in order; see `LaneDetector.feed`. A lane is a `Row`."""
        sqrt, bound = math.sqrt, math.log(1 / self.drift_confidence)
        new, old = self.lambda_val, 1 - self.lambda_val
        new_squared, old_squared = new * new, old**2
        n, mean, weighted, spread, sides = self._opened(lane)
        hits: list[Hit] = []
        for position, x in enumerate(values):
            n += 1.0
            mean += (1.0 / n) * (x - mean)
            weighted = new * x + old * weighted if n > 1.0 else x
            spread = new_squared + old_squared * spread
            eps = sqrt(spread * bound / 2)
            for side in sides:
                level = side.sign * weighted
                if level + eps < side.edge:
                    side.edge, side.past, side.past_spread, side.past_n, side.past_mean = (
                        level + eps,
                        level,
                        spread,
                        n,
                        mean,
                    )
                    side.late_n, side.late_spread = 0.0, 1.0
                    continue
                side.late = new * side.sign * x + old * side.late if side.late_n else side.sign * x
                side.late_spread = new_squared + old_squared * side.late_spread
                side.late_n += 1.0
                threshold = sqrt((side.past_spread + side.late_spread) * bound / 2)
                if side.late - side.past > threshold:
                    distance = (side.late - side.past, threshold)
                    hits.append(Hit.split(position, distance, (n, mean), (side.past_n, side.past_mean)))
                    n, mean, weighted, spread, sides = self._opened(None)
                    break
        return (n, mean, weighted, spread, *(x for side in sides for x in _closed(side))), hits

    def check(self, lane: Any) -> Row:
        """Return a stored lane; raises ValueError if it is not one."""
        return check_row(self.name, lane, 4 + 8 * (1 + self.two_sided_test))

    def _opened(self, lane: Row | None) -> tuple[float, float, float, float, list[_Side]]:
        signs = (1.0, -1.0) if self.two_sided_test else (1.0,)
        if lane is None:
            return 0.0, 0.0, 0.0, 1.0, [_Side(sign) for sign in signs]
        n, mean, weighted, spread, *rest = lane
        return n, mean, weighted, spread, [_Side(sign, *rest[8 * i : 8 * i + 8]) for i, sign in enumerate(signs)]


def _closed(side: _Side) -> Row:
    """Return the numbers of a side, without its sign."""
    return astuple(side)[1:]
