"""HDDM_A: the mean of everything against the mean up to a cut point, held apart by Hoeffding's bound."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from anchorwatch_detectors.array_lanes import ArrayDetector, check_river
from anchorwatch_detectors.parameters import check_choice, check_real

if TYPE_CHECKING:
    from anchorwatch_detectors.base import Floats
    from anchorwatch_detectors.kernels.block import Block

_MEANS = ("_z", "_x_min", "_x_max")
"""What river calls its means, in the order of a row."""


@dataclass(frozen=True, slots=True)
class HddmA(ArrayDetector):
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

    def fresh(self) -> Floats:
        """Return a lane that begins: n and mean of all values, of those up to the cut for a rise, and for a fall."""
        return np.zeros(6)

    def feed(self, rows: Floats, block: Block) -> tuple[Floats, Floats]:
        """Take a block of events; see `ArrayDetector.feed`."""
        from anchorwatch_detectors.kernels.hddm_a import take

        bound, distance = (math.log(times / self.drift_confidence) for times in (1.0, 2.0))
        return rows, take(rows, block, bound, distance, 1 + self.two_sided_test)

    def to_river(self, row: Floats) -> Any:
        """Return river's `HDDMA` in the state of a lane."""
        from river import drift, stats

        made = drift.binary.HDDMA(**self.parameters())
        for name, n, mean in zip(_MEANS, row[::2].tolist(), row[1::2].tolist(), strict=True):
            setattr(made, name, stats.Mean._from_state(n, mean))  # noqa: SLF001 - river has no other way to set a state
        if row[0]:
            falls = self.two_sided_test and made._mean_decr(self.warning_confidence)  # noqa: SLF001
            made._warning_detected = made._mean_incr(self.warning_confidence) or falls  # noqa: SLF001
        return made

    def from_river(self, detector: Any) -> Floats:
        """Return the row of a lane in the state of river's `HDDMA`."""
        check_river(self, detector)
        if detector.drift_detected:
            return self.fresh()
        means = [getattr(detector, name) for name in _MEANS]
        return np.array([x for mean in means for x in (mean.n, mean.get())])
