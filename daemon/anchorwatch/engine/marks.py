"""When the n-th row came: marks at every 16th row, so that a change point told in rows becomes a time, and back."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

EVERY = 16
KEPT = 1024


@dataclass(slots=True)
class Marks:
    """Event times of rows 0, 16, 32, ... of one group; the last 1024 marks are kept between batches.

    Attributes
    ----------
    rows
        Rows seen, ever.
    first
        Number of the first mark that is held.
    times
        Event times of the marks, ns.
    """

    rows: int
    first: int
    times: NDArray[np.int64]

    @classmethod
    def fresh(cls) -> Self:
        """Return no marks."""
        return cls(0, 0, np.empty(0, np.int64))

    def copy(self) -> Self:
        """Return an independent copy."""
        return type(self)(self.rows, self.first, self.times)

    def add(self, time: NDArray[np.int64]) -> None:
        """Take rows in order; nothing is let go before `trim`, so that look-ups do not depend on batches."""
        offset = -self.rows % EVERY
        self.times = np.concatenate([self.times, time[offset::EVERY]])
        self.rows += len(time)

    def trim(self) -> None:
        """Let go of what no look-up at or after the present row may use."""
        extra = len(self.times) - KEPT
        if extra > 0:
            self.times, self.first = self.times[extra:], self.first + extra

    def time_of(self, row: int, now: int) -> int:
        """Return the event time of a row (0-based), to within 16 rows, as seen when `now` rows had come."""
        if not len(self.times):
            return 0
        return int(self.times[max(row // EVERY, self._oldest(now)) - self.first])

    def rows_since(self, time: int, now: int) -> int:
        """Return how many of the first `now` rows came at or after a time, to within 16 rows."""
        oldest, end = self._oldest(now), min(-(-now // EVERY) - self.first, len(self.times))
        mark = self.first + bisect_left(self.times, time, min(oldest - self.first, end), end)
        return max(now - mark * EVERY, 0)

    def _oldest(self, now: int) -> int:
        """Return the number of the oldest mark that may be used when `now` rows had come."""
        return max(-(-now // EVERY) - KEPT, 0)

    def to_plain(self) -> dict[str, Any]:
        """Return the marks as plain data."""
        return {"rows": self.rows, "first": self.first, "times": self.times}

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Self:
        """Return the marks that `to_plain` described."""
        return cls(**plain)
