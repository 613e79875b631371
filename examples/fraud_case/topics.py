"""The topics of one run on a broker: making them, writing to them, reading all that they hold."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition

if TYPE_CHECKING:
    from collections.abc import Iterable

PARTS = ("predictions", "labels", "retrain-status", "alerts", "retrain", "dead-letters")
"""The topics, each named `RUN.PART`; they have one partition each."""


@dataclass
class Topics:
    """The topics of one run.

    Attributes
    ----------
    bootstrap
        host:port of the broker.
    run
        What the names of all topics begin with.
    written
        How many records were written to each part by us.
    """

    bootstrap: str
    run: str = field(default_factory=lambda: f"fraud-{uuid.uuid4().hex[:8]}")
    written: dict[str, int] = field(default_factory=lambda: dict.fromkeys(PARTS, 0))

    def name(self, part: str) -> str:
        """Return the name of a topic."""
        return f"{self.run}.{part}"

    def create(self) -> None:
        """Make all topics. The simulated events lie in the past, so nothing may be too old to be kept."""
        wanted = {"num_partitions": 1, "replication_factor": 1, "configs": {"retention.ms": "-1"}}
        admin = KafkaAdminClient(bootstrap_servers=self.bootstrap)
        admin.create_topics({self.name(part): wanted for part in PARTS})
        admin.wait_for_topics([self.name(part) for part in PARTS])
        admin.close()

    def write(self, records: Iterable[tuple[str, bytes, bytes, int]]) -> None:
        """Write records, each a part, key, value and time in ms since the epoch; return when the broker has them."""
        producer = KafkaProducer(bootstrap_servers=self.bootstrap, linger_ms=20)
        try:
            futures = []
            for part, key, value, time in records:
                futures.append(producer.send(self.name(part), value, key=key, timestamp_ms=time))
                self.written[part] += 1
            for future in futures:
                future.get(timeout=30)
        finally:
            producer.close()

    def read(self, part: str, since: int | None = None) -> list[dict[str, Any]]:
        """Return all messages of a topic that are there now; `since`: only those not older, ms since the epoch."""
        consumer = KafkaConsumer(bootstrap_servers=self.bootstrap, enable_auto_commit=False)
        place = TopicPartition(self.name(part), 0)
        try:
            consumer.assign([place])
            end = consumer.end_offsets([place])[place]
            found = None if since is None else consumer.offsets_for_times({place: since})[place]
            consumer.seek(place, 0 if since is None else end if found is None else found.offset)
            messages = []
            while consumer.position(place) < end:
                for records in consumer.poll(timeout_ms=200).values():
                    messages += [json.loads(record.value) for record in records]
            return messages
        finally:
            consumer.close()
