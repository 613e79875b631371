"""What lanes remember of their values, to look back on for a change: the last rows one by one, older ones in blocks."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

RECENT: Final = 1024
"""Rows of each lane that are kept one by one."""
BLOCK: Final = 128
"""Rows of a block; blocks begin at whole multiples of it, so that they do not depend on batches."""
BLOCKS: Final = 120
"""Blocks that are kept: together with the recent rows as far back as the marks of event time."""


class Tail(NamedTuple):
    """The past of one lane at one row.

    Attributes
    ----------
    recent
        (n,) values of the last rows, newest last; NaN for none.
    number, total
        (blocks,) number and sum of the values of each block, newest last.
    inside
        Rows of `recent` that came after the newest block ended.
    reach
        How many rows back may be looked; what lies before belongs to a drift that is over. At least 1.
    """

    recent: NDArray[np.float32]
    number: NDArray[np.float32]
    total: NDArray[np.float32]
    inside: int
    reach: int = sys.maxsize


@dataclass(slots=True)
class Past:
    """The past of lanes.

    Attributes
    ----------
    rows
        (groups,) rows seen, ever.
    recent
        (groups, columns, `RECENT`) the last values, newest last; NaN for none.
    number, total
        (groups, columns, `BLOCKS`) number and sum of the values of the last full blocks, newest last.
    """

    rows: NDArray[np.int64]
    recent: NDArray[np.float32]
    number: NDArray[np.float32]
    total: NDArray[np.float32]

    @classmethod
    def fresh(cls, shape: tuple[int, int]) -> Self:
        """Return the past of lanes that have seen nothing."""
        none = np.zeros((*shape, BLOCKS), np.float32)
        return cls(np.zeros(shape[0], np.int64), np.full((*shape, RECENT), np.nan, np.float32), none, none.copy())

    def copy(self) -> Self:
        """Return an independent copy."""
        return type(self)(self.rows.copy(), self.recent.copy(), self.number.copy(), self.total.copy())

    def add(self, group: int, values: NDArray[np.float64]) -> None:
        """Take the rows of a group in order, (columns, n)."""
        known = self._with(self.recent[group], values)
        number, total = self._blocks(group, known, values.shape[1])
        self.number[group] = np.concatenate([self.number[group], number], axis=-1)[:, -BLOCKS:]
        self.total[group] = np.concatenate([self.total[group], total], axis=-1)[:, -BLOCKS:]
        self.recent[group] = known[:, -RECENT:]
        self.rows[group] += values.shape[1]

    def tail(self, group: int, subject: int, values: NDArray[np.float64]) -> Tail:
        """Return the past of a lane once it has seen more values (n,), which are not taken."""
        known = self._with(self.recent[group, subject : subject + 1], values[np.newaxis])
        number, total = self._blocks(group, known, len(values))
        return Tail(
            recent=known[0, -RECENT:],
            number=np.concatenate([self.number[group, subject], number[0]])[-BLOCKS:],
            total=np.concatenate([self.total[group, subject], total[0]])[-BLOCKS:],
            inside=int(self.rows[group] + len(values)) % BLOCK,
        )

    def to_plain(self) -> dict[str, Any]:
        """Return the past as plain data."""
        return {"rows": self.rows, "recent": self.recent, "number": self.number, "total": self.total}

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Self:
        """Return the past that `to_plain` described."""
        return cls(**plain)

    @staticmethod
    def _with(recent: NDArray[np.float32], values: NDArray[np.float64]) -> NDArray[np.float32]:
        """Return what is known of lanes and the values after it, as far back as anybody looks."""
        reach = values[:, -(RECENT + BLOCK * (BLOCKS + 1)) :].astype(np.float32)
        return np.concatenate([recent, reach], axis=1)

    def _blocks(
        self, group: int, known: NDArray[np.float32], n: int
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return number and sum, (columns, blocks), of the blocks that `n` more rows fill; `known` ends with them."""
        after = int(self.rows[group]) + n
        full = min(after // BLOCK - int(self.rows[group]) // BLOCK, BLOCKS)
        stop = known.shape[1] - after % BLOCK
        blocks = known[:, stop - full * BLOCK : stop].reshape(len(known), full, BLOCK)
        there = ~np.isnan(blocks)
        number = there.sum(axis=-1).astype(np.float32)
        return number, np.where(there, blocks, np.float32(0)).sum(axis=-1, dtype=np.float64).astype(np.float32)
