"""Reading from Kafka: partitions are assigned, never shared out by a group, and positions belong to whoever reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kafka import KafkaConsumer
from kafka.errors import CorruptRecordError, LogTruncationError, OffsetOutOfRangeError, UnsupportedCodecError

from anchorwatch.errors import ConnectionFailed, PositionLost
from anchorwatch.events.records import Partition, Records
from anchorwatch.transport.kafka_columns import as_columns
from anchorwatch.transport.kafka_connection import REQUEST_SECONDS, START_SECONDS, Connection, translated
from anchorwatch.transport.kafka_group import Committed, KafkaGroup, ours, theirs
from anchorwatch.transport.kafka_lost import position_lost, topic_made_anew
from anchorwatch.transport.kafka_parked import take_up_parked

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from anchorwatch.clock import Clock
    from anchorwatch.settings.kafka import Kafka

METADATA_SECONDS = 15.0
"""How often partitions are looked for."""
PROBE_SECONDS = 5.0
"""How long nothing may arrive before we ask the broker whether it is there; less where we are to give up soon."""
PROBE_TIMEOUT = 2.0


class KafkaSource:
    """Reads topics as a consumer that was assigned its partitions.

    No group is joined, so nothing can be taken away while it is worked on. Offsets are committed under the group's name
    all the same, for lag tools, with the store's id beside each, by which a second store on the same group is known.

    Parameters
    ----------
    kafka
        Where and as whom to connect.
    topics
        Topics to read; each must exist.
    clock
        Measures silence.
    store_id
        Id of the store that holds the positions; None reads without a group and commits nothing.
    refresh
        Seconds between two looks for new partitions.
    patience
        Seconds within which a broker must answer at the start.

    Attributes
    ----------
    broken : dict of Partition to str
        Partitions that give nothing any more because what lies at their position cannot be read (a damaged batch, an
        unknown codec), with the reason. The others go on; seeking behind the damage takes a partition out again.

    Raises
    ------
    ConnectionFailed
        No broker answers, it refuses us, or a topic is missing.
    """

    def __init__(
        self,
        kafka: Kafka,
        topics: Collection[str],
        clock: Clock,
        store_id: str | None = None,
        *,
        refresh: float = METADATA_SECONDS,
        patience: float = START_SECONDS,
    ) -> None:
        self._kafka = kafka
        self._topics = tuple(sorted(set(topics)))
        self._refresh, self._patience = refresh, patience
        self._clock = clock
        self._group = None if store_id is None else KafkaGroup(kafka, store_id)
        self._where = f"Kafka at {kafka.bootstrap_servers}"
        self._positions: dict[Partition, int] = {}  # of every assigned partition
        self._sought = False
        self._heard_at = self._probed_at = clock.monotonic()
        self._probe_every = min(PROBE_SECONDS, kafka.unreachable_after / 4e9)
        self.broken: dict[Partition, str] = {}
        self._connect()
        self._connection.require_topics(self._topics)
        self._topic_ids: dict[str, str] = {}

    def _connect(self) -> None:
        # No deserializers: one that raises makes the next poll spin for ever.
        # No reset: "earliest" and "latest" pass over what was lost without a word.
        self._connection = Connection(
            KafkaConsumer,
            self._kafka,
            self._patience,
            group_id=None if self._group is None else self._kafka.group,
            enable_auto_commit=False,
            auto_offset_reset="none",
            isolation_level="read_committed",
            metadata_max_age_ms=round(self._refresh * 1000),
        )
        self._connection.follow(self._topics)
        self._consumer = self._connection.client

    def partitions(self) -> Sequence[Partition]:
        """Return all partitions of the topics, sorted; new ones are found within `refresh` seconds.

        Raises
        ------
        PositionLost
            A topic was deleted and created again: its offsets mean something else now.
        """
        heard = (Partition(t, n) for t in self._topics for n in self._connection.known_partitions(t))
        found = sorted({*heard, *self._positions})
        for topic in self._topics:
            now = self._connection.topic_id(topic)
            before = self._topic_ids.setdefault(topic, now) if now else ""
            if before != now and now:
                raise topic_made_anew(topic)
        if self._sought:
            self._take_in([p for p in found if p not in self._positions])
        return found

    def _take_in(self, new: Sequence[Partition]) -> None:
        """Read partitions that have appeared from their beginning."""
        if new:
            begins = self.bounds(new)[0]
            self._assign({**self._positions, **begins})

    def seek(self, positions: Mapping[Partition, int]) -> None:
        """Read on from these offsets; a partition that is not named is read from its beginning.

        Raises
        ------
        PositionLost
            The log of a partition does not hold its position: retention took it, or the log was truncated.
        """
        wanted = self.partitions()
        gone = sorted(set(positions) - set(wanted))
        if gone:
            raise PositionLost(
                f"{self._where} has no partition {', '.join(map(str, gone))} any more: was a topic deleted?"
            )
        begins, ends = self.bounds(wanted)
        lost = [p for p, at in positions.items() if not begins[p] <= at <= ends[p]]
        if lost:
            raise position_lost({p: positions[p] for p in lost}, begins, ends)
        self._assign({**begins, **positions})
        self._sought = True

    def bounds(self, partitions: Sequence[Partition]) -> tuple[dict[Partition, int], dict[Partition, int]]:
        """Return the first offset of each partition, and the one after its last; raises `ConnectionFailed`."""
        asked = [theirs(p) for p in partitions]
        with translated(f"{self._where}: asking for the bounds of {', '.join(map(str, partitions))}"):
            begins = self._consumer.beginning_offsets(asked, timeout_ms=round(REQUEST_SECONDS * 1000))
            ends = self._consumer.end_offsets(asked, timeout_ms=round(REQUEST_SECONDS * 1000))
        self._heard()
        return {ours(p): at for p, at in begins.items()}, {ours(p): at for p, at in ends.items()}

    def offsets_at(self, partitions: Sequence[Partition], time: int) -> dict[Partition, int]:
        """Return the first offset whose record is not older than `time` (ns), for each partition that has one."""
        with translated(f"{self._where}: looking for the records of a time"):
            asked = {theirs(p): time // 1_000_000 for p in partitions}
            found = self._consumer.offsets_for_times(asked, timeout_ms=round(REQUEST_SECONDS * 1000))
        return {ours(p): at.offset for p, at in found.items() if at is not None}

    def _assign(self, positions: Mapping[Partition, int]) -> None:
        self._consumer.assign([theirs(p) for p in positions])
        for partition, at in positions.items():
            if self._positions.get(partition) != at or partition in self.broken:
                self._consumer.seek(theirs(partition), at)
                self.broken.pop(partition, None)
        self._positions = dict(positions)

    def poll(self, limit: int, timeout: float, paused: Collection[Partition] = ()) -> Sequence[Records]:
        """Return up to `limit` records, waiting at most `timeout` seconds for the first.

        Raises
        ------
        PositionLost
            The log no longer holds a position.
        ConnectionFailed
            The broker refuses us; that it is silent raises nothing, see `silent_for`.
        """
        if not self._sought:
            self.seek({})
        self._pause({*paused, *self.broken})
        try:
            with translated(f"{self._where}: reading"):
                polled = self._poll(limit, timeout)
        except ConnectionFailed as error:
            if isinstance(error.__cause__, OffsetOutOfRangeError | LogTruncationError):
                raise self._lost() from error
            if isinstance(error.__cause__, CorruptRecordError | UnsupportedCodecError):
                self._set_broken_aside()
                return []
            raise
        if polled:
            self._heard()
        else:
            self._probe()
        self._positions |= {ours(p): records[-1].offset + 1 for p, records in polled.items()}
        return [as_columns(ours(p), records) for p, records in polled.items()]

    def _poll(self, limit: int, timeout: float) -> Mapping[Any, Any]:
        take_up_parked(self._consumer)
        polled: Mapping[Any, Any] = self._consumer.poll(timeout_ms=round(timeout * 1000), max_records=limit)
        return polled

    def _pause(self, wanted: set[Partition]) -> None:
        now, known = {ours(p) for p in self._consumer.paused()}, wanted & set(self._positions)
        self._consumer.pause(*[theirs(p) for p in known - now])
        self._consumer.resume(*[theirs(p) for p in now - known])

    def _lost(self) -> PositionLost:
        """Return the error for the positions that the log does not hold."""
        begins, ends = self.bounds(list(self._positions))
        lost = {p: at for p, at in self._positions.items() if not begins[p] <= at <= ends[p]}
        return position_lost(lost, begins, ends)

    def _set_broken_aside(self) -> None:
        """Find the partitions that cannot be read on; a consumer that met one never returns from its next poll."""
        _, ends = self.bounds(list(self._positions))
        suspects = [p for p, at in self._positions.items() if at < ends[p] and p not in self.broken]
        self._rebuild()
        for suspect in suspects:
            self._pause(set(self._positions) - {suspect})
            try:
                self._poll(1, PROBE_TIMEOUT)
            except (CorruptRecordError, UnsupportedCodecError) as error:
                self.broken[suspect] = f"{suspect} cannot be read from offset {self._positions[suspect]} on: {error}"
                self._rebuild()
            else:
                self._consumer.seek(theirs(suspect), self._positions[suspect])

    def _rebuild(self) -> None:
        self._consumer.close(timeout_ms=0)
        self._connect()
        self._consumer.assign([theirs(p) for p in self._positions])
        for partition, at in self._positions.items():
            self._consumer.seek(theirs(partition), at)

    def position(self, partition: Partition) -> int:
        """Return the offset that is read next, transaction marks and compacted records passed over."""
        at: int | None = self._consumer.position(theirs(partition), timeout_ms=round(PROBE_TIMEOUT * 1000))
        return self._positions[partition] if at is None else at

    def silent_for(self) -> float:
        """Return the seconds since the broker was last heard of; kafka-python tells nobody when it is gone."""
        return self._clock.monotonic() - self._heard_at

    def _heard(self) -> None:
        self._heard_at = self._probed_at = self._clock.monotonic()

    def _probe(self) -> None:
        """Where nothing has arrived for a while, ask every partition's leader for something it must know."""
        if not self._positions or self._clock.monotonic() - self._probed_at < self._probe_every:
            return
        self._probed_at = self._clock.monotonic()
        try:
            with translated(f"{self._where}: asking whether it is there"):
                self._consumer.end_offsets([theirs(p) for p in self._positions], timeout_ms=round(PROBE_TIMEOUT * 1000))
        except ConnectionFailed:
            return  # what it means is told by silent_for
        self._heard()

    def ended(self) -> Collection[Partition]:
        """Return nothing: a topic never ends."""
        return ()

    def caught_up(self) -> Collection[Partition]:
        """Return the partitions that are read to the end of the log as the broker last told it."""
        ends = {p: self._consumer.highwater(theirs(p)) for p in self._positions}
        return {p for p, end in ends.items() if end is not None and self.position(p) >= end}

    def commit(self, positions: Mapping[Partition, int]) -> None:
        """Commit positions to the group as a hint for lag tools, with the store's id beside each.

        Raises
        ------
        ConnectionFailed
            The commit failed: the broker is silent, or somebody else has subscribed with our group. Nothing is lost by
            it, the store is the truth: count it, alert where it lasts, and go on.
        """
        if self._group is not None and positions:
            self._group.commit(self._consumer, positions)
            self._heard()

    def committed(self) -> dict[Partition, Committed]:
        """Return what the group has committed for our partitions; raises `ConnectionFailed`."""
        return {} if self._group is None else self._group.committed(self._consumer, self.partitions())

    def check_store(self) -> None:
        """Refuse to work beside another store under the same group name: raises `StoreTaken` naming it."""
        if self._group is not None:
            self._group.refuse_other_store(self.committed())

    def close(self) -> None:
        """Close the connection; may be called twice."""
        self._consumer.close(timeout_ms=1000)
