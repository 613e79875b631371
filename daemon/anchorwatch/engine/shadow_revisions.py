"""Labels that replaced another in the shadow: kept beside its rows, as an estimate asks for what was known then.

A row keeps the label that it came with. A label that replaces it says how many labelled predictions of the version had
been watched when it came, and counts for every estimate that may use more of them.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from anchorwatch.engine.shadow import Labelled
    from anchorwatch.engine.tables import Columns


class Revised(NamedTuple):
    """Labels of one version that replaced another, in the order in which they came.

    Attributes
    ----------
    row
        (n,) number of the row among all labelled rows of the version that were ever kept.
    order
        (n,) how many labelled predictions of the version had been watched.
    label_token, label_number
        (n,) as in `tables.Columns`.
    """

    row: NDArray[np.int64]
    order: NDArray[np.int64]
    label_token: NDArray[np.uint64]
    label_number: NDArray[np.float64]

    @classmethod
    def none(cls) -> Self:
        """Return no labels."""
        return cls(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.uint64), np.empty(0))

    def after(self, row: int) -> Revised:
        """Return the labels of the rows from `row` on."""
        mine: Any = self.row >= row
        return self if mine.all() else Revised(*(column[mine] for column in self))

    def add(self, pieces: Iterable[tuple[int, Labelled]], orders: NDArray[np.int64], record: Columns) -> Revised:
        """Return these and more labels.

        Parameters
        ----------
        pieces
            The rows of the version that are kept, each piece with the number of its first row.
        orders, record
            (m,) how many labelled predictions had been watched when each label came, and their predictions, with it.
        """
        row = np.full(len(record), -1, np.int64)
        for first, piece in pieces:
            here = np.flatnonzero(np.isin(piece.ident, record.ident[:, 0]))
            same = (piece.ident[here, None] == record.ident[:, 0]) & (piece.made[here, None] == record.time)
            place, which = np.nonzero(same)
            row[which] = first + here[place]
        found = row >= 0
        more = (row, orders, record.label_token, record.label_number)
        return Revised(*(np.concatenate([old, new[found]]) for old, new in zip(self, more, strict=True)))

    def applied(self, rows: Labelled, first: int, labelled: int) -> Labelled:
        """Return rows with the labels that had replaced theirs before the `labelled`-th was watched, the last of each.

        Parameters
        ----------
        rows, first
            Rows, one after the other, and the number of the first.
        labelled
            Labelled predictions that may be used.
        """
        known = np.flatnonzero((self.order < labelled) & (self.row >= first) & (self.row < first + len(rows)))
        if not len(known):
            return rows
        newest = np.full(len(rows), -1)
        np.maximum.at(newest, self.row[known] - first, known)
        hit = newest >= 0
        token, number = rows.label_token.copy(), rows.label_number.copy()
        token[hit], number[hit] = self.label_token[newest[hit]], self.label_number[newest[hit]]
        return replace(rows, label_token=token, label_number=number)

    def to_plain(self) -> list[Any]:
        """Return the labels as plain data."""
        return list(self)
