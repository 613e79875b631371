"""Reading from and writing to a real Kafka broker."""

import select
import subprocess
import sys
import time
from contextlib import contextmanager

import kafka
import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import KafkaTimeoutError, OffsetOutOfRangeError

from anchorwatch.clock import SystemClock
from anchorwatch.errors import ConnectionFailed, PositionLost, StoreTaken
from anchorwatch.events.records import Outgoing, Partition
from anchorwatch.settings.kafka import Kafka
from anchorwatch.transport.kafka import KafkaSource
from anchorwatch.transport.kafka_range import KafkaRange
from anchorwatch.transport.kafka_sink import LARGEST, KafkaSink


@pytest.fixture
def settings(bootstrap, prefix):
    return Kafka(bootstrap_servers=bootstrap, group=f"{prefix}-group")


@pytest.fixture
def opened():
    """Close whatever a test has opened."""
    clients = []

    def keep(client):
        clients.append(client)
        return client

    yield keep
    for client in clients:
        client.close()


@pytest.fixture
def open_source(settings, opened):
    return lambda *topics, store_id="store-1", **more: opened(
        KafkaSource(settings, topics, SystemClock(), store_id, **more)
    )


@pytest.fixture
def open_range(settings, opened):
    return lambda topic, **bounds: opened(KafkaRange(settings, [topic], SystemClock(), **bounds))


@pytest.fixture
def sink(settings, opened):
    return opened(KafkaSink(settings, SystemClock()))


def drain(source, count, paused=(), seconds=20.0):
    """Return (partition number, offset, value) of `count` records, in the order they came."""
    found, end = [], time.monotonic() + seconds
    while len(found) < count:
        assert time.monotonic() < end, f"{len(found)} of {count} records after {seconds} s: {found[-3:]}"
        for r in source.poll(5000, 0.5, paused):
            found += [(r.partition.number, o, v) for o, v in zip(r.offsets, r.values, strict=True)]
    assert len(found) == count
    return found


def message(topic, value=b"v", ident="id-1", **more):
    return Outgoing(id=ident, topic=topic, key=more.get("key"), value=value, headers=more.get("headers", ()))


SUBSCRIBER = """
import sys
from kafka import KafkaConsumer
consumer = KafkaConsumer(sys.argv[2], bootstrap_servers=sys.argv[1], group_id=sys.argv[3])
while not consumer.assignment():
    consumer.poll(timeout_ms=100)
print("joined", flush=True)
while True:
    consumer.poll(timeout_ms=100)
"""


@contextmanager
def subscribed(bootstrap, topic, group):
    """Have another process be a member of a group; begun anew where kafka-python never hears of its coordinator."""
    command = [sys.executable, "-c", SUBSCRIBER, bootstrap, topic, group]
    for _ in range(3):
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as member:
            try:
                if select.select([member.stdout], [], [], 40.0)[0]:
                    assert member.stdout.readline() == b"joined\n"
                    yield
                    return
            finally:
                member.kill()
    raise AssertionError("no other process could join the group")


# Records


def test_a_record_arrives_with_its_key_headers_and_time(make_topic, open_source, produce):
    topic = make_topic()
    produce(topic, [b"x"], key=b"k", headers=[("h", b"1"), ("h", b"2")], timestamp_ms=1_700_000_000_123)
    produce(topic, [None], key=b"k", timestamp_ms=1_700_000_000_124)
    source, polled = open_source(topic), []
    while sum(len(r.values) for r in polled) < 2:
        polled += source.poll(10, 0.5)
    assert [v for r in polled for v in r.values] == [b"x", None]
    assert [k for r in polled for k in r.keys] == [b"k", b"k"]
    assert polled[0].headers[0] == (("h", b"1"), ("h", b"2"))
    assert [t for r in polled for t in r.timestamps] == [1_700_000_000_123_000_000, 1_700_000_000_124_000_000]


