"""What every transport gives and takes: records with their places."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence


class Partition(NamedTuple):
    """One ordered log: a Kafka partition, a file."""

    topic: str
    number: int

    def __str__(self) -> str:
        """Write the partition as people read it."""
        return f"{self.topic}/{self.number}"


Headers = tuple[tuple[str, bytes], ...]


@dataclass(frozen=True, slots=True)
class Records:
    """Consecutive records of one partition, as columns of the same length.

    Attributes
    ----------
    partition
        Where they come from.
    offsets
        Place of each record; rising, not always by one.
    timestamps
        Each record's own timestamp in ns since the epoch; None where the transport has none.
    values
        The payloads; None is a tombstone.
    keys, headers
        Empty when no record has one.
    text_values
        True where the payload's numbers are written as text because the format knows nothing else (CSV).
    """

    partition: Partition
    offsets: Sequence[int]
    timestamps: Sequence[int | None]
    values: Sequence[bytes | None]
    keys: Sequence[bytes | None] = ()
    headers: Sequence[Headers] = ()
    text_values: bool = False


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message to write; `id` makes it recognisable when it is written twice."""

    id: str
    topic: str
    key: bytes | None
    value: bytes
    headers: Headers = field(default=())


class Source(Protocol):
    """Reads records. Positions are kept by whoever reads, never by the source."""

    def partitions(self) -> Sequence[Partition]:
        """Return all partitions of the topics, sorted; new ones appear here while running."""

    def seek(self, positions: Mapping[Partition, int]) -> None:
        """Read on from these offsets; a partition that is not named is read from its beginning.

        Raises `PositionLost` where the log no longer holds a position.
        """

    def poll(self, limit: int, timeout: float, paused: Collection[Partition] = ()) -> Sequence[Records]:
        """Return up to `limit` records, waiting at most `timeout` seconds for the first.

        Nothing is read from `paused` partitions, and nothing of them is lost.
        """

    def ended(self) -> Collection[Partition]:
        """Return the partitions that will never give another record; always empty for an endless source."""

    def caught_up(self) -> Collection[Partition]:
        """Return the partitions of which everything known to be in the log has been given, ended ones too."""

    def commit(self, positions: Mapping[Partition, int]) -> None:
        """Tell the outside how far we are, as a hint for lag tools; the store is the truth."""

    def close(self) -> None:
        """Let go of everything; may be called twice."""


class Sink(Protocol):
    """Writes messages."""

    def send(self, messages: Sequence[Outgoing]) -> None:
        """Write all messages and return when every one is acknowledged; raises `ConnectionFailed` otherwise."""

    def close(self) -> None:
        """Let go of everything; may be called twice."""
