"""EWMA chart: an exponentially weighted average that strays from the baseline's mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from anchorwatch_detectors.against_baseline import OWN_BEGINS, AgainstBaseline
from anchorwatch_detectors.parameters import check_real

if TYPE_CHECKING:
    from anchorwatch_detectors.base import Floats
    from anchorwatch_detectors.kernels.block import Block


@dataclass(frozen=True, slots=True)
class Ewma(AgainstBaseline):
    """EWMA control chart, two-sided, with limits that are exact from the first value on.

    Values are standardised by mean and standard deviation of the baseline; the limits are `width` standard deviations
    of the average, plus the smallest shift worth knowing and 2 standard errors of the baseline.

    The run length holds for normal values only. Heavy tails and rare errors shorten it: measured with the defaults,
    5,900 for Student-t(3), 8,700 for errors at a rate of .05. Give it ranks within the baseline instead, or take a
    `ShiryaevRoberts` detector.

    Of an alarm, `statistic` is the distance of the average from 0, `since` the number of values since it last crossed
    0, `before` the mean of the baseline and the lane's values up to there, `after` that of the values since.

    Parameters
    ----------
    weight
        Of the newest value, in (0, 1]. Smaller finds smaller shifts, later.
    width
        Of the limits, above 0, in standard deviations of the average; times the root of `memory` where values are
        dependent. 4.75 gives independent normal values a run length of about a million.

    Raises
    ------
    ValueError
        If a parameter is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(7)
    >>> latency = np.concatenate([rng.normal(20, 2, 500), rng.normal(23, 2, 500)])
    >>> alarms = Ewma().start(groups=1, subjects=1).update(latency[np.newaxis])
    >>> alarms.event.tolist()[:1], alarms.since.tolist()[:1], alarms.after.round(1).tolist()[:1]
    ([516], [14], [23.1])

    References
    ----------
    Roberts, S. W. (1959). Control chart tests based on geometric moving averages. Technometrics 1 (3), 239-250.
    Lucas, J. M., Saccucci, M. S. (1990). Exponentially weighted moving average control schemes: properties and
    enhancements. Technometrics 32 (1), 1-12.
    """

    name: ClassVar[str] = "ewma"

    weight: float = 0.05
    width: float = 4.75

    def __post_init__(self) -> None:
        check_real(self.name, "weight", self.weight, above=0.0, most=1.0)
        check_real(self.name, "width", self.width, above=0.0)

    def fresh(self) -> Floats:
        """Return a lane that begins without a baseline."""
        return np.zeros(OWN_BEGINS + 4)

    def feed(self, rows: Floats, block: Block) -> tuple[Floats, Floats]:
        """Take a block of events; see `ArrayDetector.feed`."""
        from anchorwatch_detectors.kernels.ewma import take

        return rows, take(rows, block, float(self.weight), float(self.width))
