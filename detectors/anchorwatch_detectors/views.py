"""Rows as the cheap models of `learners` see them: dicts of names and numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Row = dict[str, float]

BINS = 12
"""Cells of equal counts that a number falls into, so that a linear model can follow any curve of it."""
WORDS = 50
"""So many values of a category, the most frequent ones, are told apart in `cells`, and a tenth of them in `leaves`."""
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


def cells(table: Table) -> list[Row]:
    """Return n rows for a model that is linear in what it sees.

    A number is one for the cell that it falls into (cells hold equal shares of the rows; a missing one has its own),
    and its distance from the mean in standard deviations, at most 4. A category is one for its value. What the model in
    production said stands there as one for its class, and its score as log odds for that class.
    """
    rows: list[Row] = [{} for _ in range(len(table))]
    for j, column in enumerate(table.numeric):
        _mark(rows, f"{j}", _cell(column))
        _add(rows, f"{j}", _standardised(column))
    for j, tokens in enumerate(table.category):
        _mark(rows, f"c{j}", _codes(tokens, WORDS))
    said = _codes(table.said, WORDS)
    _mark(rows, "said", said)
    if np.isfinite(table.number).any():
        inside = np.clip(np.nan_to_num(table.number, nan=0.5), 0.0, 1.0)
        is_share = bool((np.nan_to_num(table.number, nan=0.5) == inside).all())
        kept = np.clip(inside, 1e-4, 1.0 - 1e-4)
        strength = np.log(kept / (1.0 - kept)) / 2.0 if is_share else _standardised(table.number)
        for code in np.unique(said).tolist():
            _add(rows, f"score {code}", np.where(said == code, strength, 0.0))
        if not is_share:
            _mark(rows, "score", _cell(table.number))
    return rows


def leaves(table: Table) -> list[Row]:
    """Return n rows for trees: numbers as they are (missing ones below all others), frequent categories as 0 or 1."""
    rows: list[Row] = [{} for _ in range(len(table))]
    for name, column in [(f"{j}", c) for j, c in enumerate(table.numeric)] + [("score", table.number)]:
        known = np.isfinite(column)
        if known.any():
            low, high = float(column[known].min()), float(column[known].max())
            _add(rows, name, np.where(known, column, low - max(high - low, 1.0)))
    for name, tokens in [(f"c{j}", c) for j, c in enumerate(table.category)] + [("said", table.said)]:
        codes = _codes(tokens, WORDS // 10)
        for code in range(int(codes.max()) + 1):
            _add(rows, f"{name}={code}", (codes == code).astype(np.float64))
    return rows


def _mark(rows: list[Row], name: str, codes: NDArray[np.int64]) -> None:
    names = [f"{name}={code}" for code in range(int(codes.max()) + 1)]
    for row, code in zip(rows, codes.tolist(), strict=True):
        row[names[code]] = 1.0


def _add(rows: list[Row], name: str, numbers: Floats) -> None:
    for row, number in zip(rows, numbers.tolist(), strict=True):
        row[name] = number


def _cell(column: Floats) -> NDArray[np.int64]:
    """Return the cell of each number; the last is that of missing ones."""
    known = column[np.isfinite(column)]
    edges = np.unique(np.quantile(known, np.arange(1, BINS) / BINS)) if len(known) else np.empty(0)
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
