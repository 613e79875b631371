"""Cycles of the day and the week, in UTC: rows are compared with those of the same time of the day or week.

A cycle is cut into slots of half an hour. Slots of a baseline are joined with the neighbours most like them until each bucket holds
enough rows to be compared with.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import msgspec
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

Cycle = Literal["day", "week"]

SLOT: Final = 1800 * 10**9
LENGTH: Final[dict[Cycle, int]] = {"day": 48 * SLOT, "week": 336 * SLOT}
"""Length of a cycle, ns."""
BUCKET_ROWS: Final = 200
"""Rows of a bucket, at least. Fewer would say too little of its distribution, more would join times that differ."""

_DAY = 48
_MONDAY = 3 * 48 * SLOT  # the epoch was a Thursday


class Season(msgspec.Struct, frozen=True):
    """The cycle of a baseline, and the bucket of each of its slots, in order from midnight (of Monday), UTC."""

    cycle: Cycle
    buckets: list[int]


class Bucket(msgspec.Struct, frozen=True):
    """Rows of a group in one bucket: how many, and by column the cells that have some and their counts."""

    rows: int
    counts: dict[str, tuple[list[int], list[int]]]


def slots_of(cycle: Cycle, time: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the slot of each event time (ns): half hours since midnight UTC, or since the midnight of Monday."""
    length = LENGTH[cycle]
    if cycle == "day":
        return time % length // SLOT
    return (time % length + _MONDAY) % length // SLOT


def merged(cycle: Cycle, rows: NDArray[np.int64], totals: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the bucket of each slot: the smallest joins the neighbour most like it until none is too small.

    Neighbours are the slots before and after and, in a week, the same time of the day before and after.

    Parameters
    ----------
    cycle
        The cycle; its last slot is a neighbour of its first.
    rows
        (slots,) rows of each slot.
    totals
        (k, slots) sums over the rows of what they are compared by: k numbers of mean 0 and variance 1 over all rows.

    Returns
    -------
    ndarray
        (slots,) int64: buckets are numbered as they come, from 0.
    """
    slots, steps = len(rows), (1, -1) if cycle == "day" else (1, -1, _DAY, -_DAY)
    number, size, total = np.arange(slots), rows.astype(np.float64), totals.T.copy()
    there = np.ones(slots, np.bool_)
    while there.sum() > 1:
        at = int(np.argmin(np.where(there, size, np.inf)))
        if size[at] >= BUCKET_ROWS:
            break
        mine = np.flatnonzero(number == at)
        near = np.unique([number[(mine + step) % slots] for step in steps])
        near = near[near != at]
        means = total[near] / np.maximum(size[near], 1.0)[:, None], total[at] / max(size[at], 1.0)
        apart = ((means[0] - means[1]) ** 2 - 1.0 / np.maximum(size[near], 1.0)[:, None]).sum(axis=1)
        other = int(near[np.argmin(apart)])
        number[mine], there[at] = other, False
        size[other] += size[at]
        total[other] += total[at]
    first = np.unique(number, return_index=True)[1]
    place = {int(number[i]): k for k, i in enumerate(sorted(first.tolist()))}
    return np.array([place[i] for i in number.tolist()], np.int64)


def counted(
    cells: Mapping[str, NDArray[np.int64]], widths: Mapping[str, int], bucket: NDArray[np.int64], buckets: int
) -> list[Bucket]:
    """Return the rows of a group by bucket.

    Parameters
    ----------
    cells, widths
        By column: (n,) the cell of each row, and the number of cells.
    bucket
        (n,) bucket of each row.
    buckets
        Number of buckets.
    """
    dense = {
        name: np.bincount(bucket * widths[name] + mine, minlength=buckets * widths[name]).reshape(buckets, -1)
        for name, mine in cells.items()
    }
    rows = np.bincount(bucket, minlength=buckets).tolist()
    return [Bucket(rows[i], {name: _sparse(counts[i]) for name, counts in dense.items()}) for i in range(buckets)]


def _sparse(counts: NDArray[np.int64]) -> tuple[list[int], list[int]]:
    where = np.flatnonzero(counts)
    return where.tolist(), counts[where].tolist()
