"""A file of lines, plain or compressed, read in blocks and, where it grows, followed."""

from __future__ import annotations

import bisect
import os
from typing import TYPE_CHECKING, Any

from anchorwatch.errors import NoData, PositionLost
from anchorwatch.transport.streams import COMPRESSED, DAMAGED, open_file, unpack

if TYPE_CHECKING:
    from io import BufferedReader
    from pathlib import Path

BLOCK = 1 << 20
LONGEST = 1 << 24
"""Bytes of a line that are taken; a longer one is cut, so that it cannot fill the memory."""
KEPT = 1 << 16
"""Bytes that are kept of a line that was cut."""
CUT = b"\n[cut off by anchorwatch: this line has more than 16777216 bytes]"
"""Stands behind a line that was cut. No line holds a line end and no JSON text ends so: it becomes a dead letter."""

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"


class LineReader:
    r"""The lines of a file, exactly as they are, without their line ends (`\n` or `\r\n`); an empty line is None.

    Parameters
    ----------
    path
        The file; `.gz` and `.zst` are decompressed.
    follow
        Whether it may grow: a last line without a line end is then not given yet. A compressed file never grows.

    Attributes
    ----------
    row
        Number of the next line, from 0.
    """

    text_values = False

    def __init__(self, path: Path, *, follow: bool = False) -> None:
        self.path = path
        self._packed = path.suffix in COMPRESSED
        self._follow = follow and not self._packed
        self._raw: BufferedReader | None = None
        self._stream: Any = None
        self._inode: int | None = None
        self._index = [(0, 0)]  # (row, byte where it begins), one a block
        self._start_at(0, 0)

    def _start_at(self, row: int, byte: int) -> None:
        self.row = row
        self._byte = byte  # read so far of the stream
        self._found: list[bytes | None] = []
        self._head: list[bytes] = []  # what was read of a line whose end was not
        self._head_size = 0
        self._at_end = False
        self.release()

    @property
    def ended(self) -> bool:
        """Tell whether there will never be another line."""
        return self._at_end and not self._found

    def seek(self, row: int) -> None:
        """Read on from this line; raises `PositionLost` where the file has fewer."""
        place = bisect.bisect_right(self._index, row, key=lambda entry: entry[0]) - 1
        self._start_at(*self._index[place])
        while self.row < row:
            if not self.read(min(row - self.row, 10_000)):
                raise PositionLost(
                    f"{self.path}: {row} lines of it were read before, but it has only {self.row}: it was truncated or "
                    "replaced. Put the old file back, or start over without the old state"
                )

    def read(self, limit: int) -> list[bytes | None]:
        """Return up to `limit` lines; none at all only at the file's end as it is now."""
        while not self._found and self._read_block():
            pass
        lines = self._found[:limit]
        del self._found[:limit]
        self.row += len(lines)
        return lines

    def _read_block(self) -> bool:
        """Read on and find the lines; return whether there was anything to read."""
        if self._at_end:
            return False
        block = self._next_bytes()
        if not block:
            return self._finish()
        first, *others = (block if self._byte else block.removeprefix(_BYTE_ORDER_MARK)).split(b"\n")
        self._byte += len(block)
        self._extend_head(first)
        if others:
            self._found.append(self._take_head())
            *complete, rest = others
            self._found.extend(_lines(complete) if b"\r" in block or b"" in complete else complete)
            self._index.append((self.row + len(self._found), self._byte - len(rest)))
            self._extend_head(rest)
        return True

    def _extend_head(self, part: bytes) -> None:
        self._head_size += len(part)
        if len(self._head) * BLOCK <= LONGEST:
            self._head.append(part)

    def _take_head(self) -> bytes | None:
        line = b"".join(self._head)
        line = line[:KEPT] + CUT if self._head_size > LONGEST else line.removesuffix(b"\r")
        self._head, self._head_size = [], 0
        return line or None

    def _finish(self) -> bool:
        """Do what is to be done at the end of the file; return whether there was still a line."""
        self._check_file()
        if self._follow:
            return False
        self._at_end = True
        self.release()
        if self._head_size:
            self._found.append(self._take_head())
        return bool(self._found)

    def _check_file(self) -> None:
        """Raise `PositionLost` where the file is shorter than what we read, or another one than we opened."""
        if self._packed or self._raw is None:
            return
        lost = None
        if os.fstat(self._raw.fileno()).st_size < self._byte:
            lost = "truncated"
        elif self._follow:
            lost = "removed" if not self.path.exists() else None
            lost = "replaced" if not lost and self.path.stat().st_ino != self._inode else lost
        if lost:
            raise PositionLost(
                f"{self.path}: was {lost} after {self.row + len(self._found)} lines were read, so what comes next "
                "cannot be told. Write each period to a file of its own and name them by a pattern: 'events-*.jsonl'"
            )

    def _next_bytes(self) -> bytes:
        try:
            if self._raw is None:
                self._open()
            block: bytes = self._stream.read(BLOCK)
        except DAMAGED as error:
            raise NoData(
                f"{self.path}: is damaged behind line {self.row} ({error}): copy it again from where it came"
            ) from error
        return block

    def _open(self) -> None:
        self._raw = open_file(self.path)
        self._stream = unpack(self.path, self._raw)
        inode = os.fstat(self._raw.fileno()).st_ino
        self._inode = inode if self._inode is None else self._inode
        if not self._packed:
            self._stream.seek(self._byte)
        else:
            left = self._byte
            while left and (skipped := self._stream.read(min(left, BLOCK))):
                left -= len(skipped)

    def done(self) -> int:
        """Return about how many bytes of the file are read."""
        if self._packed:
            return self.path.stat().st_size if self._at_end else self._raw.tell() if self._raw else 0
        return self._byte

    def release(self) -> None:
        """Close the file; the next read opens it again and goes on."""
        if self._raw is not None:
            self._stream.close()
            self._raw.close()
        self._raw = self._stream = None


def _lines(texts: list[bytes]) -> list[bytes | None]:
    return [text.removesuffix(b"\r") or None for text in texts]
