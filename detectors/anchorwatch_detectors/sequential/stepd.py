"""STEPD: the share of errors among the newest values against that among all before them, by a test of proportions."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np

from anchorwatch_detectors.beyond_river import BeyondRiver
from anchorwatch_detectors.parameters import check_choice, check_real, check_whole

if TYPE_CHECKING:
    from anchorwatch_detectors.base import Floats
    from anchorwatch_detectors.kernels.block import Block


@dataclass(frozen=True, slots=True)
class Stepd(BeyondRiver):
    """Statistical test of equal proportions: the newest `window_size` values against all of the lane's before them.

    It watches errors (1 = wrong, 0 = right), values in [0, 1]; others are passed over. Once either side has
    `window_size` values, every value brings the test of equal proportions with Yates' correction for continuity:
    the distance of the two shares, less (1/n_older + 1/n_recent)/2, in standard errors of the pooled share. It sees
    abrupt changes quickly and hardly any that come slowly, since those enter the older side as well. With a test at
    every value even a small `alpha` rings often on a stream that does not change: measured with the defaults, once in
    2,500 errors at a rate of .05, in 3,500 at .25.

    A distance smaller than the correction is no evidence, here as in the paper's test; programs that take the absolute
    value of the statistic ring for it where errors are rare.

    Of an alarm, `statistic` is the distance in standard errors, `threshold` the normal quantile that it exceeded,
    `since` is `window_size`, `before` and `after` are the shares on the older and on the recent side.

    Parameters
    ----------
    window_size
        Newest values that are compared with the older ones, from 2 to 100,000. Larger sees smaller changes, later.
    alpha
        Significance of an alarm at one value, a probability in (0, 1). Smaller means fewer false alarms and later true
        ones.
    warning_alpha
        Significance of a warning, in (0, 1). It does not change alarms.
    mode
        "both" rings for rises and falls, by a two-sided test; "up" for rises alone, "down" for falls, one-sided.

    Raises
    ------
    ValueError
        If a parameter is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(7)
    >>> errors = np.concatenate([rng.random(1000) < 0.1, rng.random(1000) < 0.4]).astype(float)
    >>> alarms = Stepd(alpha=0.00001).start(groups=1, subjects=1).update(errors[np.newaxis])
    >>> alarms.event.tolist(), alarms.before.round(2).tolist(), alarms.after.round(2).tolist()
    ([1022], [0.1], [0.4])

    References
    ----------
    Nishida, K., Yamauchi, K. (2007). Detecting concept drift using statistical testing. Discovery Science, Lecture
    Notes in Computer Science 4755, 264-269.
    """

    name: ClassVar[str] = "stepd"

    window_size: int = 30
    alpha: float = 0.003
    warning_alpha: float = 0.05
    mode: Literal["both", "up", "down"] = "both"

    def __post_init__(self) -> None:
        check_whole(self.name, "window_size", self.window_size, least=2, most=100_000)
        check_real(self.name, "alpha", self.alpha, above=0.0, below=1.0)
        check_real(self.name, "warning_alpha", self.warning_alpha, above=0.0, below=1.0)
        check_choice(self.name, "mode", self.mode, ("both", "up", "down"))

    def domain(self) -> tuple[float, float]:
        """Return [0, 1]: shares are of errors."""
        return 0.0, 1.0

    def fresh(self) -> Floats:
        """Return a lane that begins; `kernels.stepd` says what its numbers are."""
        return np.zeros(5 + self.window_size)

    def feed(self, rows: Floats, block: Block) -> tuple[Floats, Floats]:
        """Take a block of events; see `ArrayDetector.feed`."""
        from anchorwatch_detectors.kernels.stepd import take

        tail = self.alpha / 2 if self.mode == "both" else self.alpha
        quantile = -NormalDist().inv_cdf(tail)
        return rows, take(rows, block, quantile, (self.mode != "down", self.mode != "up"))

    def check(self, rows: Floats) -> Floats:
        """Return rows of a stored state; raises ValueError if they are not such; see `ArrayDetector.check`."""
        rows = super(Stepd, self).check(rows)
        ends = np.array([self.window_size, self.window_size - 1])
        places = rows[:, :, 2:4]
        if not (np.isfinite(rows).all() and ((places >= 0) & (places <= ends) & (places == np.floor(places))).all()):
            raise ValueError(f"{self.name}: a stored lane is not a window of {self.window_size} values")
        return rows
