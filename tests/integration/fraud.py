"""Simulated fraud traffic in topics of a real broker, a watch on it, and what a plain consumer finds it has said."""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from tests.integration.running import Watch

from anchorwatch.simulate.faults import Fault, FaultKind
from anchorwatch.simulate.traffic import LABELS, FraudTraffic

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from anchorwatch.simulate.traffic import Message

SECOND = 1_000_000_000
BASELINE, DRIFT, EVENTS = 1000, 1500, 3000
"""Predictions of the baseline, the first one that shows the planted drift, and predictions in all."""
MODEL = {
    "predictions": {
        "id": "request_id",
        "time": "ts",
        "version": "model_version",
        "latency": "latency_ms",
        "features": {"amount": "numeric", "hour": "numeric", "country": "category", "device_age": "numeric"},
        "prediction": {"kind": "binary", "score": "p_fraud"},
    },
    "labels": {"id": "request_id", "time": "ts", "value": "is_fraud"},
    "event_time": {"idle_after": "1s"},
    "baseline": {"first": BASELINE},
    "windows": {"size": 250, "min_sample": 100},
    "retrain": {"when": ["drift", "accuracy worse"], "min_labels": 0},
}
OUTPUTS = ("alerts", "retrain", "dead_letters")


def traffic(events: int = EVENTS, *, drift: int | None = DRIFT, spacing: int = SECOND) -> list[Message]:
    """Return predictions and their labels, some hours of them; drift is planted where it is asked for."""
    faults = [] if drift is None else [Fault(kind, drift) for kind in (FaultKind.AMOUNT_DRIFT, FaultKind.CONCEPT_DRIFT)]
    return list(FraudTraffic(7, events, faults, spacing=spacing).messages())


@dataclass(frozen=True)
class Fraud:
    """Two topics on a broker.

    Attributes
    ----------
    bootstrap
        host:port of the broker.
    topics
        Of predictions and labels, and how many partitions each has.
    """

    bootstrap: str
    topics: dict[str, str]
    partitions: dict[str, int]

    @classmethod
    def on(cls, bootstrap: str, *, predictions: int = 2, labels: int = 1, **configs: Any) -> Fraud:
        """Make the topics; records stay however old they are."""
        name = f"fraud-{uuid.uuid4().hex[:8]}"
        log = cls(
            bootstrap,
            {"predictions": f"{name}-predictions", "labels": f"{name}-labels"},
            {"predictions": predictions, "labels": labels},
        )
        wanted = {"retention.ms": "-1"} | {key.replace("_", "."): str(value) for key, value in configs.items()}
        admin = KafkaAdminClient(bootstrap_servers=bootstrap)
        for part, topic in log.topics.items():
            new = {"num_partitions": log.partitions[part], "replication_factor": 1, "configs": wanted}
            admin.create_topics({topic: new})
        admin.wait_for_topics(list(log.topics.values()))
        admin.close()
        return log

    def produce(self, messages: Iterable[Message]) -> int:
        """Write traffic, each key to a partition of its own, and wait until all is there; return how many."""
        records = []
        for message in messages:
            part = "labels" if message.topic == LABELS else "predictions"
            place = int(message.key[-8:]) % self.partitions[part]
            records.append((self.topics[part], place, message.key, message.value))
        return self.write(records)

    def write(self, records: Sequence[tuple[str, int, bytes | None, bytes | None]]) -> int:
        """Write records, each a topic, partition, key and value, and wait until all are there."""
        producer = KafkaProducer(bootstrap_servers=self.bootstrap, linger_ms=20, max_request_size=1 << 22)
        try:
            futures = [producer.send(t, partition=p, key=key, value=value) for t, p, key, value in records]
            for future in futures:
                future.get(timeout=30)
        finally:
            producer.close()
        return len(futures)

    def watch(self, directory: Path, name: str = "a", **kafka: Any) -> Watch:
        """Return a daemon on this log that shares nothing with another; `kafka` are settings of that section."""
        own = f"{self.topics['predictions']}-{name}"
        directory.mkdir(exist_ok=True)
        model = {part: MODEL[part] | {"topic": topic} for part, topic in self.topics.items()}
        settings = {
            "store": str(directory / "anchorwatch.db"),
            "kafka": {"bootstrap_servers": self.bootstrap, "group": own} | kafka,
            "outputs": {part: f"{own}-{part}" for part in OUTPUTS},
            "models": {"fraud": MODEL | model},
        }
        return Watch(directory, settings)


def said(watch: Watch) -> list[dict[str, Any]]:
    """Return the events that a daemon wrote to standard error; what is not JSON is under the key `text`."""
    if not watch.said.exists():
        return []
    lines = watch.said.read_text(encoding="utf-8", errors="replace").splitlines()
    return [json.loads(line) if line.startswith("{") else {"event": None, "text": line} for line in lines]


def accounting(watch: Watch) -> dict[str, int]:
    """Return what became of every record."""
    report = watch.report()
    assert report is not None
    (model,) = report["models"]
    counts: dict[str, int] = model["accounting"]
    return counts


def published(watch: Watch) -> dict[str, list[Any]]:
    """Return all records of the output topics, as a plain consumer gets them."""
    consumer = KafkaConsumer(
        bootstrap_servers=watch.settings["kafka"]["bootstrap_servers"],
        enable_auto_commit=False,
        isolation_level="read_committed",
    )
    try:
        return {part: _all(consumer, topic) for part, topic in watch.settings["outputs"].items()}
    finally:
        consumer.close()


def _all(consumer: Any, topic: str) -> list[Any]:
    places = [TopicPartition(topic, n) for n in sorted(consumer.partitions_for_topic(topic))]
    consumer.assign(places)
    consumer.seek_to_beginning()
    ends, found = consumer.end_offsets(places), []
    while any(consumer.position(place) < ends[place] for place in places):
        for records in consumer.poll(timeout_ms=200).values():
            found += records
    return found