def test_keys_and_headers_are_empty_where_no_record_has_one(make_topic, open_source, produce):
    topic = make_topic()
    produce(topic, [b"x"])
    source = open_source(topic)
    while not (polled := source.poll(10, 0.5)):
        pass
    assert (polled[0].keys, polled[0].headers) == ((), ())


@pytest.mark.parametrize("codec", [None, "gzip", "snappy", "lz4", "zstd"])
def test_every_codec_is_read(codec, bootstrap, make_topic, open_source, opened):
    topic = make_topic()
    values = [b"%d %s" % (i, b"x" * 100) for i in range(300)]
    producer = opened(KafkaProducer(bootstrap_servers=bootstrap, compression_type=codec, linger_ms=50))
    for value in values:
        producer.send(topic, value)
    producer.flush()
    assert [v for _, _, v in drain(open_source(topic), 300)] == values


def test_records_of_an_aborted_transaction_are_not_seen(bootstrap, make_topic, open_source, opened, prefix):
    topic = make_topic()
    producer = opened(KafkaProducer(bootstrap_servers=bootstrap, transactional_id=f"{prefix}-t"))
    producer.init_transactions()
    for value, end in ((b"no", producer.abort_transaction), (b"yes", producer.commit_transaction)):
        producer.begin_transaction()
        producer.send(topic, value).get(timeout=10)
        end()
    source = open_source(topic)
    assert drain(source, 1) == [(0, 2, b"yes")]
    assert source.poll(10, 0.5) == []
    assert source.position(Partition(topic, 0)) == 4, "the marks of the transactions are passed over"


# Positions


def test_reading_goes_on_from_the_positions_and_others_from_their_beginning(make_topic, open_source, produce):
    topic = make_topic(partitions=2)
    produce(topic, [b"0", b"1", b"2"], partition=0)
    produce(topic, [b"a"], partition=1)
    source = open_source(topic)
    source.seek({Partition(topic, 0): 2})
    assert sorted(drain(source, 2)) == [(0, 2, b"2"), (1, 0, b"a")]
    source.seek({Partition(topic, 0): 1, Partition(topic, 1): 1})
    assert drain(source, 2) == [(0, 1, b"1"), (0, 2, b"2")]


def test_seeking_back_after_reading_gives_the_same_again(make_topic, open_source, produce):
    topic = make_topic()
    produce(topic, [b"0", b"1"])
    source = open_source(topic)
    first = drain(source, 2)
    source.seek({})
    assert drain(source, 2) == first


def test_nothing_is_read_from_a_paused_partition_and_nothing_of_it_is_lost(make_topic, open_source, produce):
    topic = make_topic(partitions=2)
    for number in (0, 1):
        produce(topic, [b"0", b"1"], partition=number)
    source, paused = open_source(topic), [Partition(topic, 0)]
    assert {number for number, _, _ in drain(source, 2, paused)} == {1}
    assert source.poll(10, 0.3, paused) == []
    assert drain(source, 2) == [(0, 0, b"0"), (0, 1, b"1")]


def test_a_partition_that_was_held_back_goes_on_when_the_other_one_is_read_to_its_end(make_topic, open_source, produce):
    """kafka-python parks what it has read of a paused partition, and may never take it up again by itself."""
    topic = make_topic(partitions=2)
    for number in (0, 1):
        produce(topic, [b"%d" % i for i in range(200)], partition=number)
    source = open_source(topic)
    held, other = Partition(topic, 0), Partition(topic, 1)
    (first,) = source.poll(50, 10.0, [other])
    drain(source, 200, paused=[held])
    read = len(first.offsets)
    assert [offset for _, offset, _ in drain(source, 200 - read, paused=[other])] == list(range(read, 200))


