"""A log in memory with the rules of a real one: topics, partitions, offsets, retention, an end.

For the demo and for tests: whoever writes and whoever reads share one `MemoryLog`, also from two threads.
"""

from __future__ import annotations

import threading
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from anchorwatch.errors import ConnectionFailed, PositionLost
from anchorwatch.events.records import Headers, Outgoing, Partition, Records

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Entry:
    """One record of a log: a payload (None is a tombstone), its key, its timestamp in ns since the epoch."""

    value: bytes | None
    key: bytes | None = None
    timestamp: int | None = None
    headers: Headers = ()


@dataclass(slots=True)
class _Log:
    """One partition: `entries[i]` has the offset `start + i`."""

    entries: list[Entry] = field(default_factory=list)
    start: int = 0
    finished: bool = False

    @property
    def end(self) -> int:
        return self.start + len(self.entries)


def as_records(partition: Partition, first: int, entries: Sequence[Entry]) -> Records:
    """Return entries that follow each other without a gap as columns; `first` is the first one's offset."""
    return Records(
        partition=partition,
        offsets=range(first, first + len(entries)),
        timestamps=[e.timestamp for e in entries],
        values=[e.value for e in entries],
        keys=[e.key for e in entries] if any(e.key is not None for e in entries) else (),
        headers=[e.headers for e in entries] if any(e.headers for e in entries) else (),
    )


class MemoryLog:
    """Topics with partitions that records are appended to; safe for one writer and one reader thread."""

    def __init__(self) -> None:
        self._logs: dict[Partition, _Log] = {}
        self._changed = threading.Condition()

    def create(self, topic: str, partitions: int = 1) -> None:
        """Give a topic at least so many partitions; what it holds stays."""
        with self._changed:
            for number in range(partitions):
                self._logs.setdefault(Partition(topic, number), _Log())
            self._changed.notify_all()

    def append(self, topic: str, entry: Entry, partition: int | None = None) -> int:
        """Append a record and return its offset.

        Without `partition` a record with a key goes where its key always goes, one without goes to partition 0; a topic
        that is not there is created with one partition.

        Raises
        ------
        ConnectionFailed
            The topic has no such partition.
        """
        self.create(topic)
        with self._changed:
            if partition is None:
                count = sum(1 for p in self._logs if p.topic == topic)
                partition = zlib.crc32(entry.key or b"") % count
            log = self._logs.get(Partition(topic, partition))
            if log is None:
                raise ConnectionFailed(f"topic {topic} has no partition {partition}: create it with more partitions")
            log.entries.append(entry)
            self._changed.notify_all()
            return log.end - 1

    def finish(self, topic: str) -> None:
        """Declare that no record will ever be appended to this topic again."""
        with self._changed:
            for partition, log in self._logs.items():
                if partition.topic == topic:
                    log.finished = True
            self._changed.notify_all()

    def trim(self, partition: Partition, before: int) -> None:
        """Forget the records below an offset, as retention does."""
        with self._changed:
            log = self._logs[partition]
            del log.entries[: max(0, before - log.start)]
            log.start = max(log.start, before)

    def entries(self, topic: str) -> list[Entry]:
        """Return all records of a topic, partition after partition."""
        with self._changed:
            return [e for p in sorted(self._logs) if p.topic == topic for e in self._logs[p].entries]

    def partitions(self, topics: Collection[str]) -> list[Partition]:
        """Return the partitions of these topics, sorted."""
        with self._changed:
            return sorted(p for p in self._logs if p.topic in topics)

    def bounds(self, partition: Partition) -> tuple[int, int, bool]:
        """Return the first offset, the offset after the last, and whether the partition is finished."""
        with self._changed:
            log = self._logs[partition]
            return log.start, log.end, log.finished

    def read(self, partition: Partition, offset: int, limit: int) -> list[Entry]:
        """Return up to `limit` records from `offset` on.

        Raises
        ------
        PositionLost
            `offset` lies before the first record that is kept or after the end.
        """
        with self._changed:
            log = self._logs[partition]
            if not log.start <= offset <= log.end:
                raise PositionLost(
                    f"{partition}: position {offset} is not in the log, which holds {log.start} to {log.end}: "
                    "what lay between is lost to us; choose a position that is there"
                )
            first = offset - log.start
            return log.entries[first : first + limit]

    def wait(self, timeout: float) -> None:
        """Wait until something is appended or finished, at most `timeout` seconds."""
        with self._changed:
            self._changed.wait(timeout)


class MemorySource:
    """Reads topics of a `MemoryLog`.

    Parameters
    ----------
    log
        What is read.
    topics
        Topics; their partitions may be created later.
    """

    def __init__(self, log: MemoryLog, topics: Collection[str]) -> None:
        self._log = log
        self._topics = frozenset(topics)
        self._positions: dict[Partition, int] = {}
        self._turn = 0
        self.committed: dict[Partition, int] = {}

    def partitions(self) -> Sequence[Partition]:
        """Return all partitions of the topics, sorted."""
        return self._log.partitions(self._topics)

    def seek(self, positions: Mapping[Partition, int]) -> None:
        """Read on from these offsets; raises `PositionLost` where the log does not hold one."""
        for partition, position in positions.items():
            self._log.read(partition, position, 0)
        self._positions = dict(positions)

    def poll(self, limit: int, timeout: float, paused: Collection[Partition] = ()) -> Sequence[Records]:
        """Return up to `limit` records, waiting at most `timeout` seconds for the first."""
        found = self._read(limit, paused)
        if not found and timeout > 0 and not self._all_ended():
            self._log.wait(timeout)
            found = self._read(limit, paused)
        return found

    def _read(self, limit: int, paused: Collection[Partition]) -> list[Records]:
        partitions = [p for p in self.partitions() if p not in paused]
        found: list[Records] = []
        self._turn += 1
        for i in range(len(partitions)):
            partition = partitions[(i + self._turn) % len(partitions)]
            position = self._position(partition)
            entries = self._log.read(partition, position, limit)
            if entries:
                found.append(as_records(partition, position, entries))
                self._positions[partition] = position + len(entries)
                limit -= len(entries)
        return found

    def _position(self, partition: Partition) -> int:
        position = self._positions.get(partition)
        return self._log.bounds(partition)[0] if position is None else position

    def ended(self) -> Collection[Partition]:
        """Return the finished partitions that are read to their end."""
        ended = set()
        for partition in self.partitions():
            _, end, finished = self._log.bounds(partition)
            if finished and self._position(partition) >= end:
                ended.add(partition)
        return ended

    def caught_up(self) -> Collection[Partition]:
        """Return the partitions that are read to their present end."""
        return {p for p in self.partitions() if self._position(p) >= self._log.bounds(p)[1]}

    def _all_ended(self) -> bool:
        partitions = self.partitions()
        return bool(partitions) and len(self.ended()) == len(partitions)

    def commit(self, positions: Mapping[Partition, int]) -> None:
        """Remember the positions in `committed`, for whoever wants to see them."""
        self.committed.update(positions)

    def close(self) -> None:
        """Do nothing: the log belongs to whoever made it."""


class MemorySink:
    """Appends messages to a `MemoryLog`; their ids are not kept, a real log has none either."""

    def __init__(self, log: MemoryLog) -> None:
        self._log = log

    def send(self, messages: Sequence[Outgoing]) -> None:
        """Append all messages."""
        for message in messages:
            self._log.append(message.topic, Entry(message.value, message.key, headers=message.headers))

    def close(self) -> None:
        """Do nothing: the log belongs to whoever made it."""
