"""Cycles of the day and the week, in UTC: rows are compared with those of the same time of the day or week.

A cycle is cut into slots of half an hour. Slots of a baseline are joined with their neighbours until each bucket holds
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


def merged(rows: NDArray[np.int64], least: int = BUCKET_ROWS) -> NDArray[np.int64]:
    """Return the bucket of each slot: the smallest joins its smaller neighbour until none is too small.

    Parameters
    ----------
    rows
        (slots,) rows of each slot; the last is a neighbour of the first.
    least
        Rows that are enough.

    Returns
    -------
    ndarray
        (slots,) int64: buckets are numbered as they come, from 0.
    """
    buckets = [([slot], int(n)) for slot, n in enumerate(rows)]
    while len(buckets) > 1:
        at = min(range(len(buckets)), key=lambda i: buckets[i][1])
        if buckets[at][1] >= least:
            break
        before, after = (at - 1) % len(buckets), (at + 1) % len(buckets)
        other = before if buckets[before][1] <= buckets[after][1] else after
        joined = (buckets[at][0] + buckets[other][0], buckets[at][1] + buckets[other][1])
        buckets[at] = joined
        del buckets[other]
    number = np.empty(len(rows), np.int64)
    for i, (members, _) in enumerate(sorted(buckets, key=lambda bucket: min(bucket[0]))):
        number[members] = i
    return number


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
