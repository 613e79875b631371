"""HDDM_W: weighted averages before and after a cut point, held apart by McDiarmid's bound."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from anchorwatch_detectors.array_lanes import ArrayDetector, check_river
from anchorwatch_detectors.parameters import check_choice, check_real

if TYPE_CHECKING:
    from anchorwatch_detectors.base import Floats
    from anchorwatch_detectors.kernels.block import Block


@dataclass(frozen=True, slots=True)
class HddmW(ArrayDetector):
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

    def fresh(self) -> Floats:
        """Return a lane that begins.

        n, mean, weighted mean and sum of squared weights of all values, then for a rise and for a fall: what the
        weighted mean (for a fall: the negated one) plus its bound must go below to move the cut; weighted mean, sum of
        squared weights, n and mean up to the cut; weighted mean, sum of squared weights and n after it.
        """
        side = [math.inf, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0, 0.0]
        return np.array([0.0, 0.0, 0.0, 1.0, *side, *side])

    def feed(self, rows: Floats, block: Block) -> tuple[Floats, Floats]:
        """Take a block of events; see `ArrayDetector.feed`."""
        from anchorwatch_detectors.kernels.hddm_w import take

        new, old = float(self.lambda_val), float(1 - self.lambda_val)
        weights = (new, old, new * new, old**2)
        bound = math.log(1 / self.drift_confidence)
        return rows, take(rows, block, self.fresh(), weights, bound, 1 + self.two_sided_test)

    def to_river(self, row: Floats) -> Any:
        """Return river's `HDDMW` in the state of a lane."""
        from river import drift

        made = drift.binary.HDDMW(**self.parameters())
        n, _, weighted, spread, *sides = row.tolist()
        _set_sample(made._total, weighted, spread, known=n > 0)  # noqa: SLF001 - river has no other way to set a state
        rise, fall = sides[:8], sides[8:]
        made._incr_cutpoint, made._decr_cutpoint = rise[0], -fall[0]  # noqa: SLF001
        for side, name in ((rise, "incr"), (fall, "decr")):
            _set_sample(getattr(made, f"_s1_{name}"), side[1], side[2], known=n > 0)
            _set_sample(getattr(made, f"_s2_{name}"), side[5], side[6], known=side[7] > 0)
        falls = self.two_sided_test and made._detect_mean_decr(self.warning_confidence)  # noqa: SLF001
        made._warning_detected = made._detect_mean_incr(self.warning_confidence) or falls  # noqa: SLF001
        return made

    def from_river(self, detector: Any) -> Floats:
        """Return the row of a lane in the state of river's `HDDMW`.

        river counts no values: of an alarm that follows, `since` counts from here on where the cut is not moved again,
        and `before` and `after` are NaN.
        """
        check_river(self, detector)
        row = self.fresh()
        total = detector._total  # noqa: SLF001 - river has no other way to read a state
        if detector.drift_detected or not total.is_init:
            return row
        row[:4] = 1.0, math.nan, total.ewma, total.ibc
        cuts = (1.0, detector._incr_cutpoint, "incr"), (-1.0, detector._decr_cutpoint, "decr")  # noqa: SLF001
        for side, (sign, edge, name) in zip((row[4:12], row[12:]), cuts, strict=True):
            past, late = getattr(detector, f"_s1_{name}"), getattr(detector, f"_s2_{name}")
            side[:5] = sign * edge, past.ewma, past.ibc, 1.0 - late.is_init, math.nan
            side[5:] = late.ewma, late.ibc, late.is_init
        return row


def _set_sample(sample: Any, weighted: float, spread: float, *, known: bool) -> None:
    """Put one of river's samples in the state of a weighted mean and its sum of squared weights.

    Its compiled mean is set as a copy of it would be: bytes of the mean, its two weights, whether there is a value.
    """
    mean = sample._ewma._ewmean  # noqa: SLF001 - river has no other way to set a state
    fresh = mean.__getstate__()
    mean.__setstate__(struct.pack("<d", weighted) + fresh[8:24] + struct.pack("<?", known) + fresh[25:])
    sample._is_init, sample._ibc = known, spread  # noqa: SLF001