def test_failure_20_partitions_added_while_running_are_read_from_their_beginning(
    admin, bootstrap, make_topic, open_source, opened, produce
):
    topic = make_topic()
    source = open_source(topic, refresh=0.3)
    produce(topic, [b"old"], partition=0)
    assert drain(source, 1) == [(0, 0, b"old")]
    admin.create_partitions({topic: 2})
    admin.wait_for_topics([topic])
    opened(late := KafkaProducer(bootstrap_servers=bootstrap))  # it knows of the second partition from the start
    late.send(topic, b"new", partition=1).get(timeout=10)
    end = time.monotonic() + 20
    while len(source.partitions()) < 2:
        assert time.monotonic() < end
        assert source.poll(10, 0.1) == []
    assert drain(source, 1) == [(1, 0, b"new")]


@pytest.mark.parametrize("position", [0, 9])
def test_failure_17_18_a_position_the_log_does_not_hold_is_lost_and_never_passed_over(
    position, admin, make_topic, open_source, produce
):
    topic = make_topic()
    produce(topic, [b"0", b"1", b"2"])
    admin.delete_records({TopicPartition(topic, 0): 2})
    reason = "records 0 to 1 were removed by retention" if position == 0 else "we stand at 9, but the log ends at 3"
    with pytest.raises(PositionLost, match=reason):
        open_source(topic).seek({Partition(topic, 0): position})


def test_failure_18_a_position_lost_while_reading_is_told_and_reading_goes_on_where_told(
    admin, make_topic, open_source, produce
):
    topic = make_topic()
    produce(topic, [b"0"])
    source = open_source(topic)
    source.seek({Partition(topic, 0): 1})
    produce(topic, [b"1", b"2", b"3"])
    admin.delete_records({TopicPartition(topic, 0): 3})
    with pytest.raises(PositionLost, match="records 1 to 2 were removed by retention before we read them"):
        drain(source, 1)
    source.seek({Partition(topic, 0): 3})
    assert drain(source, 1) == [(0, 3, b"3")]


def test_failure_19_a_topic_that_is_created_again_is_seen(admin, make_topic, open_source):
    topic = make_topic()
    source = open_source(topic, refresh=0.3)
    source.seek({})
    source.partitions()
    admin.delete_topics([topic])
    while topic in admin.list_topics():
        time.sleep(0.05)
    admin.create_topics({topic: {"num_partitions": 1, "replication_factor": 1}})
    end = time.monotonic() + 15

    def watch():
        while time.monotonic() < end:
            source.partitions()
            time.sleep(0.1)

    with pytest.raises(PositionLost, match="deleted and created again"):
        watch()


# The group


def test_positions_are_committed_with_the_store_and_the_group_stays_without_members(
    admin, make_topic, open_source, produce, settings
):
    topic = make_topic()
    produce(topic, [b"0", b"1"])
    source = open_source(topic)
    drain(source, 2)
    source.commit({Partition(topic, 0): 2})
    assert source.committed() == {Partition(topic, 0): (2, "store-1")}
    group = admin.describe_groups([settings.group])
    assert "Empty" in str(group), group
    assert KafkaSource.ended(source) == ()


def test_failure_9_a_second_store_on_the_same_group_is_refused_naming_the_first(make_topic, open_source):
    topic = make_topic()
    first = open_source(topic)
    first.check_store()
    first.commit({Partition(topic, 0): 0})
    first.check_store()
    with pytest.raises(StoreTaken, match=r"belongs to the store store-1, not to ours \(store-2\)"):
        open_source(topic, store_id="store-2").check_store()


def test_failure_10_a_commit_fails_visibly_where_somebody_subscribes_with_our_group(
    bootstrap, make_topic, open_source, produce, settings
):
    topic = make_topic()
    produce(topic, [b"0"])
    source = open_source(topic)
    drain(source, 1)
    with (
        subscribed(bootstrap, topic, settings.group),
        pytest.raises(ConnectionFailed, match=f"committing offsets to group {settings.group}"),
    ):
        source.commit({Partition(topic, 0): 1})
    produce(topic, [b"1"])
    assert drain(source, 1) == [(0, 1, b"1")], "reading goes on"


