"""Columns of files, piece by piece: whole logs need not fit into memory as text."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from msgspec import UNSET

from anchorwatch.errors import ConfigurationError, NoData, UsageError
from anchorwatch.events.classes import class_word
from anchorwatch.events.reader import Reader, lenient
from anchorwatch.events.values import Unusable, canonical, number
from anchorwatch.transport.files import FileSource

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from anchorwatch.events.records import Records
    from anchorwatch_detectors.base import Floats

_TOPIC, _PIECE = "log", 100_000
_TRUTH: Final = {"true": 1.0, "false": 0.0}


def pieces(paths: Sequence[str], names: Sequence[str]) -> Iterator[list[list[Any]]]:
    """Yield the cells of columns, a list for each column, some rows at a time.

    Parameters
    ----------
    paths
        Files (JSONL, CSV, Parquet) or patterns, one after the other.
    names
        The columns; in JSONL and Parquet dots lead into nested fields.

    Raises
    ------
    UsageError
        If a file cannot be read, or, at the end, if a column was in no row.
    NoData
        If there is not one row, or a file is damaged.
    """
    readers: dict[bool, Reader] = {}
    absent, first, rows = set(names), b"", 0
    for records in _records(paths):
        text = records.text_values
        if text not in readers:
            readers[text] = _reader(names, text=text)
        reader = readers[text]
        events, _ = reader.read([value or b"" for value in records.values])
        piece = [list(map(reader.getter(name), events)) for name in names]
        rows, first = rows + len(events), first or next((value for value in records.values if value), b"")
        absent -= {name for name, cells in zip(names, piece, strict=True) if any(cell is not UNSET for cell in cells)}
        yield piece
    if not rows:
        raise NoData(f"{', '.join(paths)}: holds not one row: is it the right file?")
    for name in names:
        if name in absent:
            raise UsageError(_no_column(paths, name, first))


def _reader(names: Sequence[str], *, text: bool) -> Reader:
    try:
        return Reader(dict.fromkeys(names, False), text=text)
    except ConfigurationError as error:
        raise UsageError(f"{', '.join(names)}: {error}") from error


def _records(paths: Sequence[str]) -> Iterator[Records]:
    """Yield the records of files, one file after the other."""
    for path in paths:
        source = FileSource({_TOPIC: [path]})
        everything = set(source.partitions())
        for partition in sorted(everything):
            while partition not in source.ended():
                yield from source.poll(_PIECE, 0.0, everything - {partition})
        source.close()


def _no_column(paths: Sequence[str], name: str, first: bytes) -> str:
    """Say that a column is not there, and which ones are."""
    row = lenient(first)
    if not isinstance(row, dict):
        shown = first[:60].decode(errors="replace")
        return f"{', '.join(paths)}: no row is an object with named values; the first one is {shown}"
    close = difflib.get_close_matches(name, row, n=1, cutoff=0.5)
    meant = f", did you mean {close[0]!r}?" if close else ""
    return f"{', '.join(paths)}: no row has a column {name!r}{meant}; the first row has {', '.join(row)}"


class Numbers:
    """The numbers of a column, gathered piece by piece; true and false are 1 and 0.

    Parameters
    ----------
    column
        Its name, for what is told of it.
    """

    def __init__(self, column: str) -> None:
        self._column = column
        self._found: list[Floats] = []
        self._given = self._wrong = 0
        self._example = ""

    def take(self, cells: Sequence[Any]) -> None:
        """Take the cells of the next rows."""
        values = np.array([_number(cell) for cell in cells], dtype=np.float64)
        given = np.array([not (cell is None or cell is UNSET or cell == "") for cell in cells], dtype=np.bool_)
        wrong = np.flatnonzero(given & ~np.isfinite(values))
        if len(wrong) and not self._example:
            shown = cells[wrong[0]]
            what = "an object, a list or no finite number" if isinstance(shown, Unusable) else repr(shown)
            self._example = f"row {wrong[0] + sum(map(len, self._found))}: {what}"
        self._found.append(values)
        self._given, self._wrong = self._given + int(given.sum()), self._wrong + len(wrong)

    def values(self) -> Floats:
        """Return (rows,) all numbers; NaN where there is none.

        Raises
        ------
        UsageError
            If more than half of the values are no numbers.
        NoData
            If there is not one value.
        """
        whole = np.concatenate(self._found)
        if self._wrong * 2 > self._given:
            raise UsageError(
                f"column {self._column!r} is not numeric: {self._wrong:,} of {self._given:,} values are no number, the "
                f"first in {self._example}. Name a numeric column, or for a model's errors --prediction and --label"
            )
        if not np.isfinite(whole).any():
            raise NoData(f"column {self._column!r} has no value in any of {len(whole):,} rows")
        return whole


def _number(cell: Any) -> float:
    if isinstance(cell, bool):
        return float(cell)
    if isinstance(cell, str) and cell.strip().lower() in _TRUTH:
        return _TRUTH[cell.strip().lower()]
    found = number(cell, text=True)
    return float("nan") if found is None else found


def word_of(cell: Any) -> str | None:
    """Return the class that a cell names; None where there is none; 1, 1.0 and "1" are one."""
    if cell is None or cell is UNSET or isinstance(cell, Unusable) or cell == "":
        return None
    return class_word(canonical(cell))
