"""Files as streams of bytes: opened with an error that says what to do, decompressed by their suffix."""

from __future__ import annotations

import gzip
import zlib
from typing import TYPE_CHECKING, Any

import zstandard

from anchorwatch.errors import UsageError

if TYPE_CHECKING:
    from io import BufferedReader
    from pathlib import Path

COMPRESSED = {".gz", ".zst"}
DAMAGED = (EOFError, zlib.error, gzip.BadGzipFile, zstandard.ZstdError)
"""What reading a damaged compressed file raises."""


def open_file(path: Path) -> BufferedReader:
    """Open a file for reading.

    Raises
    ------
    UsageError
        It is not there, may not be read, or is a directory.
    """
    try:
        return path.open("rb")
    except FileNotFoundError as error:
        raise UsageError(
            f"{path}: there is no such file; check the path, or quote a pattern such as 'logs/*.jsonl'"
        ) from error
    except IsADirectoryError as error:
        raise UsageError(f"{path}: is a directory; name its files, such as '{path}/*.jsonl'") from error
    except PermissionError as error:
        raise UsageError(f"{path}: may not be read by this user; change its permissions (chmod +r)") from error


def unpack(path: Path, raw: BufferedReader) -> Any:
    """Return the stream of what is in the file: decompressed for `.gz` and `.zst`, else `raw` itself."""
    if path.suffix == ".gz":
        return gzip.GzipFile(fileobj=raw)
    if path.suffix == ".zst":
        return zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True, closefd=False)
    return raw
