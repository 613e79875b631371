"""A group that is never joined: offsets under its name, marked with the store they come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from kafka.structs import OffsetAndMetadata, TopicPartition

from anchorwatch.errors import StoreTaken
from anchorwatch.events.records import Partition
from anchorwatch.transport.kafka_connection import REQUEST_SECONDS, translated

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from anchorwatch.settings.kafka import Kafka

_MARK = "anchorwatch:"
_TIMEOUT_MS = round(REQUEST_SECONDS * 1000)


def theirs(partition: Partition) -> TopicPartition:
    """Return the partition as kafka-python writes it."""
    return TopicPartition(partition.topic, partition.number)


def ours(partition: TopicPartition) -> Partition:
    """Return the partition as we write it."""
    return Partition(partition.topic, partition.partition)


class Committed(NamedTuple):
    """What a group committed for a partition: the offset, and the id of the store behind it (empty: not ours)."""

    offset: int
    store: str


class KafkaGroup:
    """The offsets of one group, written by one store.

    Parameters
    ----------
    kafka
        Names the group.
    store_id
        Id of the store the positions come from.
    """

    def __init__(self, kafka: Kafka, store_id: str) -> None:
        self._name = kafka.group
        self._where = f"Kafka at {kafka.bootstrap_servers}"
        self._store_id = store_id

    def commit(self, consumer: Any, positions: Mapping[Partition, int]) -> None:
        """Commit positions, each with the store's id; raises `ConnectionFailed`."""
        offsets = {theirs(p): OffsetAndMetadata(at, _MARK + self._store_id, -1) for p, at in positions.items()}
        with translated(
            f"{self._where}: committing offsets to group {self._name}, which no other consumer may use "
            "(our positions are safe in the store; only lag tools miss them)"
        ):
            consumer.commit(offsets, timeout_ms=_TIMEOUT_MS)

    def committed(self, consumer: Any, partitions: Sequence[Partition]) -> dict[Partition, Committed]:
        """Return what was committed last for these partitions, by whomever; raises `ConnectionFailed`."""
        found = {}
        with translated(f"{self._where}: reading what group {self._name} has committed"):
            for partition in partitions:
                entry = consumer.committed(theirs(partition), metadata=True, timeout_ms=_TIMEOUT_MS)
                if entry is not None and entry.offset >= 0:
                    metadata = entry.metadata or ""
                    store = metadata.removeprefix(_MARK) if metadata.startswith(_MARK) else ""
                    found[partition] = Committed(entry.offset, store)
        return found

    def refuse_other_store(self, committed: Mapping[Partition, Committed]) -> None:
        """Raise `StoreTaken` where the last commits were made by another store."""
        others = {entry.store for entry in committed.values()} - {"", self._store_id}
        if others:
            raise StoreTaken(
                f"{self._where}: group {self._name} belongs to the store {', '.join(sorted(others))}, not to ours "
                f"({self._store_id}): two daemons would watch the same models with two states. Use that store, or give "
                "this daemon a group of its own (kafka.group); if that store is gone for good, use --takeover"
            )
