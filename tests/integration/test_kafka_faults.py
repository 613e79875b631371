"""What happens to the transport when the broker does something bad."""

import time

import pytest
from kafka import KafkaAdminClient, KafkaProducer

from anchorwatch.clock import SystemClock
from anchorwatch.errors import ConnectionFailed
from anchorwatch.events.records import Outgoing, Partition
from anchorwatch.settings.kafka import Kafka
from anchorwatch.testing import ManualClock
from anchorwatch.transport.kafka import PROBE_SECONDS, KafkaSource
from anchorwatch.transport.kafka_sink import KafkaSink


@pytest.fixture
def topic(started_broker, prefix):
    """Make a topic with two partitions on the broker that may be mistreated."""
    admin = KafkaAdminClient(bootstrap_servers=started_broker.bootstrap_servers)
    admin.create_topics({prefix: {"num_partitions": 2, "replication_factor": 1}})
    admin.wait_for_topics([prefix])
    admin.close()
    return prefix


@pytest.fixture
def settings(started_broker):
    return Kafka(bootstrap_servers=started_broker.bootstrap_servers)


def write(settings, topic, partition, *values):
    producer = KafkaProducer(bootstrap_servers=settings.bootstrap_servers)
    for value in values:
        producer.send(topic, value, partition=partition).get(timeout=20)
    producer.close()


def read(source, count, seconds=30.0):
    values, end = [], time.monotonic() + seconds
    while len(values) < count and time.monotonic() < end:
        values += [v for r in source.poll(100, 0.5) for v in r.values]
    return values


def test_failure_23_a_damaged_batch_stops_its_partition_alone_and_says_where(started_broker, settings, topic):
    write(settings, topic, 0, b"good", b"to-be-damaged", b"behind")
    (segment,) = (started_broker.directory / "data" / f"{topic}-0").glob("*.log")
    with segment.open("r+b") as file:
        file.seek(segment.read_bytes().index(b"to-be-damaged"))
        file.write(b"XX")
    source = KafkaSource(settings, [topic], SystemClock())
    assert read(source, 1) == [b"good"]
    write(settings, topic, 1, b"other partition")
    assert read(source, 1) == [b"other partition"]
    end = time.monotonic() + 10
    while not source.broken and time.monotonic() < end:
        source.poll(10, 0.2)
    assert list(source.broken) == [Partition(topic, 0)]
    assert "from offset 1 on" in source.broken[Partition(topic, 0)]
    source.seek({Partition(topic, 0): 2, Partition(topic, 1): 1})
    assert (read(source, 1), source.broken) == ([b"behind"], {})
    source.close()


def test_failure_16_a_broker_that_hangs_is_known_by_its_silence_and_heard_again(started_broker, settings, topic):
    clock = ManualClock()
    source = KafkaSource(settings, [topic], clock)
    source.poll(10, 0.1)
    clock.sleep(PROBE_SECONDS)
    source.poll(10, 0.1)
    assert source.silent_for() == 0, "nothing arrives, but the broker answers"
    started_broker.freeze()
    try:
        clock.sleep(100.0)
        assert source.poll(10, 0.1) == []
        assert source.silent_for() == 100
    finally:
        started_broker.thaw()
    clock.sleep(PROBE_SECONDS)
    source.poll(10, 0.1)
    assert source.silent_for() == 0
    source.close()


def test_failure_15_a_broker_that_was_killed_comes_back_and_nothing_is_lost(started_broker, settings, topic):
    source = KafkaSource(settings, [topic], SystemClock(), "store")
    sink = KafkaSink(settings, SystemClock(), deadline=3.0)
    sink.send([Outgoing("1", topic, None, b"before")])
    assert read(source, 1) == [b"before"]
    started_broker.kill()
    assert source.poll(10, 0.2) == []
    with pytest.raises(ConnectionFailed, match="writing 2"):
        sink.send([Outgoing("2", topic, None, b"lost")])
    started_broker.start()
    end = time.monotonic() + 30
    while True:
        try:
            sink.send([Outgoing("3", topic, None, b"after")])
        except ConnectionFailed:
            assert time.monotonic() < end
        else:
            break
    values = read(source, 1)
    while b"after" not in values:
        assert time.monotonic() < end
        values += read(source, 1)
    source.commit({Partition(topic, 0): 1})
    source.close()
    sink.close()
