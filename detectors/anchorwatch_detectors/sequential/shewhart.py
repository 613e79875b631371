"""Shewhart chart: the mean of each subgroup of values, held against limits round the baseline's mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from anchorwatch_detectors.against_baseline import OWN_BEGINS, AgainstBaseline
from anchorwatch_detectors.parameters import check_real, check_whole

if TYPE_CHECKING:
    from anchorwatch_detectors.base import Floats
    from anchorwatch_detectors.kernels.block import Block


@dataclass(frozen=True, slots=True)
class Shewhart(AgainstBaseline):
    """Shewhart's chart of means, two-sided: quick for large shifts, deaf to small ones.

    Every `size` values make a subgroup, whose mean is standardised by mean and standard deviation of the baseline; the
    limits are `width` standard errors of the difference of both means, plus the smallest shift worth knowing.

    The run length holds for normal values only. Heavy tails and rare errors shorten it: measured with the defaults,
    12,000 for Student-t(3), 55,000 for errors at a rate of .05. Give it ranks within the baseline instead, or take a
    `ShiryaevRoberts` detector.

    Of an alarm, `statistic` is the distance of the means in standard deviations of a value, `since` the size of the
    subgroup, `before` the mean of the baseline and the lane's values before it, `after` that of the subgroup.

    Parameters
    ----------
    size
        Values of a subgroup, at least 1. Larger finds smaller shifts, later.
    width
        Of the limits, above 0, in standard errors. For independent normal values the run length is
        size / (2 Phi(-width)): 1.0 million for the defaults.

    Raises
    ------
    ValueError
        If a parameter is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(7)
    >>> latency = np.concatenate([rng.normal(20, 2, 500), rng.normal(23, 2, 500)])
    >>> alarms = Shewhart().start(groups=1, subjects=1).update(latency[np.newaxis])
    >>> alarms.event.tolist()[:1], alarms.since.tolist()[:1], alarms.after.round(1).tolist()[:1]
    ([519], [20], [22.7])

    References
    ----------
    Shewhart, W. A. (1931). Economic Control of Quality of Manufactured Product. Van Nostrand.
    """

    name: ClassVar[str] = "shewhart"

    size: int = 20
    width: float = 4.27

    def __post_init__(self) -> None:
        check_whole(self.name, "size", self.size, least=1)
        check_real(self.name, "width", self.width, above=0.0)

    def fresh(self) -> Floats:
        """Return a lane that begins without a baseline."""
        return np.zeros(OWN_BEGINS + 2)

    def feed(self, rows: Floats, block: Block) -> tuple[Floats, Floats]:
        """Take a block of events; see `ArrayDetector.feed`."""
        from anchorwatch_detectors.kernels.shewhart import take

        return rows, take(rows, block, self.size, float(self.width))
