"""ADWIN: a window that keeps as much of the past as has one mean."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from anchorwatch_detectors.array_lanes import ArrayDetector, check_river
from anchorwatch_detectors.parameters import check_real, check_whole

if TYPE_CHECKING:
    from anchorwatch_detectors.base import Floats
    from anchorwatch_detectors.kernels.block import Block


@dataclass(frozen=True, slots=True)
class Adwin(ArrayDetector):
    """Adaptive windowing (ADWIN2), with river's own arithmetic: the alarms are river's, bit for bit.

    The window is cut at every bucket boundary; where the means of the two sides differ by more than chance allows
    (a Bernstein bound with the window's variance), the older side is dropped and an alarm raised. The lane then
    begins anew, as river's does. Its guarantee on false alarms is for values in [0, 1]: errors, ranks, rates.

    Of an alarm, `since` is the number of values the window kept, `before` and `after` are the means of what was
    dropped and of what was kept, `statistic` is their distance; the bound differs from cut to cut, so `threshold` is
    NaN.

    Parameters
    ----------
    delta
        Confidence of a check, a probability in (0, 1). Smaller means fewer false alarms and later true ones.
    clock
        Check once in so many values, at least 1. Larger is faster and delays an alarm by up to as many values.
    max_buckets
        Buckets of each size, at least 1. More of them put the cut closer to the change, at more memory and time.
    min_window_length
        Fewest values, at least 1, on either side of a cut. Smaller reacts sooner and errs more often.
    grace_period
        No check before so many values, at least 0.

    Raises
    ------
    ValueError
        If a parameter is out of its range.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(7)
    >>> errors = np.concatenate([rng.random(1000) < 0.1, rng.random(1000) < 0.4]).astype(float)
    >>> lanes = Adwin(delta=0.002).start(groups=1, subjects=1)
    >>> alarms = lanes.update(errors[np.newaxis])
    >>> alarms.event.tolist(), alarms.since.tolist()
    ([1055], [416])

    References
    ----------
    Bifet, A., Gavalda, R. (2007). Learning from time-changing data with adaptive windowing. SIAM International
    Conference on Data Mining, 443-448.
    """

    name: ClassVar[str] = "adwin"

    delta: float = 0.002
    clock: int = 32
    max_buckets: int = 5
    min_window_length: int = 5
    grace_period: int = 10

    def __post_init__(self) -> None:
        check_real(self.name, "delta", self.delta, above=0.0, below=1.0)
        for parameter, least in (("clock", 1), ("max_buckets", 1), ("min_window_length", 1), ("grace_period", 0)):
            check_whole(self.name, parameter, getattr(self, parameter), least=least)

    def fresh(self) -> Floats:
        """Return a lane that begins; `kernels.adwin` says what its numbers are."""
        return np.zeros(_HEAD + self._level)

    def feed(self, rows: Floats, block: Block) -> tuple[Floats, Floats]:
        """Take a block of events; see `ArrayDetector.feed`. The rows grow with the longest window."""
        from anchorwatch_detectors.kernels.adwin import take
        from anchorwatch_detectors.kernels.block import longest

        if block.order.size == 0 or rows.size == 0:
            return rows, np.empty((0, 8))
        most = int(rows[:, :, 0].max()) + longest(block)
        rows = self._with_levels(rows, most)
        settings = (float(self.delta), self.clock, self.max_buckets, self.min_window_length, self.grace_period)
        return rows, take(rows, block, settings)

    def plain(self, rows: Floats) -> Floats:
        """Return a copy of the rows without levels that no lane uses."""
        levels = self._levels(int(rows[:, :, 0].max()) if rows.size else 0)
        return rows[:, :, : _HEAD + levels * self._level].copy()

    def check(self, rows: Floats) -> Floats:
        """Return rows of a stored state; raises ValueError if they are not windows with these parameters."""
        width = rows.shape[2] - _HEAD
        if width < self._level or width % self._level != 0:
            raise ValueError(f"adwin: a stored lane is no window with max_buckets {self.max_buckets}")
        n = rows[:, :, 0]
        if not np.isfinite(rows).all() or (n < 0).any() or (n != np.floor(n)).any() or (n >= _LONGEST).any():
            raise ValueError("adwin: a stored lane is damaged: its window has no length, or holds what is no number")
        if rows.size and self._levels(int(n.max())) * self._level > width:
            raise ValueError(f"adwin: a stored lane is cut short: {width} numbers cannot hold a window of {n.max():g}")
        return rows

    def to_river(self, row: Floats) -> Any:
        """Return river's `ADWIN` in the state of a lane."""
        from river.drift import ADWIN

        made = ADWIN(**self.parameters())
        made._helper.__setstate__(self.to_bytes(row))  # noqa: SLF001 - river has no other way to set a state
        return made

    def from_river(self, detector: Any) -> Floats:
        """Return the row of a lane in the state of river's `ADWIN`."""
        check_river(self, detector)
        if detector.drift_detected:
            return self.fresh()
        return self.from_bytes(detector._helper.__getstate__())  # noqa: SLF001 - river has no other way to tell it

    def to_bytes(self, row: Floats) -> bytes:
        """Return the state of river's `AdaptiveWindowing` that holds what a lane holds."""
        n, total, variance, widths = row[:_HEAD].tolist()
        counts = _buckets(int(n), self.max_buckets)
        most = sum(_entered(int(n) - 1, self.max_buckets)) + 1 if n else 0  # at the last value, before buckets merge
        made = _FIXED.pack(
            *(self.delta, self.clock, self.max_buckets, self.min_window_length, self.grace_period),
            *(total, variance, n, widths),
            *(sum(_entered(int(n), self.max_buckets)), most, int(n), 0, len(counts)),
        )
        for count, level in zip(counts, row[_HEAD:].reshape(-1, 2, self._level // 2), strict=False):
            sizes = struct.pack("<QQ", self.max_buckets, count)
            made += sizes + b"".join(struct.pack("<Q", len(side)) + side.tobytes() for side in level)
        return made + _ASKED.pack(self.delta, self.clock, self.max_buckets, self.min_window_length, self.grace_period)

    def from_bytes(self, state: bytes) -> Floats:
        """Return the row of a lane that holds what river's `AdaptiveWindowing` holds.

        Raises
        ------
        ValueError
            If it has other parameters, is damaged, or has been cut: after a cut a lane begins anew.
        """
        try:
            told = _FIXED.unpack_from(state)
            total, variance, n, widths = told[5:9]
            row = np.zeros(_HEAD + told[-1] * self._level)
            row[:_HEAD] = n, total, variance, widths
            for i in range(told[-1]):
                sides = np.frombuffer(state, "<f8", 2 * self._level // 2 + 4, _FIXED.size + 8 * i * (self._level + 4))
                row[_HEAD + i * self._level :][: self._level] = np.delete(sides, [0, 1, 2, 3 + self._level // 2])
        except (struct.error, ValueError) as error:
            raise ValueError(f"adwin: a state of river's window is cut short: {error}") from error
        if self.to_bytes(row) != state:
            raise ValueError("adwin: a state of river's window is damaged, cut, or of a window with other parameters")
        return row

    @property
    def _level(self) -> int:
        """Return how many numbers a level of buckets takes."""
        return 2 * (self.max_buckets + 1)

    def _levels(self, n: int) -> int:
        return max(1, len(_buckets(n, self.max_buckets)))

    def _with_levels(self, rows: Floats, n: int) -> Floats:
        """Return rows with the levels that `n` values use."""
        if n >= _LONGEST:
            raise ValueError(f"adwin: a window of {n} values is longer than it can count, {_LONGEST}: reset the lane")
        width = _HEAD + self._levels(n) * self._level
        if width <= rows.shape[2]:
            return rows
        wider = np.zeros((*rows.shape[:2], width))
        wider[:, :, : rows.shape[2]] = rows
        return wider


_HEAD = 4
"""Numbers of a lane before its buckets."""
_LONGEST = 2**31
"""Values that river's window can count."""
_FIXED = struct.Struct("<diQdd dddd iiii Q")
"""What a state of river's window begins with: parameters, total, variance, width, sum of widths, counts, levels."""
_ASKED = struct.Struct("<diQii")
"""What it ends with: the parameters, as they were given."""


def _entered(n: int, most: int) -> list[int]:
    """Return how many buckets entered each level in use after `n` values."""
    entered = [n]
    while (merged := (entered[-1] - most + 1) // 2) > 0:
        entered.append(merged)
    return entered


def _buckets(n: int, most: int) -> list[int]:
    """Return how many buckets each level in use holds after `n` values."""
    entered = _entered(n, most)
    return [came - 2 * went for came, went in zip(entered, [*entered[1:], 0], strict=True)]
