"""Rows in the order of a key, and by what they belong to, without a pass over all rows for each group."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


def grouped(number: NDArray[Any], mask: NDArray[np.bool_]) -> list[tuple[int, NDArray[np.int64]]]:
    """Return each number that occurs under a mask, rising, with the places of its rows in their order."""
    rows = np.flatnonzero(mask)
    if not len(rows):
        return []
    number = number[rows]
    if (number == number[0]).all():
        return [(int(number[0]), rows)]
    order = np.argsort(number, kind="stable")
    parts = np.split(order, np.flatnonzero(np.diff(number[order])) + 1)
    return [(int(number[part[0]]), rows[part]) for part in parts]


def order_of(keys: NDArray[Any]) -> NDArray[np.int64]:
    """Return the order in which (n,) keys rise, equal ones as they came.

    Keys that hardly ever repeat are sorted as if they never did, which takes a fifth of the time, and looked at again.
    """
    order: NDArray[np.int64] = np.argsort(keys)
    rising = keys[order]
    if (rising[1:] == rising[:-1]).any():
        order = np.argsort(keys, kind="stable")
    return order


def places(rising: NDArray[np.uint64], keys: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return where each of the keys would stand before its equals; they are looked up in their order, which is fast."""
    order = np.argsort(keys)
    found = np.empty(len(keys), np.int64)
    found[order] = np.searchsorted(rising, keys[order])
    return found
