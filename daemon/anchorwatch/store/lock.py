"""One writer at a time: an advisory lock on a file beside the store.

The operating system frees the lock with its process, so a dead holder needs no clearing up. A holder that is stopped
but alive keeps its lock: it can be taken over by putting a new lock file in the place of the held one. That alone stops
nobody from writing; the store's epoch does.
"""

from __future__ import annotations

import fcntl
import os
import socket
import uuid
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

import msgspec

from anchorwatch.errors import StoreTaken

if TYPE_CHECKING:
    from pathlib import Path


class Holder(msgspec.Struct, frozen=True):
    """Who holds a store: a name for people, the machine, the process, since when (ns since the epoch)."""

    holder: str
    host: str
    pid: int
    since: int

    @classmethod
    def here(cls, holder: str, now: int) -> Self:
        """Return this process as a holder."""
        return cls(holder, socket.gethostname(), os.getpid(), now)

    def __str__(self) -> str:
        """Name the holder so that an operator finds it."""
        since = datetime.fromtimestamp(self.since / 1e9, UTC).isoformat(timespec="seconds")
        return f"{self.holder!r} (process {self.pid} on {self.host}, since {since})"


class Lock:
    """The lock of one store, held from `acquire` to `release`."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor = descriptor

    @classmethod
    def acquire(cls, store: Path, holder: Holder, *, takeover: bool = False) -> Self:
        """Take the lock of `store`, or raise StoreTaken naming who has it.

        Parameters
        ----------
        takeover
            Take it even from a living holder.
        """
        path = store.with_name(store.name + ".lock")
        while True:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            lock = cls(path, descriptor)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                named = _named(descriptor)
                os.close(descriptor)
                if takeover:
                    return cls._replace(path, holder)
                raise StoreTaken(
                    f"the store {store} is held by {named}; two writers would count events twice. Stop that one first, "
                    "or give this one its own store. If it hangs and cannot be stopped, start with --takeover."
                ) from None
            if lock.held():
                _write(descriptor, holder)
                return lock
            os.close(descriptor)  # it was replaced between opening and locking

    @classmethod
    def _replace(cls, path: Path, holder: Holder) -> Self:
        fresh = path.with_name(f"{path.name}.{uuid.uuid4()}")  # process ids of two containers may be the same
        descriptor = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        _write(descriptor, holder)
        fresh.replace(path)
        return cls(path, descriptor)

    def held(self) -> bool:
        """Return whether the lock file is still ours, not replaced by a takeover."""
        if self._descriptor < 0:
            return False
        try:
            there = self._path.stat()
        except FileNotFoundError:
            return False
        ours = os.fstat(self._descriptor)
        return (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)

    def release(self) -> None:
        """Let go; may be called twice. The file stays: removing it would let two processes lock two files."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _write(descriptor: int, holder: Holder) -> None:
    content = msgspec.json.encode(holder)
    os.pwrite(descriptor, content, 0)
    os.ftruncate(descriptor, len(content))


def _named(descriptor: int) -> str:
    try:
        return str(msgspec.json.decode(os.pread(descriptor, 4096, 0), type=Holder))
    except msgspec.MsgspecError:
        return "another process that is just starting"
