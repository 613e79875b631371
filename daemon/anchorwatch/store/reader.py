"""Reading a store, beside a running daemon or without one; nothing is ever written."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self, Unpack

from anchorwatch.errors import StoreError
from anchorwatch.store import baselines, history, incidents, integrity, orders, outbox, stages, state
from anchorwatch.store.connection import MEMORY, connect, journal, look, require_current, transaction
from anchorwatch.store.faults import damaged, explained, reachable
from anchorwatch.store.rows import Progress

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from anchorwatch.events.records import Outgoing, Partition
    from anchorwatch.store.filters import AlertFilter, ScoreFilter, TriggerFilter
    from anchorwatch.store.orders import OrderRow
    from anchorwatch.store.rows import (
        AlertRow,
        BaselineEntry,
        BaselineRow,
        IncidentRow,
        Promotion,
        ScoreRow,
        StateSize,
        TriggerRow,
    )
    from anchorwatch.store.stages import StageRow


class Reader:
    """Everything a store can be asked. Use it in the thread that opened it.

    Each call sees one moment of the store; calls within `snapshot` see the same one.

    Raises
    ------
    StoreError
        By every method, where the file cannot be read or does not hold what was written.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection
        row = connection.execute("SELECT id FROM store").fetchone()
        if row is None:
            raise damaged(path, "it does not say which store it is")
        self.id: str = row[0]
        """Made once with the file; a copy of the file has the same."""

    @classmethod
    def open_reader(cls, path: Path) -> Reader:
        """Open an existing store for reading: takes no lock, disturbs no writer.

        Raises
        ------
        StoreError
            Where there is no store, or its tables have another version than this program's.
        """
        if not look(path):
            raise StoreError(f"there is no store {path} yet. `anchorwatch run` makes it; or correct `store`.")
        with explained(path):
            connection = _readable(path)
            try:
                require_current(connection, path)
                return Reader(path, connection)
            except BaseException:
                connection.close()
                raise

    def close(self) -> None:
        """Let go of the file; may be called twice."""
        self._connection.close()

    def __enter__(self) -> Self:
        """Use the store in a `with` block that closes it."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close the store."""
        self.close()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """See one moment of the store throughout the block. Keep it short: the journal grows meanwhile."""
        with explained(self.path):
            if self._connection.in_transaction:
                yield
            else:
                with transaction(self._connection, write=False):
                    yield

    def positions(self) -> dict[Partition, int]:
        """Return the next offset to read of each partition."""
        with self.snapshot():
            return state.read_positions(self._connection, self.path)

    def models(self) -> list[str]:
        """Return the models that have a state, sorted."""
        return [size.model for size in self.states()]

    def states(self) -> list[StateSize]:
        """Return how big each model's state is, by model."""
        with self.snapshot():
            return state.state_sizes(self._connection)

    def parts(self, model: str) -> dict[str, bytes]:
        """Return a model's state by part, {} where there is none; what is damaged raises."""
        with self.snapshot():
            return state.read_parts(self._connection, self.path, model)

    def part(self, model: str, part: str) -> bytes | None:
        """Return one part of a model's state, None where there is none; what is damaged raises."""
        with self.snapshot():
            return state.read_part(self._connection, self.path, model, part)

    def unpublished(self, limit: int) -> list[Outgoing]:
        """Return the first messages that wait to be published, in order."""
        with self.snapshot():
            return outbox.waiting(self._connection, limit)

    def outbox_size(self) -> int:
        """Return how many messages wait to be published."""
        with self.snapshot():
            return outbox.size(self._connection)

    def baseline(self, reference: str, *, model: str | None = None) -> BaselineRow | None:
        """Return the baseline of that id, beginning of an id (8 characters or more) or name; None where there is none.

        Raises
        ------
        UsageError
            Where several fit; naming the `model` helps when a name is given in several.
        """
        with self.snapshot():
            return baselines.find(self._connection, self.path, reference, model)

    def baselines(
        self,
        *,
        model: str | None = None,
        version: str | None = None,
        fingerprint: str | None = None,
        configuration: str | None = None,
    ) -> list[BaselineEntry]:
        """Return the baselines that have this provenance, newest first, without their documents."""
        equal = {"model": model, "version": version, "fingerprint": fingerprint, "configuration": configuration}
        with self.snapshot():
            return baselines.listing(self._connection, equal)

    def promotions(self) -> list[Promotion]:
        """Return every name that was ever given to a baseline, newest first."""
        with self.snapshot():
            return baselines.promotions(self._connection, current=False)

    def scores(self, *, limit: int = 1000, **where: Unpack[ScoreFilter]) -> list[ScoreRow]:
        """Return scores, newest first: those with these columns, from `since` (included) to `until` (left out)."""
        with self.snapshot():
            return history.scores(self._connection, where, limit)

    def alerts(self, *, limit: int = 1000, **where: Unpack[AlertFilter]) -> list[AlertRow]:
        """Return transitions of alerts, newest first: filters as for `scores`."""
        with self.snapshot():
            return history.alerts(self._connection, where, limit)

    def current_alerts(self, **where: Unpack[AlertFilter]) -> list[AlertRow]:
        """Return the last transition of every alert, newest first: those that are now as the filters say."""
        with self.snapshot():
            return history.current_alerts(self._connection, where)

    def incidents(
        self, *, model: str | None = None, incident: int | None = None, limit: int = 1000
    ) -> list[IncidentRow]:
        """Return tellings of incidents, newest first: those of a model, of one incident, or all."""
        with self.snapshot():
            return incidents.told(self._connection, model, incident, limit)

    def open_incidents(self, *, model: str | None = None) -> list[IncidentRow]:
        """Return the last telling of each incident that is open, newest first."""
        with self.snapshot():
            return incidents.unresolved(self._connection, model)

    def triggers(self, *, limit: int = 1000, **where: Unpack[TriggerFilter]) -> list[TriggerRow]:
        """Return retrain triggers, newest first: filters as for `scores`."""
        with self.snapshot():
            return history.triggers(self._connection, where, limit)

    def stages(self, *, model: str | None = None, trigger: str | None = None, limit: int = 1000) -> list[StageRow]:
        """Return how far retrainings came, newest first: those of a model, of one trigger, or all."""
        with self.snapshot():
            return stages.passed(self._connection, model, trigger, limit)

    def orders(self, after: int = 0) -> list[OrderRow]:
        """Return the orders that people gave behind that number, in order."""
        with self.snapshot():
            return orders.after(self._connection, after)

    def progress(self) -> Progress:
        """Return how far the store has come, and who writes it."""
        sql = "SELECT epoch, number, checkpoint, heartbeat, holder, host, pid, since, created FROM store"
        with self.snapshot():
            return Progress(*self._connection.execute(sql).fetchone())

    def size(self) -> int:
        """Return the bytes on disk, journal included; 0 in memory."""
        with reachable(self.path):
            return sum(p.stat().st_size for p in (self.path, journal(self.path)) if p.exists())

    def check(self) -> list[str]:
        """Return what is damaged, a sentence each; empty where all is well. Reads the whole file."""
        with self.snapshot():
            return integrity.problems(self._connection, self.path)

    def backup(self, target: Path) -> None:
        """Copy the store as it is at this moment to a new file, whoever writes meanwhile.

        Raises
        ------
        StoreError
            Where `target` exists or cannot be written; nothing half-written is left there.
        """
        part = target.with_name(target.name + ".part")
        with explained(target), reachable(target):
            if target.exists():
                raise StoreError(f"{target} exists: a backup never overwrites a file. Name another one.")
            part.unlink(missing_ok=True)
            copy = sqlite3.connect(part, isolation_level=None)
            try:
                self._connection.backup(copy)
                copy.execute("PRAGMA journal_mode = DELETE").fetchone()
            except BaseException:
                copy.close()
                part.unlink(missing_ok=True)
                raise
            copy.close()
            part.replace(target)


def _readable(path: Path) -> sqlite3.Connection:
    """Open for reading; a file at rest in a directory that cannot be written is read as one that nobody changes."""
    if path == MEMORY:
        raise StoreError("a store in memory cannot be opened a second time: there is nothing outside its process")
    connection = connect(path, "ro")
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.Error as error:
        connection.close()
        if not isinstance(error, sqlite3.OperationalError) or journal(path).exists():
            raise
        return connect(path, "ro&immutable=1")
    return connection
