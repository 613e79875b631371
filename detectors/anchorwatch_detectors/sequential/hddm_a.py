"""HDDM_A: the mean of everything against the mean up to a cut point, held apart by Hoeffding's bound."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

from anchorwatch_detectors.alarms import Hit
from anchorwatch_detectors.lanes import LaneDetector, check_row
from anchorwatch_detectors.parameters import check_choice, check_real

Row = tuple[float, ...]
"""(n, mean) of all values, of those up to the cut for a rise, of those up to the cut for a fall."""

_FRESH: Row = (0.0,) * 6


@dataclass(frozen=True, slots=True)
class HddmA(LaneDetector):
    """Hoeffding drift detection, averages; river's order of operations: same alarms, bit for bit.

    The cut for a rise is where the mean plus its Hoeffding bound was least; an alarm is raised when the mean of all
    values exceeds the mean up to the cut by more than the bound of their difference. A fall mirrors it. The bounds
    hold for values in [0, 1]: errors (1 = wrong), ranks, rates.

    Of an alarm, `statistic` is the distance of the two means, `threshold` the bound, `since` the number of values
    after the cut, `before` and `after` the means up to the cut and after it.

    Parameters
    ----------
    drift_confidence
        Probability of a false alarm at one check, in (0, 1). Smaller means fewer false alarms and later true ones.
    warning_confidence
        The same for a warning, in (0, 1), not below `drift_confidence`. It does not change alarms.
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
    >>> alarms = HddmA().start(groups=1, subjects=1).update(errors[np.newaxis])
    >>> alarms.event.tolist(), alarms.since.tolist(), alarms.before.round(2).tolist()
    ([1040], [182], [0.09])

    References
    ----------
    Frias-Blanco, I., del Campo-Avila, J., Ramos-Jimenez, G., Morales-Bueno, R., Ortiz-Diaz, A., Caballero-Mota, Y.
    (2014). Online and non-parametric drift detection methods based on Hoeffding's bounds. IEEE Transactions on
    Knowledge and Data Engineering 27 (3), 810-823.
    """

    name: ClassVar[str] = "hddm_a"

    drift_confidence: float = 0.001
    warning_confidence: float = 0.005
    two_sided_test: bool = False

    def __post_init__(self) -> None:
        check_real(self.name, "drift_confidence", self.drift_confidence, above=0.0, below=1.0)
        check_real(self.name, "warning_confidence", self.warning_confidence, least=self.drift_confidence, below=1.0)
        check_choice(self.name, "two_sided_test", self.two_sided_test, (False, True))

    def feed(self, lane: Row | None, values: list[float]) -> tuple[Row, list[Hit]]:
        """Take values in order; see `LaneDetector.feed`. A lane is a `Row`."""
        sqrt, two_sided = math.sqrt, self.two_sided_test
        bound = math.log(1.0 / self.drift_confidence)
        n, mean, n_low, low, n_high, high = _FRESH if lane is None else lane
        hits: list[Hit] = []
        for position, x in enumerate(values):
            n += 1.0
            mean += (1.0 / n) * (x - mean)
            if n == 1.0:
                n_low, low, n_high, high = n, mean, n, mean
            eps = sqrt(1.0 / (2 * n) * bound)
            if low + sqrt(1.0 / (2 * n_low) * bound) >= mean + eps:
                n_low, low = n, mean
            if high - sqrt(1.0 / (2 * n_high) * bound) <= mean - eps:
                n_high, high = n, mean
            if n_low != n and mean - low >= self._distance(n, n_low):
                hits.append(Hit.split(position, (mean - low, self._distance(n, n_low)), (n, mean), (n_low, low)))
            elif two_sided and n_high != n and high - mean >= self._distance(n, n_high):
                hits.append(Hit.split(position, (high - mean, self._distance(n, n_high)), (n, mean), (n_high, high)))
            else:
                continue
            n, mean, n_low, low, n_high, high = _FRESH
        return (n, mean, n_low, low, n_high, high), hits

    def check(self, lane: Any) -> Row:
        """Return a stored lane; raises ValueError if it is not one."""
        return check_row(self.name, lane, len(_FRESH))

    def _distance(self, n: float, n_cut: float) -> float:
        """Return the bound on the distance of the mean of `n` values from that of the first `n_cut` of them."""
        m = (n - n_cut) / n_cut * (1.0 / n)
        return math.sqrt(m / 2 * math.log(2.0 / self.drift_confidence))
