"""Prediction records as columns, and ids that are looked up among others."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Columns:
    """Prediction records or labels as columns; `label` columns are meaningful where `labelled`.

    Attributes
    ----------
    ident
        (n, 2) id hash.
    time
        (n,) event time, ns.
    version
        (n,) code of the model version.
    segments
        (n, d) token of the value of each segment column; 0 where it has none.
    token, number
        (n,) predicted class; predicted value, or score (NaN for none).
    labelled, label_token, label_number
        (n,) whether a label has come, and which.
    items, label_items
        (n, k) first items of a ranking, (n, most) those that its label names; None for others.
    probabilities
        (n, classes) that of each class, NaN for all where they cannot be used; None where the model gives none.
    """

    ident: NDArray[np.uint64]
    time: NDArray[np.int64]
    version: NDArray[np.int32]
    segments: NDArray[np.uint64]
    token: NDArray[np.uint64]
    number: NDArray[np.float64]
    labelled: NDArray[np.bool_]
    label_token: NDArray[np.uint64]
    label_number: NDArray[np.float64]
    items: NDArray[np.uint64] | None = None
    label_items: NDArray[np.uint64] | None = None
    probabilities: NDArray[np.float64] | None = None

    def __len__(self) -> int:
        """Return the number of records."""
        return len(self.time)

    @staticmethod
    def empty() -> Columns:
        """Return no records."""
        words, numbers = np.empty(0, np.uint64), np.empty(0)
        return Columns(
            ident=np.empty((0, 2), np.uint64),
            time=np.empty(0, np.int64),
            version=np.empty(0, np.int32),
            segments=np.empty((0, 0), np.uint64),
            token=words,
            number=numbers,
            labelled=np.empty(0, np.bool_),
            label_token=words,
            label_number=numbers,
        )

    def take(self, index: Any) -> Columns:
        """Return the records at `index`."""
        columns: list[Any] = [getattr(self, name) for name in _NAMES]
        taken: list[Any] = [None if column is None else column[index] for column in columns]
        return Columns(*taken)


_NAMES = tuple(Columns.__dataclass_fields__)


class Wanted:
    """Ids that others are looked up among; sorted once, as looking up in order is many times faster.

    Parameters
    ----------
    ident
        (n, 2) id hashes.
    """

    def __init__(self, ident: NDArray[np.uint64]) -> None:
        self._ident = ident
        order = np.argsort(ident[:, 0])
        heads = ident[order, 0]
        first = np.ones(len(heads), np.bool_)
        first[1:] = heads[1:] != heads[:-1]
        self._keys, self._first = heads[first], order[first]
        self._which = np.empty(len(heads), np.int64)
        self._which[order] = np.cumsum(first) - 1

    def has(self, ident: NDArray[np.uint64]) -> NDArray[np.bool_]:
        """Return for each of (m, 2) other hashes whether it is among the ids."""
        if not len(self._keys):
            return np.zeros(len(ident), np.bool_)
        at = np.minimum(np.searchsorted(self._keys, ident[:, 0]), len(self._keys) - 1)
        mine = self._ident[self._first[at]]
        found: NDArray[np.bool_] = (mine == ident).all(axis=1)
        return found

    def repeated(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return the positions of the ids that come more than once, and a number for each that equal ones share."""
        if len(self._keys) == len(self._which):
            return np.empty(0, np.int64), np.empty(0, np.int64)
        again = np.flatnonzero(np.bincount(self._which)[self._which] > 1)
        return again, self._which[again]
