"""Rows of a CSV file as JSON objects of strings."""

from __future__ import annotations

import csv
from collections import deque
from typing import TYPE_CHECKING

import msgspec

from anchorwatch.errors import PositionLost, UsageError
from anchorwatch.transport.lines import LineReader

if TYPE_CHECKING:
    from pathlib import Path


class _Feed:
    """The lines of a file as text for `csv.reader`; remembers which ones went into the row that is being read."""

    def __init__(self, lines: LineReader) -> None:
        self._lines = lines
        self._waiting: deque[bytes | None] = deque()
        self.used: list[str] = []
        self.dry = False

    def __iter__(self) -> _Feed:
        return self

    def __next__(self) -> str:
        if not self._waiting:
            self._waiting.extend(self._lines.read(1000))
        self.dry = not self._waiting
        if self.dry:
            raise StopIteration
        line = (self._waiting.popleft() or b"").decode("utf-8", "surrogateescape") + "\n"
        self.used.append(line)
        return line

    def take_back(self) -> None:
        """Give the lines of the row that is being read again next time."""
        self._waiting.extendleft(line[:-1].encode("utf-8", "surrogateescape") for line in reversed(self.used))

    @property
    def ended(self) -> bool:
        return self._lines.ended and not self._waiting


class CsvReader:
    """The rows of a CSV (`.csv`) or tab-separated (`.tsv`) file, each a JSON object by the names of the first row.

    Every value is text, and an empty cell is null. What is not such a row is given as something that is not an object,
    so that it becomes a dead letter: a row with more or fewer cells than the first one as a list of its cells, one with
    a cell of more than 131072 characters (a quote that is never closed) as a list of its text, one that is not UTF-8 as
    its bytes. An empty line is None. Rows are numbered from 0, the names not counted.

    Parameters
    ----------
    path
        The file; `.gz` and `.zst` are decompressed.
    follow
        Whether it may grow.
    """

    text_values = True

    def __init__(self, path: Path, *, follow: bool = False) -> None:
        self.path = path
        self.row = 0
        self._follow = follow
        self._delimiter = "\t" if ".tsv" in path.suffixes else ","
        self._lines = LineReader(path, follow=follow)
        self._start()

    def _start(self) -> None:
        self.row = 0
        self._lines.seek(0)
        self._names: list[str] = []
        self._feed = _Feed(self._lines)
        self._rows = csv.reader(self._feed, delimiter=self._delimiter)

    @property
    def ended(self) -> bool:
        """Tell whether there will never be another row."""
        return self._feed.ended

    def seek(self, row: int) -> None:
        """Read on from this row; raises `PositionLost` where the file has fewer."""
        self._start()
        while self.row < row:
            if not self.read(min(row - self.row, 10_000)):
                raise PositionLost(
                    f"{self.path}: {row} rows of it were read before, but it has only {self.row}: it was truncated or "
                    "replaced. Put the old file back, or start over without the old state"
                )

    def read(self, limit: int) -> list[bytes | None]:
        """Return up to `limit` rows; none at all only at the file's end as it is now."""
        rows: list[bytes | None] = []
        while len(rows) < limit:
            try:
                cells = self._next_cells()
            except StopIteration:
                break
            except csv.Error as error:
                rows.append(self._unreadable(error))
                continue
            if self._names:
                rows.append(self._as_json(cells))
            elif cells:
                self._names = self._checked(cells)
        self.row += len(rows)
        return rows

    def _next_cells(self) -> list[str]:
        """Return the cells of the next row; raises StopIteration where it is not there, or not all of it yet."""
        self._feed.used.clear()
        cells = next(self._rows)
        if self._feed.dry and self._follow:
            self._feed.take_back()
            raise StopIteration
        return cells

    def _as_json(self, cells: list[str]) -> bytes | None:
        if not cells:
            return None
        fits = len(cells) == len(self._names)
        row = dict(zip(self._names, [c or None for c in cells], strict=True)) if fits else cells
        try:
            return msgspec.json.encode(row)
        except UnicodeEncodeError:
            return "".join(self._feed.used)[:-1].encode("utf-8", "surrogateescape")

    def _unreadable(self, error: csv.Error) -> bytes:
        """Return the text of a row that `csv` cannot read, as a list with one item."""
        text = "".join(self._feed.used)
        if not self._names:
            raise UsageError(f"{self.path}: the first row must name the columns, but is not CSV: {error}") from error
        return msgspec.json.encode([text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")])

    def _checked(self, names: list[str]) -> list[str]:
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise UsageError(
                f"{self.path}: the first row must name the columns, but {sorted(twice)} stands there more than once: "
                "rename these columns"
            )
        return names

    def done(self) -> int:
        """Return about how many bytes of the file are read."""
        return self._lines.done()

    def release(self) -> None:
        """Close the file; the next read opens it again and goes on."""
        self._lines.release()