def test_without_a_store_nothing_is_committed(make_topic, open_source):
    topic = make_topic()
    source = open_source(topic, store_id=None)
    source.commit({Partition(topic, 0): 0})
    source.check_store()
    assert source.committed() == {}


# Connecting


def test_a_missing_topic_is_named_and_not_created(admin, open_source, prefix):
    with pytest.raises(ConnectionFailed, match=f"has no topic {prefix}-nowhere.*Create it"):
        open_source(f"{prefix}-nowhere")
    assert f"{prefix}-nowhere" not in admin.list_topics()


def test_an_unreachable_broker_is_told_in_bounded_time():
    settings = Kafka(bootstrap_servers="127.0.0.1:1")
    began = time.monotonic()
    with pytest.raises(ConnectionFailed, match=r"127\.0\.0\.1:1 does not answer.*bootstrap_servers"):
        KafkaSource(settings, ["t"], SystemClock(), patience=1.0)
    assert time.monotonic() - began < 5


# Writing


def test_what_is_sent_is_there_when_send_returns(make_topic, sink, read_all):
    topic = make_topic()
    sink.send([message(topic, b"1", key=b"k", headers=(("h", b"x"),)), message(topic, b"2")])
    assert [(r.key, r.value, r.headers) for r in read_all(topic)] == [(b"k", b"1", [("h", b"x")]), (None, b"2", [])]


def test_failure_36_a_message_that_is_too_large_is_refused_and_the_sink_goes_on(make_topic, sink, read_all):
    topic = make_topic()
    with pytest.raises(ConnectionFailed, match=f"writing big \\({LARGEST + 1} bytes\\) to topic {topic}"):
        sink.send([message(topic, b"x" * (LARGEST + 1), ident="big")])
    sink.send([message(topic, b"small")])
    assert [r.value for r in read_all(topic)] == [b"small"]


def test_t10_a_message_the_broker_refuses_is_told_though_flush_would_not(make_topic, sink, read_all):
    topic = make_topic(max_message_bytes=1000)
    with pytest.raises(ConnectionFailed, match=r"writing big .*MessageSizeTooLarge"):
        sink.send([message(topic, b"ok"), message(topic, b"x" * 5000, ident="big")])
    sink.send([message(topic, b"again")])
    assert read_all(topic)[-1].value == b"again"


def test_missing_output_topics_are_created_once(admin, prefix, sink):
    names = [f"{prefix}-alerts", f"{prefix}-retrain"]
    assert sink.ensure_topics(names) == names
    assert sink.ensure_topics(names) == []
    admin.delete_topics(names)


def test_failure_36_a_missing_output_topic_is_told_in_bounded_time(prefix, settings, opened):
    sink = opened(KafkaSink(settings, SystemClock(), deadline=3.0))
    with pytest.raises(ConnectionFailed, match=f"to topic {prefix}-nowhere"):
        sink.send([message(f"{prefix}-nowhere")])


# A range of the past


def test_a_range_without_bounds_ends_where_the_topic_ended_at_its_start(make_topic, open_range, produce):
    topic = make_topic(partitions=2)
    produce(topic, [b"0", b"1"], partition=0)
    source = open_range(topic)
    produce(topic, [b"later"], partition=0)
    assert source.ended() == {Partition(topic, 1)}
    assert drain(source, 2) == [(0, 0, b"0"), (0, 1, b"1")]
    assert source.ended() == set(source.partitions())
    assert (source.progress(), source.poll(10, 0.1)) == ((2, 2), [])


