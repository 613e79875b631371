"""DDM: an error rate that rises above its lowest by several of its standard deviations."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from anchorwatch_detectors.array_lanes import ArrayDetector, check_river
from anchorwatch_detectors.parameters import check_real, check_whole

if TYPE_CHECKING:
    from anchorwatch_detectors.base import Floats
    from anchorwatch_detectors.kernels.block import Block


@dataclass(frozen=True, slots=True)
class Ddm(ArrayDetector):
    """Drift detection method, with river's order of operations: same alarms, bit for bit.

    It watches errors (1 = wrong, 0 = right), values in [0, 1]; others are passed over. The mean of all values plus
    its standard deviation (of a binomial share) is followed; an alarm is raised where it exceeds the mean at its
    least by `drift_threshold` of the standard deviations there. It rings for rises alone, and slowly after a long
    quiet time, since all values weigh the same.

    Of an alarm, `statistic` is the mean plus its standard deviation, `threshold` what it exceeded, `since` the number
    of values after the least, `before` and `after` the means up to it and after it.

    Parameters
    ----------
    warm_start
        No alarm within so many values, at least 0.
    warning_threshold
        Standard deviations of a warning, above 0. It does not change alarms.
    drift_threshold
        Standard deviations of an alarm, above 0. Larger means fewer false alarms and later true ones.

    Raises
    ------
    ValueError
        If a parameter is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(7)
    >>> errors = np.concatenate([rng.random(1000) < 0.1, rng.random(1000) < 0.4]).astype(float)
    >>> alarms = Ddm().start(groups=1, subjects=1).update(errors[np.newaxis])
    >>> alarms.event.tolist(), alarms.since.tolist(), alarms.before.round(2).tolist()
    ([1029], [473], [0.09])

    References
    ----------
    Gama, J., Medas, P., Castillo, G., Rodrigues, P. (2004). Learning with drift detection. Brazilian Symposium on
    Artificial Intelligence, 286-295.
    """

    name: ClassVar[str] = "ddm"

    warm_start: int = 30
    warning_threshold: float = 2.0
    drift_threshold: float = 3.0

    def __post_init__(self) -> None:
        check_whole(self.name, "warm_start", self.warm_start, least=0)
        check_real(self.name, "warning_threshold", self.warning_threshold, above=0.0)
        check_real(self.name, "drift_threshold", self.drift_threshold, above=0.0)

    def domain(self) -> tuple[float, float]:
        """Return [0, 1]: a share has a binomial deviation there alone."""
        return 0.0, 1.0

    def fresh(self) -> Floats:
        """Return a lane that begins; `kernels.ddm` says what its numbers are."""
        return np.array([0.0, 0.0, 0.0, 0.0, 0.0, math.inf])

    def feed(self, rows: Floats, block: Block) -> tuple[Floats, Floats]:
        """Take a block of events; see `ArrayDetector.feed`."""
        from anchorwatch_detectors.kernels.ddm import take

        return rows, take(rows, block, (self.warm_start, float(self.drift_threshold)), self.fresh())

    def to_river(self, row: Floats) -> Any:
        """Return river's `DDM` in the state of a lane."""
        from river import drift, stats

        made = drift.binary.DDM(**self.parameters())
        n, rate, _, least_rate, least_spread, least = row.tolist()
        made._p = stats.Mean._from_state(n, rate)  # noqa: SLF001 - river has no other way to set a state
        if least < math.inf:
            made._p_min, made._s_min, made._ps_min = least_rate, least_spread, least  # noqa: SLF001
            reached = rate + math.sqrt(rate * (1 - rate) / n)
            made._warning_detected = reached > least_rate + self.warning_threshold * least_spread  # noqa: SLF001
        return made

    def from_river(self, detector: Any) -> Floats:
        """Return the row of a lane in the state of river's `DDM`.

        river does not keep when the rate was at its least: an alarm that follows without a new least has all values
        since the lane began after its change.
        """
        check_river(self, detector)
        row = self.fresh()
        if not detector.drift_detected:
            row[0], row[1], row[5] = detector._p.n, detector._p.get(), detector._ps_min  # noqa: SLF001
            row[3:5] = detector._p_min or 0.0, detector._s_min or 0.0  # noqa: SLF001
        return row
