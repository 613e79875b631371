"""What SQLite's errors mean to an operator."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING

from anchorwatch.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_RESTORE = (
    "Nothing was changed. Stop the daemon, keep a copy of the file with its -wal, and put a backup back; "
    "without one, move the file away to begin anew (history and state are lost)."
)
# primary result code -> what it means, what to do
_MEANING = {
    sqlite3.SQLITE_PERM: ("may not be accessed", "Give this user read and write permission on it."),
    sqlite3.SQLITE_BUSY: (
        "is locked by another program",
        "Find who has it open (`fuser` names the process), end that program or its transaction, and start again.",
    ),
    sqlite3.SQLITE_LOCKED: ("is locked by another program", "End that program, and start again."),
    sqlite3.SQLITE_READONLY: (
        "cannot be written",
        "Give this user write permission on the file and on its directory, and see that the disk is mounted writable.",
    ),
    sqlite3.SQLITE_IOERR: (
        "cannot be read or written: the disk reported an error",
        "Look into the machine's log, move the store to a sound disk, and start again.",
    ),
    sqlite3.SQLITE_CORRUPT: ("is damaged", _RESTORE),
    sqlite3.SQLITE_NOTADB: ("is not a SQLite database", "Correct `store` in the configuration, or move the file away."),
    sqlite3.SQLITE_FULL: (
        "cannot be written: the disk is full",
        "The last batch was not taken and will be read again. Free some space, and start again.",
    ),
    sqlite3.SQLITE_CANTOPEN: (
        "cannot be opened",
        "See that the file and its directory exist and that this user may read and write them.",
    ),
    sqlite3.SQLITE_PROTOCOL: ("cannot be locked", "Keep it on a local disk: network file systems do not lock rightly."),
    sqlite3.SQLITE_TOOBIG: (
        "cannot take a value of this size",
        "Watch fewer columns or segments in one model, or shorten its label wait.",
    ),
    sqlite3.SQLITE_ERROR: ("does not have the tables this version made", _RESTORE),
}


@contextlib.contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn what SQLite says of `path` into a StoreError.

    Errors that mean a mistake in this program (a constraint, a closed connection) pass as they are.
    """
    try:
        yield
    except sqlite3.Error as error:
        meaning = _MEANING.get(getattr(error, "sqlite_errorcode", -1) & 0xFF)
        if meaning is None:
            raise
        raise StoreError(f"the store {path} {meaning[0]} ({error}). {meaning[1]}") from error


@contextlib.contextmanager
def reachable(path: Path) -> Iterator[None]:
    """Turn what the operating system says of `path` into a StoreError."""
    try:
        yield
    except OSError as error:
        raise StoreError(
            f"the store {path} cannot be used: {error.strerror or error} ({error.filename or path}). "
            "See that the directory exists and that this user may read and write there."
        ) from error


def damaged(path: Path, what: str) -> StoreError:
    """Return the error for content that is not what was written."""
    return StoreError(f"the store {path} is damaged: {what}. {_RESTORE}")
