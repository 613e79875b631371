"""EDDM: errors that come closer together than they ever came apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from anchorwatch_detectors.array_lanes import ArrayDetector, check_river
from anchorwatch_detectors.parameters import check_real, check_whole

if TYPE_CHECKING:
    from anchorwatch_detectors.base import Floats
    from anchorwatch_detectors.kernels.block import Block


@dataclass(frozen=True, slots=True)
class Eddm(ArrayDetector):
    """Early drift detection method, with river's order of operations: same alarms, bit for bit.

    It watches errors (1 = wrong; anything else in [0, 1] is right; what lies outside is passed over). The mean
    distance of two errors plus two of its standard deviations is followed; an alarm is raised where it falls below a
    share of the greatest that it was. It rings for rises of the error rate alone, early, and with river's defaults
    often without cause.

    Of an alarm, `statistic` is the share that is left, `threshold` is `beta`, `since` the number of values after the
    greatest distance, `before` and `after` the means of the values up to it and after it.

    Parameters
    ----------
    warm_start
        No alarm within so many errors, at least 0.
    alpha
        Share of a warning, in (0, 1], not below `beta`. It does not change alarms.
    beta
        Share of an alarm, in (0, 1]. Smaller means fewer false alarms and later true ones.

    Raises
    ------
    ValueError
        If a parameter is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(7)
    >>> errors = np.concatenate([rng.random(1000) < 0.1, rng.random(1000) < 0.4]).astype(float)
    >>> alarms = Eddm(alpha=0.8, beta=0.75).start(groups=1, subjects=1).update(errors[np.newaxis])
    >>> alarms.event.tolist(), alarms.since.tolist(), alarms.before.round(2).tolist()
    ([1181], [624], [0.09])

    References
    ----------
    Baena-Garcia, M., del Campo-Avila, J., Fidalgo, R., Bifet, A., Gavalda, R., Morales-Bueno, R. (2006). Early drift
    detection method. International Workshop on Knowledge Discovery from Data Streams, 77-86.
    """

    name: ClassVar[str] = "eddm"

    warm_start: int = 30
    alpha: float = 0.95
    beta: float = 0.9

    def __post_init__(self) -> None:
        check_whole(self.name, "warm_start", self.warm_start, least=0)
        check_real(self.name, "beta", self.beta, above=0.0, most=1.0)
        check_real(self.name, "alpha", self.alpha, least=self.beta, most=1.0)

    def domain(self) -> tuple[float, float]:
        """Return [0, 1]: what is not between right and wrong is no answer."""
        return 0.0, 1.0

    def fresh(self) -> Floats:
        """Return a lane that begins; `kernels.eddm` says what its numbers are."""
        return np.array([0.0, 0.0, 0.0, 0.0, 0.0, 0.0, -1.0, 0.0, 0.0, 0.0])

    def feed(self, rows: Floats, block: Block) -> tuple[Floats, Floats]:
        """Take a block of events; see `ArrayDetector.feed`."""
        from anchorwatch_detectors.kernels.eddm import take

        return rows, take(rows, block, (self.warm_start, float(self.alpha), float(self.beta), 0.5), self.fresh())

    def to_river(self, row: Floats) -> Any:
        """Return river's `EDDM` in the state of a lane."""
        from river import drift, stats

        made = drift.binary.EDDM(**self.parameters())
        n, _, errors, last, mean, squares, most, _, _, warning = row.tolist()
        made._n, made._n_errors, made._last_error = int(n), int(errors), int(last)  # noqa: SLF001 - the only way in
        made._error_distances.mean = stats.Mean._from_state(errors, mean)  # noqa: SLF001
        made._error_distances._S, made._p2s_prime_max = squares, most  # noqa: SLF001
        made._warning_detected = warning == 1.0  # noqa: SLF001
        return made

    def from_river(self, detector: Any) -> Floats:
        """Return the row of a lane in the state of river's `EDDM`.

        river keeps neither the sum of the values, taken to be that of its errors, nor when the distance was greatest:
        an alarm that follows without a new greatest has all values since the lane began after its change.
        """
        check_river(self, detector)
        row = self.fresh()
        if not detector.drift_detected:
            distances = detector._error_distances  # noqa: SLF001
            row[:4] = detector._n, detector._n_errors, detector._n_errors, detector._last_error  # noqa: SLF001
            row[4:7] = distances.mean.get(), distances._S, detector._p2s_prime_max  # noqa: SLF001
            row[9] = float(detector.warning_detected)
        return row
