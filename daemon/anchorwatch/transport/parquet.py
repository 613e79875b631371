"""Rows of a Parquet file as JSON objects; needs pyarrow, the extra `parquet`."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

import msgspec

from anchorwatch.errors import NoData, PositionLost, UsageError
from anchorwatch.transport.streams import open_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ROWS = 2048
_MAGIC = b"PAR1"


class ParquetReader:
    """The rows of a Parquet file, streamed, each a JSON object.

    Timestamps become ISO 8601 text in UTC with all their digits (one without a time zone is taken as UTC), decimals
    become numbers, bytes Base64 text. NaN and the infinities become null, because JSON has no words for them.

    Parameters
    ----------
    path
        The file.
    follow
        Whether the file may still be written: it is read as soon as it is complete.

    Raises
    ------
    UsageError
        pyarrow is not installed.
    """

    text_values = False

    def __init__(self, path: Path, *, follow: bool = False) -> None:
        try:
            import pyarrow.parquet
        except ImportError as error:
            raise UsageError(
                f"{path}: reading Parquet needs pyarrow: install it with: pip install 'anchorwatch[parquet]'"
            ) from error
        self._arrow = pyarrow
        self.path = path
        self.row = 0
        self._follow = follow
        self._encode = msgspec.json.Encoder(decimal_format="number", enc_hook=str).encode
        self._file: Any = None
        self._batches: Iterator[Any] | None = None
        self._found: deque[bytes] = deque()
        self._total: int | None = None

    @property
    def ended(self) -> bool:
        """Tell whether there will never be another row."""
        return self._total is not None and self.row >= self._total

    def seek(self, row: int) -> None:
        """Read on from this row; raises `PositionLost` where the file has fewer."""
        self.release()
        self.row = row
        if row and self._open() and row > (self._total or 0):
            raise PositionLost(
                f"{self.path}: {row} rows of it were read before, but it has only {self._total}: it was replaced. "
                "Put the old file back, or start over without the old state"
            )

    def read(self, limit: int) -> list[bytes | None]:
        """Return up to `limit` rows; none at all only at the file's end."""
        if not self._found and not self.ended and self._open():
            self._decode_batch()
        rows: list[bytes | None] = [self._found.popleft() for _ in range(min(limit, len(self._found)))]
        self.row += len(rows)
        return rows

    def _open(self) -> bool:
        """Open the file at `row`; return False where it is still being written."""
        if self._batches is not None:
            return True
        with open_file(self.path) as raw:
            raw.seek(max(0, self.path.stat().st_size - len(_MAGIC)))
            complete = raw.read() == _MAGIC
        if self._follow and not complete:
            return False
        try:
            self._file = self._arrow.parquet.ParquetFile(self.path)
        except (self._arrow.ArrowInvalid, OSError) as error:
            raise NoData(
                f"{self.path}: is no Parquet file, or a damaged one ({error}): copy it again from where it came"
            ) from error
        self._total = self._file.metadata.num_rows
        self._batches = self._batches_from(self.row)
        return True

    def _batches_from(self, row: int) -> Iterator[Any]:
        """Yield record batches, the first one beginning with `row`; row groups before it are not read."""
        metadata = self._file.metadata
        group = 0
        while group < metadata.num_row_groups and row >= metadata.row_group(group).num_rows:
            row -= metadata.row_group(group).num_rows
            group += 1
        for batch in self._file.iter_batches(ROWS, row_groups=range(group, metadata.num_row_groups)):
            if row < len(batch):
                yield batch.slice(row)
            row = max(0, row - len(batch))

    def _decode_batch(self) -> None:
        try:
            batch = next(self._batches or iter(()), None)
        except (self._arrow.ArrowInvalid, OSError) as error:
            raise NoData(
                f"{self.path}: is damaged behind row {self.row} ({error}): copy it again from where it came"
            ) from error
        if batch is None:
            return
        names = batch.schema.names
        cells = [self._cells(column) for column in batch.columns]
        self._found.extend(self._encode(dict(zip(names, row, strict=True))) for row in zip(*cells, strict=True))

    def _cells(self, column: Any) -> list[Any]:
        """Return the values of a column as Python's; straight from memory where no value is missing."""
        types = self._arrow.types
        if types.is_timestamp(column.type):
            return self._iso(column)
        plain = types.is_integer(column.type) or types.is_floating(column.type) or types.is_boolean(column.type)
        if plain and column.null_count == 0:
            values: list[Any] = column.to_numpy(zero_copy_only=False).tolist()
            return values
        listed: list[Any] = column.to_pylist()
        return listed

    def _iso(self, column: Any) -> list[Any]:
        import pyarrow.compute

        utc = column.cast(self._arrow.timestamp(column.type.unit))
        text: list[Any] = pyarrow.compute.strftime(utc, format="%Y-%m-%dT%H:%M:%SZ").to_pylist()
        return text

    def done(self) -> int:
        """Return about how many bytes of the file are read."""
        if not self._total:
            return self.path.stat().st_size if self.ended else 0
        return self.path.stat().st_size * self.row // self._total

    def release(self) -> None:
        """Close the file; the next read opens it again and goes on."""
        if self._file is not None:
            self._file.close()
        self._file = self._batches = None
        self._found.clear()
