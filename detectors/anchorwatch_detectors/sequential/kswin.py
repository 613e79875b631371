"""KSWIN: the newest values of a window against a sample of its older ones, by the Kolmogorov-Smirnov test."""

from __future__ import annotations

import functools
import math
import random
import warnings
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from anchorwatch_detectors.array_lanes import ArrayDetector, check_river
from anchorwatch_detectors.parameters import check_real, check_whole

if TYPE_CHECKING:
    from anchorwatch_detectors.base import Floats
    from anchorwatch_detectors.kernels.block import Block

_SMALLEST = 0.1
"""river does not ring for a smaller distance, however significant."""


@dataclass(frozen=True, slots=True)
class Kswin(ArrayDetector):
    """Kolmogorov-Smirnov windowing; river's sampling and decisions: same alarms, bit for bit.

    Once the window is full, every value brings a two-sample Kolmogorov-Smirnov test of the newest `stat_size` values
    against as many drawn from the older ones. It sees any change of the distribution, not only of its mean, and takes
    values of any scale: it compares their order alone. With a test at every value, even a small `alpha` rings often on
    a stream that does not change.

    The draw is Python's own `random.sample` with `seed`, begun anew after each alarm as river begins it, so each lane
    draws the same places and a replay gives the same alarms. The p-value is that of `scipy.stats.ks_2samp`, turned into
    the least distance that rings, which the sizes alone determine.

    Of an alarm, `statistic` is the distance of the two distribution functions, `threshold` the least that rings,
    `since` is `stat_size`, `before` and `after` are the means of the lane's values without and within the newest.

    Parameters
    ----------
    alpha
        Probability of a false alarm at one value, in (0, 1). Smaller means fewer false alarms and later true ones.
    window_size
        Values in the window, at least 2 `stat_size`, at most 100,000. Larger remembers longer.
    stat_size
        Values on either side of the test, from 1 to 10,000. Larger sees smaller changes, later.
    seed
        Of the draw, at least 0. (river's default is another one at every start, which no replay could repeat.)

    Raises
    ------
    ValueError
        If a parameter is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(7)
    >>> amounts = np.concatenate([rng.normal(20, 2, 500), rng.normal(24, 2, 500)])
    >>> alarms = Kswin(alpha=0.0001).start(groups=1, subjects=1).update(amounts[np.newaxis])
    >>> alarms.event.tolist(), alarms.since.tolist(), alarms.statistic.round(2).tolist()
    ([517], [30], [0.6])

    References
    ----------
    Raab, C., Heusinger, M., Schleif, F.-M. (2020). Reactive soft prototype computing for concept drift streams.
    Neurocomputing 416, 340-351.
    """

    name: ClassVar[str] = "kswin"

    alpha: float = 0.005
    window_size: int = 100
    stat_size: int = 30
    seed: int = 0

    def __post_init__(self) -> None:
        check_real(self.name, "alpha", self.alpha, above=0.0, below=1.0)
        check_whole(self.name, "stat_size", self.stat_size, least=1, most=10_000)
        check_whole(self.name, "window_size", self.window_size, least=2 * self.stat_size, most=100_000)
        check_whole(self.name, "seed", self.seed, least=0)

    def fresh(self) -> Floats:
        """Return a lane that begins.

        n and mean of all values, number of values in the window, place of its oldest, gap of the last test (-1: none),
        place of the generator's next word, its 624 words, the window.
        """
        *words, place = _seeded(self.seed)
        return np.array([0.0, 0.0, 0.0, 0.0, -1.0, place, *words, *[0.0] * self.window_size])

    def feed(self, rows: Floats, block: Block) -> tuple[Floats, Floats]:
        """Take a block of events; see `ArrayDetector.feed`."""
        from anchorwatch_detectors.kernels.kswin import take

        critical = _critical_gap(float(self.alpha), self.stat_size)
        return rows, take(rows, block, self.fresh(), self.stat_size, _most_listed(self.stat_size), critical)

    def check(self, rows: Floats) -> Floats:
        """Return rows of a stored state; raises ValueError if they are not such; see `ArrayDetector.check`."""
        rows = super(Kswin, self).check(rows)
        ends = np.array([self.window_size, self.window_size - 1, self.stat_size, 624] + [2**32 - 1] * 624)
        starts = np.r_[0, 0, -1, np.zeros(625)]
        numbers = rows[:, :, 2:630]
        if not ((numbers >= starts) & (numbers <= ends) & (numbers == np.floor(numbers))).all():
            raise ValueError(f"{self.name}: a stored lane is not a window of {self.window_size} values and a generator")
        return rows

    def to_river(self, row: Floats) -> Any:
        """Return river's `KSWIN` in the state of a lane."""
        from river import drift

        made = drift.KSWIN(**self.parameters())
        n, _, filled, head, gap, place = row[:6].tolist()
        ring = row[630:].tolist()
        window = ring[int(head) :] + ring[: int(head)] if filled == self.window_size else ring[: int(filled)]
        made.n, made.window = int(n), deque(window, maxlen=self.window_size)
        made.p_value = _p_value(int(gap), self.stat_size) if gap >= 0 else 0
        words = tuple(map(int, row[6:630].tolist()))
        made._rng.setstate((3, (*words, int(place)), None))  # noqa: SLF001 - river has no other way to set a state
        return made

    def from_river(self, detector: Any) -> Floats:
        """Return the row of a lane in the state of river's `KSWIN`; it keeps no mean, so `before` will be NaN."""
        check_river(self, detector)
        row = self.fresh()
        if detector.drift_detected:
            return row
        filled = len(detector.window)
        row[:5] = detector.n, math.nan if detector.n else 0.0, filled, 0, -1
        *row[6:630], row[5] = detector._rng.getstate()[1]  # noqa: SLF001 - river has no other way to read a state
        row[630 : 630 + filled] = list(detector.window)
        if detector.p_value:
            gaps = range(self.stat_size + 1)
            row[4] = next((gap for gap in gaps if _p_value(gap, self.stat_size) == detector.p_value), -1)
        return row


def _seeded(seed: int) -> tuple[int, ...]:
    """Return the words of Python's generator and the place of the next one."""
    state: tuple[int, ...] = random.Random(seed).getstate()[1]  # noqa: S311 - river's draw, not a secret
    return state


def _most_listed(chosen: int) -> int:
    """Return the largest population of which `random.sample` keeps a list of what is left; beyond it keeps a set."""
    return 21 + (4 ** math.ceil(math.log(chosen * 3, 4)) if chosen > 5 else 0)


@functools.cache
def _p_value(gap: int, size: int) -> float:
    """Return scipy's p-value for two samples of `size` values whose distribution functions are `gap` values apart."""
    from scipy.stats import ks_2samp

    with warnings.catch_warnings():  # as river does: scipy warns where its exact law fails and another one takes over
        warnings.simplefilter("ignore", category=RuntimeWarning)
        return ks_2samp(np.zeros(size), np.arange(size) < gap, method="auto").pvalue


@functools.cache
def _critical_gap(alpha: float, size: int) -> int:
    """Return the least gap that rings, more than `size` if none does: the p-value falls as the gap grows."""
    low, high = 0, size + 1
    while low < high:
        middle = (low + high) // 2
        if _p_value(middle, size) <= alpha and middle / size > _SMALLEST:
            high = middle
        else:
            low = middle + 1
    return low
