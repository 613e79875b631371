"""Rows as the cheap models of `learners` see them: a few places of many, and the numbers there."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

BINS = 12
"""Cells of equal counts that a number falls into, so that a linear model can follow any curve of it."""
WORDS = 50
"""So many values of a category, the most frequent ones, are told apart."""
PAIR_BINS, PAIR_WORDS = 4, 8
"""The same where two columns are seen together."""
PAIRED = 20
"""The first so many columns are seen two by two: 190 pairs."""
_FAR = 4.0


class Table(NamedTuple):
    """Labelled rows in the order in which they were predicted.

    Attributes
    ----------
    numeric, category
        (f, n) numbers, NaN for missing, and (c, n) tokens: the features.
    said, number
        (n,) token of the class that the model in production predicted, 0 for none; its score or value, NaN for none.
    label, target
        (n,) token of the true class; true value.
    """

    numeric: Floats
    category: NDArray[np.uint64]
    said: NDArray[np.uint64]
    number: Floats
    label: NDArray[np.uint64]
    target: Floats

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.number)

    def take(self, index: NDArray[np.bool_]) -> Table:
        """Return the rows at `index`."""
        return Table(
            self.numeric[:, index], self.category[:, index],
            self.said[index], self.number[index], self.label[index], self.target[index],
        )  # fmt: skip


class Sparse(NamedTuple):
    """Rows in which most numbers are 0.

    Attributes
    ----------
    places, numbers
        (n, a) places of a row where something else stands, and what stands there.
    size
        Places that a row has.
    """

    places: NDArray[np.int64]
    numbers: Floats
    size: int


def cells(table: Table) -> Sparse:
    """Return n rows for a model that is linear in what it sees.

    A number is one for the cell that it falls into (cells hold equal shares of the rows; a missing one has its own),
    and its distance from the mean in standard deviations, at most 4. A category is one for its value. What the model in
    production said stands there as one for its class, and its score as log odds for that class.
    """
    rows = _Rows(len(table))
    for column in table.numeric:
        rows.mark(_cell(column, BINS))
        rows.add(_standardised(column))
    for tokens in table.category:
        rows.mark(_codes(tokens, WORDS))
    said = _codes(table.said, WORDS)
    rows.mark(said)
    if np.isfinite(table.number).any():
        inside = np.clip(np.nan_to_num(table.number, nan=0.5), 0.0, 1.0)
        is_share = bool((np.nan_to_num(table.number, nan=0.5) == inside).all())
        kept = np.clip(inside, 1e-4, 1.0 - 1e-4)
        rows.mark(said, np.log(kept / (1.0 - kept)) / 2.0 if is_share else _standardised(table.number))
        if not is_share:
            rows.mark(_cell(table.number, BINS))
    return rows.sparse()


def pairs(table: Table) -> Sparse:
    """Return the rows of `cells`, and besides one for the rougher cells that every two columns fall into together.

    So a linear model follows what two columns say only together. With many columns the first `PAIRED` are seen so.
    """
    said = [_codes(table.said, PAIR_WORDS)]
    if np.isfinite(table.number).any():
        said.append(_cell(table.number, PAIR_BINS))
    rough = [_cell(column, PAIR_BINS) for column in table.numeric[:PAIRED]]
    rough += [_codes(tokens, PAIR_WORDS) for tokens in table.category[: PAIRED - len(rough)]]
    rough = said + rough[: PAIRED - len(said)]
    alone, rows = cells(table), _Rows(len(table))
    for i, one in enumerate(rough):
        for other in rough[:i]:
            rows.mark(one * (int(other.max(initial=0)) + 1) + other)
    together = rows.sparse()
    return Sparse(
        np.concatenate([alone.places, together.places + alone.size], axis=1),
        np.concatenate([alone.numbers, together.numbers], axis=1),
        alone.size + together.size,
    )


class _Rows:
    """Columns of sparse rows, one after the other."""

    def __init__(self, n: int) -> None:
        self._n, self._size = n, 0
        self._places: list[NDArray[np.int64]] = []
        self._numbers: list[Floats] = []

    def mark(self, codes: NDArray[np.int64], numbers: Floats | None = None) -> None:
        """Put a number, 1 if none is given, at the place of each row's code."""
        self._places.append(codes + self._size)
        self._numbers.append(np.ones(self._n) if numbers is None else numbers)
        self._size += int(codes.max(initial=0)) + 1

    def add(self, numbers: Floats) -> None:
        """Put a number at one place that all rows have."""
        self.mark(np.zeros(self._n, np.int64), numbers)

    def sparse(self) -> Sparse:
        """Return the rows."""
        places = np.stack(self._places, axis=1) if self._places else np.empty((self._n, 0), np.int64)
        numbers = np.stack(self._numbers, axis=1) if self._numbers else np.empty((self._n, 0))
        return Sparse(places, numbers, self._size)


def _cell(column: Floats, bins: int) -> NDArray[np.int64]:
    """Return which of so many cells each number is in; the last is that of missing ones."""
    known = column[np.isfinite(column)]
    edges = np.unique(np.quantile(known, np.arange(1, bins) / bins)) if len(known) else np.empty(0)
    found = np.searchsorted(edges, column, side="right")
    return np.where(np.isfinite(column), found, len(edges) + 1)


def _standardised(column: Floats) -> Floats:
    known = column[np.isfinite(column)]
    spread = float(known.std()) if len(known) else 0.0
    if not (0.0 < spread < np.inf):
        return np.zeros(len(column))
    return np.nan_to_num(np.clip((column - float(known.mean())) / spread, -_FAR, _FAR))


def _codes(tokens: NDArray[np.uint64], most: int) -> NDArray[np.int64]:
    """Return a code for each of the `most` frequent tokens, in order of frequency, and one more for all others."""
    words, place, counts = np.unique(tokens, return_inverse=True, return_counts=True)
    order = np.argsort(-counts, kind="stable")
    rank = np.empty(len(words), np.int64)
    rank[order] = np.minimum(np.arange(len(words)), most)
    return rank[place]