def test_a_range_by_offset_begins_and_stops_there(make_topic, open_range, produce):
    topic = make_topic()
    produce(topic, [b"%d" % i for i in range(9)])
    source = open_range(topic, start=2, stop=5, by_offset=True)
    assert [o for _, o, _ in drain(source, 3)] == [2, 3, 4]
    assert source.ended() == {Partition(topic, 0)}
    source.seek({Partition(topic, 0): 4})
    assert [o for _, o, _ in drain(source, 1)] == [4]


def test_a_range_by_time_takes_what_is_not_older_than_start_and_older_than_stop(make_topic, open_range, produce):
    topic, base = make_topic(), 1_700_000_000_000
    for second in range(5):
        produce(topic, [b"%d" % second], timestamp_ms=base + 1000 * second)
    source = open_range(topic, start=(base + 1000) * 10**6, stop=(base + 3000) * 10**6)
    assert [v for _, _, v in drain(source, 2)] == [b"1", b"2"]
    late = open_range(topic, start=(base + 10**6) * 10**6)
    assert late.ended() == {Partition(topic, 0)}


def test_a_range_that_ends_in_a_transaction_mark_ends(bootstrap, make_topic, open_range, opened, prefix):
    topic = make_topic()
    producer = opened(KafkaProducer(bootstrap_servers=bootstrap, transactional_id=f"{prefix}-t"))
    producer.init_transactions()
    producer.begin_transaction()
    producer.send(topic, b"x")
    producer.commit_transaction()
    source = open_range(topic)
    assert drain(source, 1) == [(0, 0, b"x")]
    end = time.monotonic() + 10
    while not source.ended():
        assert time.monotonic() < end
        source.poll(10, 0.2)


# Why it is done so: traps of kafka-python 3.0


POLL_AGAIN = """
import sys
from kafka import KafkaConsumer, TopicPartition
from kafka.serializer import Deserializer

class Raising(Deserializer):
    def deserialize(self, topic, headers, data):
        raise ValueError(data)

consumer = KafkaConsumer(bootstrap_servers=sys.argv[1], value_deserializer=Raising())
consumer.assign([TopicPartition(sys.argv[2], 0)])
consumer.seek_to_beginning()
try:
    while True:
        consumer.poll(timeout_ms=200)
except ValueError:
    print("raised", flush=True)
consumer.poll(timeout_ms=200)
print("returned", flush=True)
"""


def test_t1_after_a_deserializer_has_raised_the_next_poll_never_returns_so_none_is_passed(
    bootstrap, make_topic, produce
):
    topic = make_topic()
    produce(topic, [b"poison"])
    command = [sys.executable, "-c", POLL_AGAIN, bootstrap, topic]
    with pytest.raises(subprocess.TimeoutExpired) as expired:
        subprocess.run(command, capture_output=True, timeout=3, check=False)
    assert expired.value.stdout == b"raised\n", "it returned: deserializers may be used again"


def test_t10_flush_says_nothing_of_a_message_that_failed(bootstrap, make_topic, opened):
    topic = make_topic(max_message_bytes=1000)
    producer = opened(KafkaProducer(bootstrap_servers=bootstrap))
    future = producer.send(topic, b"x" * 5000)
    producer.flush(timeout=20)
    assert future.failed()


def test_t13_the_default_reset_passes_over_lost_records_and_ours_does_not(bootstrap, make_topic, produce, opened):
    topic = make_topic()
    produce(topic, [b"0"])
    for reset, lost in (("latest", False), ("none", True)):
        consumer = opened(KafkaConsumer(bootstrap_servers=bootstrap, auto_offset_reset=reset))
        consumer.assign([TopicPartition(topic, 0)])
        consumer.seek(TopicPartition(topic, 0), 9)
        raised = False
        try:
            for _ in range(5):
                consumer.poll(timeout_ms=200)
        except OffsetOutOfRangeError:
            raised = True
        assert raised == lost


def test_this_is_the_kafka_python_the_traps_are_pinned_for():
    assert kafka.__version__.startswith("3.0.")
    assert issubclass(KafkaTimeoutError, Exception)
