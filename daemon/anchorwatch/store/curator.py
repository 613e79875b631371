"""Adding and naming baselines and giving orders, also beside a running daemon.

Baselines are immutable and orders a list that only grows, so nobody's work is disturbed.
"""

from __future__ import annotations

import os
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING

from anchorwatch.store import baselines, orders
from anchorwatch.store.connection import connect, look, prepare, require_current, transaction
from anchorwatch.store.faults import explained, reachable
from anchorwatch.store.lock import Holder, Lock
from anchorwatch.store.reader import Reader
from anchorwatch.store.state import NO_POSITIONS

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from anchorwatch.store.rows import BaselineRow


class Curator(Reader):
    """A reader that may also add baselines, give them names, and give orders."""

    @classmethod
    def open_curator(cls, path: Path, *, holder: str, now: int) -> Curator:
        """Open a store to add or name baselines; it is made where there is none.

        Parameters
        ----------
        holder
            Who asks, for people to read.
        now
            Wall time, ns since the epoch.

        Raises
        ------
        StoreError
            Where the store cannot be used, or its tables are not of this program's version.
        """
        if not look(path):
            with reachable(path):
                lock = Lock.acquire(path, Holder.here(holder, now))
            try:
                create(path, now)
            finally:
                lock.release()
        with explained(path):
            connection = connect(path, "rw")
            try:
                require_current(connection, path)
                prepare(connection, path)
                return Curator(path, connection)
            except BaseException:
                connection.close()
                raise

    @contextmanager
    def _writing(self, *, durable: bool = True) -> Iterator[None]:
        with explained(self.path), transaction(self._connection, write=True, durable=durable):
            yield

    def add_baselines(self, rows: Sequence[BaselineRow]) -> None:
        """Add baselines, all or none; one that is there already stays as it is.

        Raises
        ------
        StoreError
            Where an id is there with another document: a baseline never changes.
        """
        with self._writing():
            baselines.add(self._connection, self.path, rows)

    def promote(self, name: str, ident: str, *, now: int) -> None:
        """Give `name`, within the baseline's model, to the baseline of that whole id; history keeps who had it.

        Raises
        ------
        UsageError
            Where there is no such baseline, or the name is empty or has space around it.
        """
        with self._writing():
            baselines.promote(self._connection, name, ident, now)

    def give_order(self, model: str, document: bytes, *, now: int) -> int:
        """Give an order to a model, or ("") to every model; return its number. A daemon takes it over while it runs."""
        with self._writing():
            return orders.add(self._connection, model, document, now)


def create(path: Path, now: int) -> None:
    """Make a store, complete before it is seen under its name; the caller holds the lock. Nothing where it exists."""
    if look(path):
        return
    fresh = path.with_name(path.name + ".new")
    with explained(path), reachable(path):
        for left in (fresh, *(fresh.with_name(fresh.name + end) for end in ("-journal", "-wal", "-shm"))):
            left.unlink(missing_ok=True)
        connection = connect(fresh, "rwc")
        try:
            connection.execute("PRAGMA synchronous = OFF")  # nobody sees it before it is synchronised below
            populate(connection, now)
            prepare(connection, fresh)
        finally:
            connection.close()
        _synchronise(fresh, os.O_RDWR)
        fresh.replace(path)
        _synchronise(path.parent, os.O_RDONLY | os.O_DIRECTORY)


def _synchronise(path: Path, how: int) -> None:
    descriptor = os.open(path, how)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def populate(connection: sqlite3.Connection, now: int) -> None:
    """Make the tables of a new store and the row that says which store it is."""
    from anchorwatch.store.schema import migrate

    migrate(connection)
    connection.execute(
        "INSERT INTO store (one, id, created, epoch, holder, host, pid, since, number, positions_digest)"
        " VALUES (1, ?, ?, 0, '', '', 0, ?, 0, ?)",
        (str(uuid.uuid4()), now, now, NO_POSITIONS),
    )
