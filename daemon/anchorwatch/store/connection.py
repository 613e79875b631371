"""Opening the file: is it there, is it ours, is it of our version."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from anchorwatch.errors import StoreError
from anchorwatch.store.faults import damaged, reachable

if TYPE_CHECKING:
    from collections.abc import Iterator

MEMORY = Path(":memory:")
VERSION = 5
"""Version of the tables this program works with: the number of migrations in `schema`."""
APPLICATION = 0x616E6377
"""Marks a SQLite file as ours."""
BUSY = 5.0
"""Seconds to wait for another program's transaction."""
WAL_PAGES = 4096
"""Pages after which SQLite moves the journal into the file: 16 MB."""
WAL_LIMIT = 64 * 2**20
"""Bytes the journal may keep; it grows beyond only while somebody reads."""

CACHE_KIB = 16_384
"""Memory for pages: a checkpoint that fits is written once."""


def journal(path: Path) -> Path:
    """Return the path of the write-ahead journal."""
    return path.with_name(path.name + "-wal")


def look(path: Path) -> bool:
    """Return whether there is a store file to open.

    The file itself is not opened: closing it would drop the locks that SQLite holds on it elsewhere in this process.

    Raises
    ------
    StoreError
        Where opening it would silently begin anew: SQLite takes an empty file for a new database, and a journal whose
        file is gone for nothing.
    """
    with reachable(path):
        if not path.parent.is_dir():
            raise StoreError(
                f"the store {path} cannot be opened: the directory {path.parent} does not exist. "
                "Create it, or correct `store` in the configuration."
            )
        if path.is_dir():
            raise StoreError(f"the store {path} is a directory. Name a file in it, such as {path / 'anchorwatch.db'}.")
        if not path.exists():
            if journal(path).exists():
                raise StoreError(
                    f"the store {path} is gone but its journal {journal(path)} is still there: a part of the store was "
                    "lost. Put the file back beside its journal, or move the journal away to begin anew."
                )
            return False
        size = path.stat().st_size
    if size == 0:
        raise StoreError(
            f"the store {path} is empty: it was cut off, or made by another program. "
            "Put a backup back, or remove the file to begin anew."
        )
    if size < 512:  # SQLite's smallest page; it would take less for a new database
        raise StoreError(
            f"the store {path} is not a SQLite database. Correct `store` in the configuration, or move the file away."
        )
    return True


def connect(path: Path, mode: Literal["ro", "rw", "rwc", "ro&immutable=1"]) -> sqlite3.Connection:
    """Return a connection without implicit transactions; a file is made only in mode rwc."""
    if path == MEMORY:
        return sqlite3.connect(":memory:", isolation_level=None)
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode={mode}", uri=True, isolation_level=None, timeout=BUSY)


def prepare(connection: sqlite3.Connection, path: Path) -> None:
    """Set a writing connection: write-ahead journal of bounded size, damage seen early."""
    (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
    if mode != "wal":
        raise StoreError(f"the store {path} stands on a file system without shared memory. Keep it on a local disk.")
    connection.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")
    connection.execute(f"PRAGMA journal_size_limit = {WAL_LIMIT}")
    connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    connection.execute("PRAGMA cell_size_check = ON")


def version_of(connection: sqlite3.Connection, path: Path) -> int:
    """Return the version of the tables.

    Raises
    ------
    StoreError
        Where the file was cut off, belongs to another program or to a newer version of this one.
    """
    require_whole(connection, path)
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION:
        raise StoreError(
            f"the store {path} is a SQLite database of another program. Correct `store` in the configuration."
        )
    if version > VERSION:
        raise StoreError(
            f"the store {path} was written by a newer anchorwatch (its tables have version {version}, this program "
            f"knows {VERSION}). Run that version or a newer one, or put back the backup made before the upgrade."
        )
    return int(version)


def require_whole(connection: sqlite3.Connection, path: Path) -> None:
    """Raise StoreError where the file was cut off within a page, which SQLite would fill with zeros."""
    (whole,) = connection.execute("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size").fetchone()
    with reachable(path):
        if journal(path).exists() and journal(path).stat().st_size > 0:
            return  # with a journal the file need not be whole
        size = path.stat().st_size
    if size < whole:
        raise damaged(path, f"it was cut off: {size:,} of {whole:,} bytes are left")


def require_current(connection: sqlite3.Connection, path: Path) -> None:
    """Raise StoreError where the tables are not of this program's version; bringing them there is the daemon's work."""
    version = version_of(connection, path)
    if version < VERSION:
        raise StoreError(
            f"the store {path} has tables of version {version}, this program works with {VERSION}. "
            "Start the daemon once: it brings them to the new version."
        )


@contextmanager
def transaction(connection: sqlite3.Connection, *, write: bool, durable: bool = True) -> Iterator[None]:
    """Do everything within, or nothing.

    Parameters
    ----------
    write
        Take the right to write at once, so that what was read within still holds when it is written.
    durable
        Wait until the disk has it. Otherwise a power failure may undo it, though never in part and never without
        everything that came later.
    """
    if write:
        connection.execute(f"PRAGMA synchronous = {'FULL' if durable else 'NORMAL'}")
    connection.execute("BEGIN IMMEDIATE" if write else "BEGIN")
    try:
        yield
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
