"""A part of a topic's past, from one place to another: what a replay reads."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from anchorwatch.transport.kafka import KafkaSource

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from anchorwatch.clock import Clock
    from anchorwatch.events.records import Partition, Records
    from anchorwatch.settings.kafka import Kafka


class KafkaRange:
    """Reads topics from a start to a stop, then has ended; no group is used and nothing is committed.

    Parameters
    ----------
    kafka, topics, clock
        As for `KafkaSource`.
    start
        First record: a time in ns since the epoch (the first record that is not older), or an offset for all
        partitions with `by_offset`; None: the beginning of each partition.
    stop
        First record that is not read any more, in the same way; None: the end of each partition as it is now.
    by_offset
        Whether `start` and `stop` are offsets.

    Raises
    ------
    ConnectionFailed
        As for `KafkaSource`.
    """

    def __init__(
        self,
        kafka: Kafka,
        topics: Collection[str],
        clock: Clock,
        *,
        start: int | None = None,
        stop: int | None = None,
        by_offset: bool = False,
    ) -> None:
        self._source = KafkaSource(kafka, topics, clock)
        self._partitions = tuple(self._source.partitions())
        begins, ends = self._source.bounds(self._partitions)
        place = self._by_offset if by_offset else self._by_time
        self._starts = begins if start is None else place(start, begins, ends)
        self._stops = ends if stop is None else place(stop, begins, ends)
        self._at = dict(self._starts)
        self._source.seek(self._starts)

    @staticmethod
    def _by_offset(offset: int, begins: Mapping[Partition, int], ends: Mapping[Partition, int]) -> dict[Partition, int]:
        return {p: min(max(offset, begins[p]), ends[p]) for p in begins}

    def _by_time(
        self, time: int, begins: Mapping[Partition, int], ends: Mapping[Partition, int]
    ) -> dict[Partition, int]:
        """Return where the records of a time begin in each partition; the end where there are none."""
        found = self._source.offsets_at(list(begins), time)
        return {p: min(found.get(p, ends[p]), ends[p]) for p in begins}

    def partitions(self) -> Sequence[Partition]:
        """Return the partitions there were at the start."""
        return self._partitions

    def seek(self, positions: Mapping[Partition, int]) -> None:
        """Read on from these offsets; a partition that is not named is read from its start."""
        self._at = {**self._starts, **positions}
        self._source.seek(self._at)

    def poll(self, limit: int, timeout: float, paused: Collection[Partition] = ()) -> Sequence[Records]:
        """Return up to `limit` records before the stop, waiting at most `timeout` seconds for the first."""
        found = self._source.poll(limit, timeout, {*paused, *self.ended()})
        for partition in self._partitions:
            self._at[partition] = self._source.position(partition)
        kept = [self._cut(records) for records in found]
        return [records for records in kept if records.values]

    def _cut(self, records: Records) -> Records:
        stop = self._stops[records.partition]
        if records.offsets[-1] < stop:
            return records
        n = sum(1 for offset in records.offsets if offset < stop)
        return replace(
            records,
            offsets=records.offsets[:n],
            timestamps=records.timestamps[:n],
            values=records.values[:n],
            keys=records.keys[:n],
            headers=records.headers[:n],
        )

    def ended(self) -> Collection[Partition]:
        """Return the partitions that are read up to their stop."""
        return {p for p in self._partitions if self._at[p] >= self._stops[p]}

    def caught_up(self) -> Collection[Partition]:
        """Return the partitions that are read up to their stop."""
        return self.ended()

    def progress(self) -> tuple[int, int]:
        """Return how many offsets are read, and how many there are from start to stop."""
        done = sum(min(self._at[p], self._stops[p]) - self._starts[p] for p in self._partitions)
        return done, sum(max(0, self._stops[p] - self._starts[p]) for p in self._partitions)

    def silent_for(self) -> float:
        """Return the seconds since the broker was last heard of."""
        return self._source.silent_for()

    def commit(self, positions: Mapping[Partition, int]) -> None:
        """Do nothing: a replay leaves no trace on the broker."""

    def close(self) -> None:
        """Close the connection; may be called twice."""
        self._source.close()
