"""The credit-card rows in the topics of a broker, and daemons that read them."""

from __future__ import annotations

import json
from dataclasses import dataclass

from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from tests.integration.credit_card import CATEGORIES, NUMERIC
from tests.integration.running import Watch

PARTITIONS = {"predictions": 3, "labels": 2}
POISON = (
    b"{not json",
    b"",
    b"\xff\xfe\x00",
    b"[1, 2]",
    b'{"id": "without a time"}',
    b'{"timestamp": "2020-06-01 00:00:00", "ts": "2020-06-01 00:00:00", "y": "without an id"}',
    b'{"id": "at no time", "timestamp": "soon", "ts": "soon", "y": "x"}',
)
"""Payloads that cannot be used, neither as a prediction nor as a label."""
EVERY = 4999  # rows between two of them
MODEL = {
    "predictions": {
        "id": "id",
        "time": "timestamp",
        "features": dict.fromkeys(NUMERIC, "numeric") | dict.fromkeys(CATEGORIES, "category"),
        "prediction": {"kind": "multiclass", "class": "y_pred"},
    },
    "labels": {"id": "id", "time": "ts", "value": "y"},
    "event_time": {"idle_after": "3s"},
    "baseline": {"first": 10_000},
    "retrain": {"when": "accuracy worse"},
}


@dataclass(frozen=True)
class Log:
    """What lies in the topics."""

    bootstrap: str
    topics: dict[str, str]
    ends: dict[TopicPartition, int]
    unusable: int

    @property
    def records(self):
        return sum(self.ends.values())

    def watch(self, directory, name):
        """Return a daemon on this log that shares nothing with another."""
        own = f"{self.topics['predictions']}-{name}"
        model = {part: MODEL[part] | {"topic": topic} for part, topic in self.topics.items()}
        settings = {
            "store": str(directory / "anchorwatch.db"),
            "kafka": {"bootstrap_servers": self.bootstrap, "group": own},
            "outputs": {part: f"{own}-{part}" for part in ("alerts", "retrain", "dead_letters")},
            "models": {"mc": MODEL | model},
        }
        return Watch(directory, settings)

    def read(self, watch, part):
        """Return all records of an output topic, as a plain consumer gets them."""
        consumer = KafkaConsumer(bootstrap_servers=self.bootstrap, enable_auto_commit=False)
        topic = watch.settings["outputs"][part]
        try:
            places = [TopicPartition(topic, n) for n in consumer.partitions_for_topic(topic)]
            consumer.assign(places)
            consumer.seek_to_beginning()
            ends, found = consumer.end_offsets(places), []
            while any(consumer.position(place) < ends[place] for place in places):
                for records in consumer.poll(timeout_ms=200).values():
                    found += records
            return found
        finally:
            consumer.close()


def produced(bootstrap, topics, card):
    """Produce everything and return where each partition ends, by what the broker acknowledged."""
    fast = {"compression_type": "lz4", "linger_ms": 50, "batch_size": 1 << 18}
    producer, futures, ends = KafkaProducer(bootstrap_servers=bootstrap, **fast), [], {}
    try:
        for i, (prediction, label, time) in enumerate(zip(card.predictions, card.labels, card.times, strict=True)):
            place = {"key": prediction["id"].encode(), "timestamp_ms": round(time.timestamp() * 1000)}
            for part, row in (("predictions", prediction), ("labels", label)):
                values = [json.dumps(row).encode()]
                values += [POISON[i // EVERY % len(POISON)], None] if i % EVERY == 0 else []
                futures += [producer.send(topics[part], value, **place) for value in values]
        for future in futures:
            written = future.get(timeout=60)
            place = TopicPartition(written.topic, written.partition)
            ends[place] = max(ends.get(place, 0), written.offset + 1)
        assert sum(ends.values()) == len(futures)
        return ends
    finally:
        producer.close()
