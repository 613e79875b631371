"""OPTWIN: a window split where a shift of a given size would show soonest, and both sides compared by t and F tests."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from anchorwatch_detectors.beyond_river import BeyondRiver
from anchorwatch_detectors.parameters import check_real, check_whole

if TYPE_CHECKING:
    from anchorwatch_detectors.base import Floats, Ints
    from anchorwatch_detectors.kernels.block import Block


@dataclass(frozen=True, slots=True)
class Optwin(BeyondRiver):
    """Optimal window: one split, which the window's length alone determines, and two tests at it.

    It watches errors or losses, of any scale. A window of n values is split as late as a rise of the mean by `rigor`
    standard deviations is still significant there, were the variance on the newer side as large as the F test lets
    pass; in the middle, where no split is. Once there are `least_window` values, each one brings Welch's t test and the
    F test of the newer side against the older one, each at the fourth root of `confidence`; an alarm is raised where
    either is significant and the mean has risen. Splits and bounds are worked out once a process, in 0.1 s.

    Tests at every value ring again and again on a stream that does not change, and the F test takes normal values for
    granted: measured with the defaults, once in 2,300 normal values, in 10,000 errors at a rate of .25, and in 170 at
    .05, where the first of 30 values has often no error at all to compare with. A longer `least_window` helps there.

    The sides' variances are those of samples, and the F test's bound has the newer side's degrees of freedom first, as
    the tests are defined. The programs of the authors divide standard deviations, not variances, in the t statistic,
    which depends on the values' unit, and have the degrees of freedom the other way about. They ring less often: on the
    same values once in 4,000 (standard normal), in more than 100,000 and in 320.

    A lane keeps its window: 200 KB where it is as long as it may be.

    Of an alarm, `statistic` and `threshold` are those of the t test where it rang, else of the F test; `since` is the
    number of values on the newer side, `before` and `after` are the means of the sides.

    Parameters
    ----------
    rigor
        Smallest shift to be found, in standard deviations, from 0.01 to 1. Larger looks at fewer newest values.
    confidence
        Of both tests on both sides together, a probability from 0.5 to below 1. Larger means fewer false alarms and
        later true ones.
    least_window
        No alarm before so many values, at least 30.
    most_window
        Values in the window, at least `least_window`, at most 100,000.
    noise
        Added to both standard deviations, above 0, in the unit of the values: how unlike values must be that follow
        ones that are all alike.

    Raises
    ------
    ValueError
        If a parameter is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(7)
    >>> losses = np.concatenate([rng.normal(20, 2, 500), rng.normal(23, 2, 500)])
    >>> alarms = Optwin(confidence=0.9999).start(groups=1, subjects=1).update(losses[np.newaxis])
    >>> alarms.event.tolist(), alarms.since.tolist(), alarms.after.round(1).tolist()
    ([561], [141], [20.7])

    References
    ----------
    Tosi, M. D. L., Theobald, M. (2024). OPTWIN: Drift identification with optimal sub-windows. IEEE International
    Conference on Data Engineering Workshops.
    """

    name: ClassVar[str] = "optwin"

    rigor: float = 0.5
    confidence: float = 0.99
    least_window: int = 30
    most_window: int = 25_000
    noise: float = 1e-6

    def __post_init__(self) -> None:
        check_real(self.name, "rigor", self.rigor, least=0.01, most=1.0)
        check_real(self.name, "confidence", self.confidence, least=0.5, below=1.0)
        check_whole(self.name, "least_window", self.least_window, least=30, most=100_000)
        check_whole(self.name, "most_window", self.most_window, least=self.least_window, most=100_000)
        check_real(self.name, "noise", self.noise, above=0.0)

    def fresh(self) -> Floats:
        """Return a lane that begins; `kernels.optwin` says what its numbers are."""
        return np.zeros(_HEAD)

    def feed(self, rows: Floats, block: Block) -> tuple[Floats, Floats]:
        """Take a block of events; see `ArrayDetector.feed`. The rows grow with the longest window."""
        from anchorwatch_detectors.kernels.block import longest
        from anchorwatch_detectors.kernels.optwin import Settings, take

        if block.order.size == 0 or rows.size == 0:
            return rows, np.empty((0, 8))
        splits, t_bounds, f_bounds = _tables(
            float(self.rigor), float(self.confidence), self.least_window, self.most_window
        )
        rows = self._with_room(rows, int(rows[:, :, 0].max()) + longest(block))
        return rows, take(rows, block, Settings(splits, t_bounds, f_bounds, self.least_window, float(self.noise)))

    def plain(self, rows: Floats) -> Floats:
        """Return a copy of the rows without room that no window uses."""
        return rows[:, :, : _HEAD + (int(rows[:, :, 0].max()) if rows.size else 0)].copy()

    def check(self, rows: Floats) -> Floats:
        """Return rows of a stored state; raises ValueError if they are not windows of these sizes."""
        room = rows.shape[2] - _HEAD
        if room < 0 or not np.isfinite(rows).all():
            raise ValueError(f"{self.name}: a stored lane is cut short, or holds what is no number")
        n, head, older = rows[:, :, 0], rows[:, :, 1], rows[:, :, 3]
        whole = all((column == np.floor(column)).all() and (column >= 0).all() for column in (n, head, older))
        full = n == self.most_window
        if not (whole and (n <= min(room, self.most_window)).all() and (head <= np.where(full, n - 1, 0)).all()):
            raise ValueError(f"{self.name}: a stored lane is not a window of up to {self.most_window} values")
        if not (older <= np.maximum(n - 1, 0)).all() or (full & (older < 1)).any():
            raise ValueError(f"{self.name}: a stored lane is split outside its window")
        return rows

    def _with_room(self, rows: Floats, n: int) -> Floats:
        """Return rows that have room for a window of `n` values."""
        width = _HEAD + min(n, self.most_window)
        if width <= rows.shape[2]:
            return rows
        wider = np.zeros((*rows.shape[:2], min(2 * width, _HEAD + self.most_window)))
        wider[:, :, : rows.shape[2]] = rows
        return wider


_HEAD = 8
"""Numbers of a lane before its window."""
_AT_ONCE = 256
"""Sizes of the newer side that are looked at in one go."""


@functools.lru_cache(maxsize=32)
def _tables(rigor: float, confidence: float, least: int, most: int) -> tuple[Ints, Floats, Floats]:
    """Return, by length of the window, where it is split and the bounds of the t and of the F test; 0 below `least`."""
    level = confidence**0.25
    lengths = np.arange(least, most + 1)
    splits = np.zeros(most + 1, dtype=np.int64)
    newer = 2
    while newer <= most - 2 and not splits[least:].all() and newer <= lengths[splits[least:] == 0].max() - 2:
        sizes = np.arange(newer, min(newer + _AT_ONCE, most - 1))
        fewest = _fewest_older(sizes, most, rigor, level)
        for size, older in zip(sizes.tolist(), fewest.tolist(), strict=True):
            found = splits[max(least, size + older) :]
            found[found == 0] = np.arange(most + 1 - len(found), most + 1)[found == 0] - size
        newer += _AT_ONCE
    splits[least:][splits[least:] == 0] = lengths[splits[least:] == 0] // 2
    t_bounds, f_bounds = np.zeros(most + 1), np.zeros(most + 1)
    t_bounds[least:], f_bounds[least:] = _bounds(splits[least:], lengths - splits[least:], level)
    return splits, t_bounds, f_bounds


def _fewest_older(newer: Ints, most: int, rigor: float, level: float) -> Ints:
    """Return how few values before `newer` ones make a shift of `rigor` significant; `most` where none do."""
    low, high = np.ones_like(newer), most - newer
    low[_detectable(high, newer, level) > rigor] = most
    high = np.maximum(high, low)
    while (high - low > 1).any():
        middle = (low + high) // 2
        shown = _detectable(np.maximum(middle, 2), newer, level) <= rigor
        low, high = np.where(shown, low, middle), np.where(shown, middle, high)
    return np.maximum(high, 2)


def _detectable(older: Ints, newer: Ints, level: float) -> Floats:
    """Return the smallest shift that the t test finds, in standard deviations of the older side."""
    t_bounds, f_bounds = _bounds(older, newer, level)
    shift: Floats = t_bounds * np.sqrt(1.0 / older + f_bounds / newer)
    return shift


def _bounds(older: Ints, newer: Ints, level: float) -> tuple[Floats, Floats]:
    """Return the bounds of the t and of the F test; the t test's for variances as unlike as the F test lets pass."""
    from scipy import special

    ratio = np.asarray(special.fdtri(newer - 1.0, older - 1.0, level), dtype=np.float64)
    spread = (1.0 / older + ratio / newer) ** 2
    freedom = spread / (1.0 / (older**2 * (older - 1.0)) + ratio**2 / (newer**2 * (newer - 1.0)))
    return np.asarray(special.stdtrit(freedom, level), dtype=np.float64), ratio
