"""Cycles of the day and the week, in UTC: rows are compared with those of the same time of the day or week.

A cycle is cut into slots of half an hour. Slots of a baseline are joined with the neighbours most like them until each
bucket holds enough rows to be compared with.
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
_PRIOR = 10.0  # rows that the variance all in all counts as
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
    """Return the bucket of each slot: slots join neighbours that are like them.

    Neighbours are the slots before and after and, in a week, the same time of the day before and after. First the
    smallest bucket joins the neighbour most like it, until none is too small. Then the two neighbours most alike join,
    until all differ by more than chance would make them on average (Ward, "Hierarchical grouping to optimize an
    objective function", Journal of the American Statistical Association 58, 1963).

    Parameters
    ----------
    cycle
        The cycle; its last slot is a neighbour of its first.
    rows
        (slots,) rows of each slot.
    totals
        (2, k, slots) sums over the rows of the k numbers by which they are compared, and of their squares; of variance
        1 within a slot, all in all.

    Returns
    -------
    ndarray
        (slots,) int64: buckets are numbered as they come, from 0.
    """
    steps = (1,) if cycle == "day" else (1, _DAY)
    slots = np.arange(len(rows))
    pairs = np.concatenate([np.stack([slots, (slots + step) % len(slots)], axis=1) for step in steps])
    number, size, total = slots.copy(), rows.astype(np.float64), totals.transpose(2, 0, 1).copy()
    while True:
        near = np.unique(np.sort(number[pairs], axis=1), axis=0)
        near = near[near[:, 0] != near[:, 1]]
        if not len(near):
            break
        smallest = size[near].min(axis=1)
        small = smallest.min() < BUCKET_ROWS
        near = near[smallest == smallest.min()] if small else near
        apart = _apart(size[near], total[near])
        if not small and apart.min() >= 0.0:
            break
        stays, goes = near[int(np.argmin(apart))].tolist()
        number[number == goes] = stays
        size[stays] += size[goes]
        total[stays] += total[goes]
    _, first, which = np.unique(number, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[which]


def within(numbers: NDArray[np.float64], slots: NDArray[np.int64], n: int) -> NDArray[np.float64]:
    """Return (2, n) sums of numbers and of their squares by slot, in units of their deviation within a slot."""
    rows = np.maximum(np.bincount(slots, minlength=n), 1)
    means = np.bincount(slots, weights=numbers, minlength=n) / rows
    rest = float(((numbers - means[slots]) ** 2).sum()) / max(len(numbers) - n, 1)
    unit = numbers / np.sqrt(rest) if rest > 0.0 else np.zeros(len(numbers))
    return np.stack([np.bincount(slots, weights=unit**power, minlength=n) for power in (1, 2)])


def _apart(size: NDArray[np.float64], total: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return for pairs of buckets the squared distance of their means less what chance makes of it, in its own unit.

    Chance is judged by the variance within the two, which few rows tell together with the variance all in all.
    """
    n = np.maximum(size, 1.0)
    means, squares = total[:, :, 0] / n[:, :, None], total[:, :, 1].sum(axis=1)
    inner = np.maximum(squares - (n[:, :, None] * means**2).sum(axis=1), 0.0)
    variance = (inner + _PRIOR) / (n.sum(axis=1) + _PRIOR)[:, None]
    gain = n[:, 0] * n[:, 1] / n.sum(axis=1)
    apart: NDArray[np.float64] = (gain[:, None] * (means[:, 0] - means[:, 1]) ** 2 / variance - 1.0).sum(axis=1)
    return apart


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
