"""ADWIN: a window that keeps as much of the past as has one mean."""

from __future__ import annotations

import functools
import math
import operator
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from anchorwatch_detectors.alarms import Hit
from anchorwatch_detectors.lanes import LaneDetector
from anchorwatch_detectors.parameters import check_real, check_whole

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Adwin(LaneDetector):
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

    def feed(self, lane: bytes | None, values: list[float]) -> tuple[bytes, list[Hit]]:
        """Take values in order; see `LaneDetector.feed`. A lane is the bytes of river's own window."""
        window = self._window(lane)
        hits: list[Hit] = []
        entered, begin = window.get_total(), 0
        rest = iter(values)
        while True in map(window.update, rest):  # the loop over the values, inside the interpreter
            end = len(values) - operator.length_hint(rest)
            known = (struct.unpack_from("<d", lane, _WIDTH)[0] if lane and begin == 0 else 0.0) + end - begin
            total = functools.reduce(float.__add__, values[begin:end], entered)
            hits.append(_hit(end - 1, window, known, total))
            window, entered, begin = self._window(None), 0.0, end
        return window.__getstate__(), hits

    def check(self, lane: Any) -> bytes:
        """Return the bytes of a stored window; raises ValueError if they are not of a window with these parameters."""
        fresh = self._window(None).__getstate__()
        row = 16 + 2 * (8 + 8 * (self.max_buckets + 1))
        if not isinstance(lane, bytes) or len(lane) < len(fresh) or lane[:_PARAMETERS] != fresh[:_PARAMETERS]:
            raise ValueError("adwin: a stored lane is not a window with these parameters")
        (rows,) = struct.unpack_from("<Q", lane, _ROWS)
        if len(lane) != len(fresh) + (rows - 1) * row:
            raise ValueError(f"adwin: a stored lane is cut short: {len(lane)} bytes cannot hold {rows} rows of buckets")
        return lane

    def _window(self, lane: bytes | None) -> Any:
        window = _windowing()(self.delta, self.clock, self.max_buckets, self.min_window_length, self.grace_period)
        if lane is not None:
            window.__setstate__(lane)
        return window


_PARAMETERS = 36
"""Bytes of river's state that hold the parameters: delta, clock, max_buckets, min_window_length, grace_period."""
_WIDTH = 52
"""Where the state holds the window's width, after the total and the variance."""
_ROWS = 84
"""Where the state holds the number of bucket rows."""


@functools.cache
def _windowing() -> Callable[..., Any]:
    """Return the compiled class that river.drift.ADWIN wraps: it alone loads at once, river.drift takes seconds."""
    from river._river_rust.drift import AdaptiveWindowing

    return AdaptiveWindowing


def _hit(position: int, window: Any, width: float, total: float) -> Hit:
    """Describe the alarm of a window that held `width` values of sum `total` when it was cut."""
    kept = window.get_width()
    after = window.get_total() / kept
    dropped = width - kept
    before = (total - window.get_total()) / dropped if dropped > 0 else math.nan
    return Hit(position, abs(after - before), math.nan, int(kept), before, after)
