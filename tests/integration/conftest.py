"""A real Kafka broker for every test that asks for one: one for each worker, topics of its own for each test.

`ANCHORWATCH_TEST_KAFKA=host:port` names a broker that is already there; else one is started. Tests that stop or starve
their broker, or need its secured listeners, use one that was started for certain (`started_broker`), or make a `Broker`
of their own. Whoever uses one of these fixtures carries the marker `broker` by that alone.
"""

import gc
import os
import time
import uuid
import warnings

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.errors import NodeNotReadyError
from tests.conftest import USED
from tests.integration.broker import VERSION, Broker, BrokerFailed

NAMED = os.environ.get("ANCHORWATCH_TEST_KAFKA")
_log = pytest.StashKey[object]()


def pytest_report_header():
    return (
        f"kafka: {NAMED} (ANCHORWATCH_TEST_KAFKA)" if NAMED else f"kafka: Apache Kafka {VERSION}, started where needed"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    for item in items:
        if {"started_broker", "bootstrap"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.broker)
            item.add_marker(pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning"))


def _forget_sockets():
    """Collect the sockets that kafka-python leaves open where connecting failed, so that no other test is blamed."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        for _ in range(3):  # a coroutine that is collected lets go of its socket afterwards
            gc.collect()


@pytest.fixture(autouse=True)
def _forget_sockets_of_a_test(request):
    yield
    if request.node.get_closest_marker("broker"):
        _forget_sockets()


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish():
    _forget_sockets()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item):
    report = yield
    log = item.config.stash.get(_log, None)
    if report.failed and log is not None and item.get_closest_marker("broker"):
        report.sections.append((f"end of the broker's log {log}", log.read_text(errors="replace")[-4000:]))
    return report


@pytest.fixture(scope="session")
def started_broker(request, tmp_path_factory):
    """Start a broker, with its SASL and TLS listeners."""
    began = time.monotonic()
    own = Broker(tmp_path_factory.mktemp("broker") / "kafka")
    try:
        own.start()
    except BrokerFailed as error:
        pytest.fail(f"this test needs a Kafka broker: {error}", pytrace=False)
    seconds = time.monotonic() - began
    request.config.stash[USED] = [f"Apache Kafka {own.version} at {own.bootstrap_servers}, started in {seconds:.1f} s"]
    request.config.stash[_log] = own.log
    yield own
    own.kill()


@pytest.fixture(scope="session")
def bootstrap(request):
    """Return host:port of the broker of this run."""
    if NAMED is None:
        return request.getfixturevalue("started_broker").bootstrap_servers
    consumer = KafkaConsumer(bootstrap_servers=NAMED)
    version = ".".join(str(part) for part in consumer.config["api_version"])
    consumer.close()
    request.config.stash[USED] = [f"{NAMED} (ANCHORWATCH_TEST_KAFKA), which speaks like Kafka {version}"]
    return NAMED


@pytest.fixture(scope="session")
def admin(bootstrap):
    client = KafkaAdminClient(bootstrap_servers=bootstrap)
    yield client
    client.close()


@pytest.fixture
def prefix(request):
    """Return what the topics and groups of this test start with."""
    return f"{request.node.originalname[:40]}-{uuid.uuid4().hex[:8]}"


@pytest.fixture
def make_topic(admin, prefix):
    """Create a topic of this test and return its name; deleted afterwards."""
    made = []

    def make(name="topic", partitions=1, **configs):
        topic = f"{prefix}-{name}"
        wanted = {"num_partitions": partitions, "replication_factor": 1}
        if configs:
            wanted["configs"] = {key.replace("_", "."): str(value) for key, value in configs.items()}
        try:
            admin.create_topics({topic: wanted})
        except NodeNotReadyError:  # on a busy machine the admin's connection is dropped now and then: once more
            time.sleep(2.0)
            admin.create_topics({topic: wanted})
        admin.wait_for_topics([topic])
        made.append(topic)
        return topic

    yield make
    if made:
        admin.delete_topics(made)


@pytest.fixture(scope="session")
def producer(bootstrap):
    """Make a producer of plain bytes that is there for the whole run."""
    client = KafkaProducer(bootstrap_servers=bootstrap, linger_ms=5)
    yield client
    client.close()


@pytest.fixture
def produce(producer):
    """Write values to a topic and wait until all are there: `produce(topic, [b"1", None], partition=0)`."""

    def write(topic, values, **more):
        futures = [producer.send(topic, value, **more) for value in values]
        producer.flush()
        return [future.get(timeout=30) for future in futures]

    return write


@pytest.fixture
def read_all(bootstrap):
    """Return all records of a topic that are there now, partition after partition: `read_all(topic)`."""

    def read(topic, isolation_level="read_committed"):
        consumer = KafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False, isolation_level=isolation_level)
        try:
            partitions = [TopicPartition(topic, n) for n in sorted(consumer.partitions_for_topic(topic))]
            consumer.assign(partitions)
            consumer.seek_to_beginning()
            ends = consumer.end_offsets(partitions)
            found = {p: [] for p in partitions}
            while any(consumer.position(p) < ends[p] for p in partitions):
                for p, records in consumer.poll(timeout_ms=200).items():
                    found[p] += records
            return [record for p in partitions for record in found[p]]
        finally:
            consumer.close()

    return read
