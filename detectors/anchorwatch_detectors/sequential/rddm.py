"""RDDM: DDM that forgets the old part of a long concept, so that it stays quick."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from anchorwatch_detectors.beyond_river import BeyondRiver
from anchorwatch_detectors.parameters import check_real, check_whole

if TYPE_CHECKING:
    from anchorwatch_detectors.base import Floats
    from anchorwatch_detectors.kernels.block import Block


@dataclass(frozen=True, slots=True)
class Rddm(BeyondRiver):
    """Reactive drift detection method: DDM, made to forget.

    It watches errors (1 = wrong, 0 = right), values in [0, 1]; others are passed over. As in DDM, an alarm is raised
    where the mean of the values plus its standard deviation (of a binomial share) exceeds the mean at its least by
    `drift_threshold` of the standard deviations there. Three things are added. A concept of `max_concept` values that
    is not in warning is pruned: mean and number are those of the newest `min_stable` values from then on, while the
    least stays. A warning of more than `warning_limit` values raises an alarm. And after an alarm the lane begins anew
    with the values since its warning began, which are of the new concept already, or with the last value alone where
    there was no warning before it or the warning lasted too long. It rings for rises alone; on a stream that does not
    change, measured with the defaults, once in 9,000 errors at a rate of .05 and 16,000 at .25.

    A lane keeps its newest `min_stable` values: 56 KB with the default.

    Of an alarm, `statistic` is the mean plus its standard deviation, `threshold` what it exceeded: the warning's, where
    that lasted too long. `since` is the number of values since the warning began, 1 without one; `before` and `after`
    are the means up to there, of what is not pruned, and from there on.

    Parameters
    ----------
    warm_start
        No warning and no alarm before so many values, at least 1.
    warning_threshold
        Standard deviations of a warning, above 0.
    drift_threshold
        Standard deviations of an alarm, above 0. Larger means fewer false alarms and later true ones.
    max_concept
        Values after which a concept is pruned, at least twice `min_stable`.
    min_stable
        Newest values that are left by pruning, from 2 to 100,000. Fewer react sooner and err more often.
    warning_limit
        Values of a warning that raise an alarm, at least 1, below `min_stable`.

    Raises
    ------
    ValueError
        If a parameter is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(7)
    >>> errors = np.concatenate([rng.random(1000) < 0.1, rng.random(1000) < 0.4]).astype(float)
    >>> alarms = Rddm(warning_threshold=2.0, drift_threshold=3.0).start(groups=1, subjects=1).update(errors[np.newaxis])
    >>> alarms.event.tolist(), alarms.since.tolist(), alarms.before.round(2).tolist()
    ([1029], [42], [0.1])

    References
    ----------
    Barros, R. S. M., Cabral, D. R. L., Goncalves, P. M., Santos, S. G. T. C. (2017). RDDM: Reactive drift detection
    method. Expert Systems with Applications 90, 344-355.
    """

    name: ClassVar[str] = "rddm"

    warm_start: int = 129
    warning_threshold: float = 1.773
    drift_threshold: float = 2.258
    max_concept: int = 40_000
    min_stable: int = 7_000
    warning_limit: int = 1_400

    def __post_init__(self) -> None:
        check_whole(self.name, "warm_start", self.warm_start, least=1)
        check_real(self.name, "warning_threshold", self.warning_threshold, above=0.0)
        check_real(self.name, "drift_threshold", self.drift_threshold, above=0.0)
        check_whole(self.name, "min_stable", self.min_stable, least=2, most=100_000)
        check_whole(self.name, "max_concept", self.max_concept, least=2 * self.min_stable)
        check_whole(self.name, "warning_limit", self.warning_limit, least=1, most=self.min_stable - 1)

    def domain(self) -> tuple[float, float]:
        """Return [0, 1]: a share has a binomial deviation there alone."""
        return 0.0, 1.0

    def fresh(self) -> Floats:
        """Return a lane that begins; `kernels.rddm` says what its numbers are."""
        row = np.zeros(10 + self.min_stable)
        row[2:5] = math.inf
        return row

    def feed(self, rows: Floats, block: Block) -> tuple[Floats, Floats]:
        """Take a block of events; see `ArrayDetector.feed`."""
        from anchorwatch_detectors.kernels.rddm import Settings, take

        settings = Settings(
            self.warm_start,
            float(self.warning_threshold),
            float(self.drift_threshold),
            self.max_concept,
            self.warning_limit,
        )
        return rows, take(rows, block, settings)

    def check(self, rows: Floats) -> Floats:
        """Return rows of a stored state; raises ValueError if they are not such; see `ArrayDetector.check`."""
        rows = super(Rddm, self).check(rows)
        stored, head, warned = rows[:, :, 5], rows[:, :, 6], rows[:, :, 7]
        whole = (rows[:, :, 5:8] == np.floor(rows[:, :, 5:8])).all() and (rows[:, :, 5:8] >= 0).all()
        if not (whole and (stored <= self.min_stable).all() and (head < self.min_stable).all()):
            raise ValueError(f"{self.name}: a stored lane is not a window of {self.min_stable} values")
        if not (warned <= np.minimum(stored, self.warning_limit)).all():
            raise ValueError(f"{self.name}: a stored lane's warning lasts longer than its window or than it may")
        return rows
