"""GLR: the likelihood ratio of a shift of unknown size at an unknown time, within a window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from anchorwatch_detectors.against_baseline import OWN_BEGINS, AgainstBaseline
from anchorwatch_detectors.parameters import check_real, check_whole

if TYPE_CHECKING:
    from anchorwatch_detectors.base import Floats, Ints
    from anchorwatch_detectors.kernels.block import Block


@dataclass(frozen=True, slots=True)
class Glr(AgainstBaseline):
    """Generalised likelihood ratio chart for a shift of the mean of unknown size, two-sided, within a window.

    Values are standardised by mean and standard deviation of the baseline. For the newest 1, 2, 3, 4, 6, 8, 12, ...,
    `window` values the likelihood of a shift of the size that fits best is held against that of none, none being no
    further than the smallest shift worth knowing and 2 standard errors of the baseline.

    The run length holds for normal values only. Heavy tails and rare errors shorten it: measured with the defaults,
    360 for Student-t(3), 420 for errors at a rate of .05. Give it ranks within the baseline instead, or take a
    `ShiryaevRoberts` detector.

    Of an alarm, `statistic` is the largest logarithm of the ratio, `since` the number of values that gave it,
    `before` the mean of the baseline and the lane's values before them, `after` their mean.

    Parameters
    ----------
    window
        Values looked back at, in [1, 100000]; a shift must be found within it. A lane keeps 8 bytes for each.
    threshold
        Logarithm of the likelihood ratio that raises an alarm, above 0; times `memory` where values are dependent.
        13.8 gives independent normal values a run length of about a million.

    Raises
    ------
    ValueError
        If a parameter is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(7)
    >>> latency = np.concatenate([rng.normal(20, 2, 500), rng.normal(23, 2, 500)])
    >>> alarms = Glr().start(groups=1, subjects=1).update(latency[np.newaxis])
    >>> alarms.event.tolist()[:1], alarms.since.tolist()[:1], alarms.after.round(1).tolist()[:1]
    ([515], [16], [22.5])

    References
    ----------
    Siegmund, D., Venkatraman, E. S. (1995). Using the generalized likelihood ratio statistic for sequential detection
    of a change-point. Annals of Statistics 23 (1), 255-271.
    Lai, T. L. (1995). Sequential changepoint detection in quality control and dynamical systems. Journal of the Royal
    Statistical Society B 57 (4), 613-658: windows of few lengths.
    """

    name: ClassVar[str] = "glr"

    window: int = 512
    threshold: float = 13.8

    def __post_init__(self) -> None:
        check_whole(self.name, "window", self.window, least=1, most=100_000)
        check_real(self.name, "threshold", self.threshold, above=0.0)

    def fresh(self) -> Floats:
        """Return a lane that begins without a baseline."""
        return np.zeros(OWN_BEGINS + 2 + self.window)

    def lengths(self) -> Ints:
        """Return the numbers of newest values that are looked at, increasing up to `window`."""
        powers = 2 ** np.arange(self.window.bit_length())
        found = np.unique(np.r_[powers, powers + powers // 2, self.window])
        return found[found <= self.window]

    def feed(self, rows: Floats, block: Block) -> tuple[Floats, Floats]:
        """Take a block of events; see `ArrayDetector.feed`."""
        from anchorwatch_detectors.kernels.glr import take

        return rows, take(rows, block, self.lengths(), float(self.threshold))
