"""Events a second from a real broker into a store on disk, beside the naive loop with `for message in consumer`."""

from __future__ import annotations

import os
import tempfile
import uuid
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.logs import simulated
from benchmarks.measurement import alternate, rates
from benchmarks.naive import Naive
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from tests.integration.broker import Broker

from anchorwatch.app import models_of, topics_of
from anchorwatch.clock import SystemClock
from anchorwatch.host import Host, Parts
from anchorwatch.settings.kafka import Kafka
from anchorwatch.store.store import Store
from anchorwatch.transport.kafka import KafkaSource
from anchorwatch.transport.nowhere import Nowhere

if TYPE_CHECKING:
    from benchmarks.logs import Log
    from benchmarks.measurement import Measurement

ROUNDS = 3
PREDICTIONS = 60_000
PATIENCE = 60
"""Turns of half a second without a record, after which something is wrong."""


def measure() -> list[Measurement]:
    """Measure on the broker that ANCHORWATCH_TEST_KAFKA names, else on one of our own."""
    with ExitStack() as parts:
        directory = Path(parts.enter_context(tempfile.TemporaryDirectory()))
        servers = os.environ.get("ANCHORWATCH_TEST_KAFKA")
        if servers is None:
            servers = parts.enter_context(Broker(directory / "kafka")).bootstrap_servers
        log = simulated(directory, PREDICTIONS, prefix=f"benchmark-{uuid.uuid4().hex[:8]}-")
        parts.callback(delete, servers, log)
        produce(servers, log)
        ours(servers, log, directory)  # warms the code up, and the broker's page cache
        seconds = alternate(ROUNDS, lambda: ours(servers, log, directory), lambda: theirs(servers, log))
        return [rates(f"Kafka to store, {log.name}", log.events, "naive loop", seconds)]


def produce(servers: str, log: Log) -> None:
    """Write a log to new topics of one partition each."""
    admin = KafkaAdminClient(bootstrap_servers=servers)
    producer = KafkaProducer(bootstrap_servers=servers, linger_ms=20, compression_type="lz4")
    try:
        admin.create_topics({topic: {"num_partitions": 1, "replication_factor": 1} for topic in log.paths})
        admin.wait_for_topics(list(log.paths))
        sent = [producer.send(topic, value) for topic in log.paths for value in log.lines(topic)]
        producer.flush()
        for each in sent:
            each.get(timeout=30)
    finally:
        producer.close()
        admin.close()


def delete(servers: str, log: Log) -> None:
    """Delete the topics of a log."""
    admin = KafkaAdminClient(bootstrap_servers=servers)
    try:
        admin.delete_topics(list(log.paths))
    finally:
        admin.close()


def ours(servers: str, log: Log, directory: Path) -> Host:
    """Read both topics with the daemon's host into a store of its own, checkpoints included."""
    clock = SystemClock()
    topics = frozenset[str]().union(*(topics_of(model) for model in log.settings.models.values()))
    with tempfile.TemporaryDirectory(dir=directory) as place, ExitStack() as parts:
        store = Store.open(Path(place) / "anchorwatch.db", holder="a benchmark", now=clock.now())
        parts.callback(store.close)
        source = KafkaSource(Kafka(bootstrap_servers=servers), topics, clock)
        parts.callback(source.close)
        models = models_of(log.settings, store)
        host = Host(models, Parts(source, Nowhere(), store, clock), log.settings.source, log.settings.outputs)
        host.start()
        nothing = 0
        while host.read < log.events:
            nothing = 0 if host.turn(0.5) else nothing + 1
            if nothing > PATIENCE:
                raise RuntimeError(f"Kafka gives nothing more after {host.read} of {log.events} events")
        host.checkpoint()
        return host


def theirs(servers: str, log: Log) -> Naive:
    """Read both topics message by message."""
    naive = Naive(log.job)
    consumer = KafkaConsumer(bootstrap_servers=servers, enable_auto_commit=False)
    try:
        partitions = [TopicPartition(topic, 0) for topic in log.paths]
        consumer.assign(partitions)
        consumer.seek_to_beginning()
        left = log.events
        for message in consumer:
            if message.topic == log.predictions:
                naive.prediction(message.value)
            else:
                naive.label(message.value)
            left -= 1
            if not left:
                break
        return naive
    finally:
        consumer.close()
