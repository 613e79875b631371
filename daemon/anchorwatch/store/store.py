"""The store as its one writer sees it: all state of a daemon, changed in whole checkpoints."""

from __future__ import annotations

from contextlib import contextmanager
from operator import index
from typing import TYPE_CHECKING

from anchorwatch.errors import StoreTaken
from anchorwatch.store import baselines, history, incidents, outbox, retention, stages, state
from anchorwatch.store.connection import (
    MEMORY,
    VERSION,
    WAL_LIMIT,
    connect,
    journal,
    look,
    prepare,
    transaction,
    version_of,
)
from anchorwatch.store.curator import Curator, create, populate
from anchorwatch.store.faults import explained, reachable
from anchorwatch.store.lock import Holder, Lock
from anchorwatch.store.retention import Retention

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from anchorwatch.events.records import Outgoing
    from anchorwatch.store.rows import Checkpoint


class Store(Curator):
    """One model's or many models' state, positions, outbox and history in one SQLite file.

    There is one writer. It holds a lock as long as it lives; each opening raises the epoch, and every write and every
    look at the outbox first sees that the epoch is still its own. So a writer that was stopped, taken over and woken
    up again changes nothing and publishes nothing.

    Examples
    --------
    >>> store = Store.open(MEMORY, holder="an example", now=0)
    >>> store.checkpoint(Checkpoint(at=1, parts={"fraud": {"windows": b"..."}}))
    >>> store.parts("fraud")
    {'windows': b'...'}
    >>> store.close()
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, lock: Lock | None, holder: Holder) -> None:
        super().__init__(path, connection)
        self._lock = lock
        with transaction(connection, write=True):
            if lock is not None and not lock.held():
                raise StoreTaken(f"the store {path} was taken over by another process while this one was opening it.")
            connection.execute(
                "UPDATE store SET epoch = epoch + 1, holder = ?, host = ?, pid = ?, since = ?",
                (holder.holder, holder.host, holder.pid, index(holder.since)),
            )
            row = connection.execute("SELECT epoch FROM store").fetchone()
        self.epoch: int = row[0]
        """How often the store was opened for writing; a checkpoint of an older epoch is refused."""

    @classmethod
    def open(cls, path: Path, *, holder: str, now: int, takeover: bool = False) -> Store:
        """Open a store as its writer; it is made where there is none, and brought to this version where it is older.

        Parameters
        ----------
        path
            The file. `Path(":memory:")` is a store without a file or a lock, gone when closed.
        holder
            Who this is, for people to read.
        now
            Wall time, ns since the epoch.
        takeover
            Take the store from a living holder (one that hangs). A dead one needs no takeover.

        Raises
        ------
        StoreTaken
            Where another process holds it; the message names it.
        StoreError
            Where the file cannot be used; the message says why and what to do. It is never begun anew.
        """
        here = Holder.here(holder, now)
        if path == MEMORY:
            connection = connect(path, "rwc")
            populate(connection, now)
            return Store(path, connection, None, here)
        look(path)
        with reachable(path):
            lock = Lock.acquire(path, here, takeover=takeover)
        try:
            return _opened(path, lock, here)
        except BaseException:
            lock.release()
            raise

    def close(self) -> None:
        """Let go of the file and the lock; may be called twice."""
        super().close()
        if self._lock is not None:
            self._lock.release()

    @contextmanager
    def _writing(self, *, durable: bool = True) -> Iterator[None]:
        with super()._writing(durable=durable):
            self._fence()
            yield

    def _fence(self) -> None:
        row = self._connection.execute("SELECT epoch, holder, host, pid, since FROM store").fetchone()
        if row[0] != self.epoch:
            raise StoreTaken(
                f"the store {self.path} was taken over by {Holder(*row[1:])}; this process must not write or publish "
                "any more and has changed nothing. Let it end: the other one goes on from the last checkpoint."
            )

    def checkpoint(self, checkpoint: Checkpoint) -> None:
        """Write everything one batch changed, in one transaction that is on the disk when this returns.

        Written twice, a checkpoint changes nothing the second time but its number.

        Raises
        ------
        StoreTaken
            Where the store was taken over: nothing was written.
        StoreError
            Where it cannot be written: nothing was.
        """
        at, connection = index(checkpoint.at), self._connection
        with self._writing():
            state.write_positions(connection, checkpoint.positions)
            for model, parts in checkpoint.parts.items():
                state.write_parts(connection, model, parts, at)
            outbox.add(connection, checkpoint.outbox)
            baselines.add(connection, self.path, checkpoint.baselines)
            history.add_scores(connection, checkpoint.scores, at)
            history.add_alerts(connection, checkpoint.alerts, at)
            incidents.add(connection, checkpoint.incidents, at)
            history.add_triggers(connection, checkpoint.triggers, at)
            stages.add(connection, checkpoint.stages, at)
            connection.execute("UPDATE store SET number = number + 1, checkpoint = ?1, heartbeat = ?1", (at,))
        self._shorten_journal()

    def forget(self, model: str) -> None:
        """Delete a model's state on somebody's explicit wish, damaged or not; history and baselines stay."""
        with self._writing():
            state.forget(self._connection, model)

    def unpublished(self, limit: int) -> list[Outgoing]:
        """Return the first messages that wait to be published, in order; raises StoreTaken where they are not ours."""
        with self.snapshot():
            self._fence()
            return super().unpublished(limit)

    def published(self, ids: Sequence[str]) -> None:
        """Take messages out of the outbox that were acknowledged; their ids are remembered and not taken again.

        A power failure may undo this: the messages are then published again, with the same ids and bytes.
        """
        with self._writing(durable=False):
            (at,) = self._connection.execute("SELECT coalesce(checkpoint, created) FROM store").fetchone()
            outbox.settle(self._connection, ids, at)

    def heartbeat(self, now: int) -> None:
        """Say that the writer lives though there is nothing to write."""
        with self._writing(durable=False):
            self._connection.execute("UPDATE store SET heartbeat = ?", (index(now),))

    def prune(self, now: int, keep: Retention | None = None, *, step: int = 2000) -> int:
        """Delete old history, at most `step` rows of each kind; return how many: call again until it is 0.

        Parameters
        ----------
        now
            Wall time, ns since the epoch.
        keep
            How long history is kept. Default: `Retention()`.
        """
        with self._writing(durable=False):
            return retention.prune(self._connection, index(now), keep or Retention(), step)

    def _shorten_journal(self) -> None:
        """Empty the journal where readers kept SQLite from doing so; where they still do, the next checkpoint tries."""
        if self.path == MEMORY:
            return
        file = journal(self.path)
        with explained(self.path), reachable(self.path):
            if file.exists() and file.stat().st_size > WAL_LIMIT:
                self._connection.execute("PRAGMA busy_timeout = 0")
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
                self._connection.execute("PRAGMA busy_timeout = 5000")


def _opened(path: Path, lock: Lock, holder: Holder) -> Store:
    create(path, holder.since)
    with explained(path):
        connection = connect(path, "rw")
        try:
            if version_of(connection, path) < VERSION:
                from anchorwatch.store.schema import migrate

                migrate(connection)
            prepare(connection, path)
            return Store(path, connection, lock, holder)
        except BaseException:
            connection.close()
            raise
