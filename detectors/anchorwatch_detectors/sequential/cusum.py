"""CUSUM: sums of deviations from the baseline's mean, one for a rise and one for a fall, that never fall below 0."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from anchorwatch_detectors.against_baseline import OWN_BEGINS, AgainstBaseline
from anchorwatch_detectors.parameters import check_choice, check_real

if TYPE_CHECKING:
    from anchorwatch_detectors.base import Floats
    from anchorwatch_detectors.kernels.block import Block


@dataclass(frozen=True, slots=True)
class Cusum(AgainstBaseline):
    """Cumulative sum chart, two-sided: the quickest there is for a shift of twice `reference`.

    Values are standardised by mean and standard deviation of the baseline. The sum for a rise adds what a value lies
    above `reference`, the smallest shift worth knowing and 2 standard errors of the baseline together; the other
    mirrors it.

    The run length holds for normal values only. Heavy tails and rare errors shorten it: measured with the defaults,
    21,000 for Student-t(3), 43,000 for errors at a rate of .05. Give it ranks within the baseline instead, or take a
    `ShiryaevRoberts` detector.

    Of an alarm, `statistic` is the sum, `since` the number of values since it last left 0, `before` the mean of the
    baseline and the lane's values up to there, `after` that of the values since.

    Parameters
    ----------
    reference
        Deviation that is let pass at every value, at least 0, in standard deviations: half the shift to be found.
    threshold
        Sum that raises an alarm, above 0, in standard deviations; times `memory` where values are dependent. For
        independent normal values and both modes, the run length is about
        exp(2 reference (threshold + 1.166)) / (4 reference^2): 1.0 million for the defaults.
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
    >>> alarms = Cusum().start(groups=1, subjects=1).update(latency[np.newaxis])
    >>> alarms.event.tolist()[:1], alarms.since.tolist()[:1], alarms.after.round(1).tolist()[:1]
    ([518], [19], [22.7])

    References
    ----------
    Page, E. S. (1954). Continuous inspection schemes. Biometrika 41 (1/2), 100-115.
    Siegmund, D. (1985). Sequential Analysis: Tests and Confidence Intervals. Springer: the run length.
    """

    name: ClassVar[str] = "cusum"

    reference: float = 0.25
    threshold: float = 23.7
    mode: Literal["up", "down", "both"] = "both"

    def __post_init__(self) -> None:
        check_real(self.name, "reference", self.reference, least=0.0)
        check_real(self.name, "threshold", self.threshold, above=0.0)
        check_choice(self.name, "mode", self.mode, ("up", "down", "both"))

    def fresh(self) -> Floats:
        """Return a lane that begins without a baseline."""
        return np.zeros(OWN_BEGINS + 6)

    def feed(self, rows: Floats, block: Block) -> tuple[Floats, Floats]:
        """Take a block of events; see `ArrayDetector.feed`."""
        from anchorwatch_detectors.kernels.cusum import take

        rise = math.inf if self.mode == "down" else float(self.threshold)
        fall = math.inf if self.mode == "up" else float(self.threshold)
        return rows, take(rows, block, float(self.reference), (rise, fall))
