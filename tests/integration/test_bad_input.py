"""What cannot work ends with one message that says what to do and the right exit code; and nothing is lost by it.

All of these happen to one daemon that has read half of its log; at the end it is started properly.
"""

from __future__ import annotations

import json
import shutil
import signal
import uuid

import pytest
from kafka import KafkaAdminClient, KafkaProducer
from tests.integration.broker import PASSWORD, USER
from tests.integration.running import Watch, ended

HALF = 300


@pytest.fixture(scope="module")
def topic(started_broker):
    admin, name = KafkaAdminClient(bootstrap_servers=started_broker.bootstrap_servers), f"bad-{uuid.uuid4().hex[:8]}"
    admin.create_topics({name: {"num_partitions": 2, "replication_factor": 1}})
    admin.wait_for_topics([name])
    admin.close()
    return name


@pytest.fixture(scope="module")
def produce(started_broker, topic):
    """Write so many more predictions, each with an id and a time of its own; return how many there are in all."""
    producer, written = KafkaProducer(bootstrap_servers=started_broker.bootstrap_servers), []

    def write(count):
        for i in range(len(written), len(written) + count):
            event = {"id": str(i), "ts": 1_700_000_000 + i, "p": i * 7919 % 1000 / 1000}
            written.append(producer.send(topic, json.dumps(event).encode(), partition=i % 2))
        producer.flush()
        return len(written)

    yield write
    producer.close()


@pytest.fixture(scope="module")
def watch(started_broker, topic, produce, tmp_path_factory):
    """Return a daemon that has read half of its log and was stopped."""
    directory = tmp_path_factory.mktemp("bad")
    predictions = {"topic": topic, "id": "id", "time": "ts", "prediction": {"kind": "binary", "score": "p"}}
    settings = {
        "store": str(directory / "anchorwatch.db"),
        "kafka": {"bootstrap_servers": started_broker.bootstrap_servers, "group": topic, "unreachable_after": "4s"},
        "outputs": {part: f"{topic}-{part}" for part in ("alerts", "retrain", "dead_letters")},
        "models": {"mc": {"predictions": predictions, "event_time": {"idle_after": "1s"}, "baseline": {"first": 100}}},
    }
    watch = Watch(directory, settings)
    run_to_the_end(watch, produce(HALF))
    produce(HALF)
    return watch


def run_to_the_end(watch, records):
    with watch.running() as process:
        watch.wait(process, lambda: watch.finished(records))
        code, _ = ended(process, signal.SIGTERM)
    assert code == 0, watch.tail()


def elsewhere(watch, directory, **changed):
    """Return the same daemon with other settings."""
    return Watch(directory, watch.settings | changed)


def assert_ends_with_one_message(watch, code, *words):
    """Run the daemon, which must end by itself with this code and one line that holds these words; return the line."""
    done = watch.call("run", timeout=60)
    assert (done.returncode, done.stdout) == (code, ""), done.stderr
    (line,) = done.stderr.splitlines()
    assert [word for word in words if word not in line] == [], line
    return line


@pytest.fixture
def untouched(watch):
    """Compare what the store holds before and after a test."""

    def held():
        report = watch.report()
        return report["positions"], report["models"], report["checkpoint"]

    before = held()
    yield
    assert held() == before


def test_an_unreachable_broker_ends_with_4(watch, untouched, tmp_path):
    kafka = watch.settings["kafka"] | {"bootstrap_servers": "127.0.0.1:1"}
    wrong = elsewhere(watch, tmp_path, kafka=kafka)
    assert_ends_with_one_message(wrong, 4, "127.0.0.1:1 does not answer", "Check kafka.bootstrap_servers")


def test_a_missing_topic_ends_with_4(watch, untouched, topic, tmp_path):
    model = watch.settings["models"]["mc"]
    model = model | {"predictions": model["predictions"] | {"topic": f"{topic}-nowhere"}}
    wrong = elsewhere(watch, tmp_path, models={"mc": model})
    assert_ends_with_one_message(wrong, 4, f"has no topic {topic}-nowhere", "Create it")


def test_a_wrong_password_ends_with_4_and_is_not_shown(watch, untouched, started_broker, tmp_path):
    sasl = {"mechanism": "SCRAM-SHA-512", "username": USER, "password": f"{PASSWORD}-wrong"}
    kafka = watch.settings["kafka"] | {
        "bootstrap_servers": started_broker.sasl_servers, "security_protocol": "SASL_PLAINTEXT", "sasl": sasl,
    }  # fmt: skip
    wrong = elsewhere(watch, tmp_path, kafka=kafka)
    line = assert_ends_with_one_message(wrong, 4, "authentication failed", "Check", "kafka.sasl")
    assert PASSWORD not in line


def test_a_missing_baseline_ends_with_3(watch, untouched, tmp_path):
    for baseline, said, advice in (
        ({"name": "of-last-year"}, "no baseline 'of-last-year'", "anchorwatch baseline list"),
        ({"file": str(tmp_path / "none.json")}, "none.json cannot be read", "anchorwatch baseline export"),
    ):
        wrong = elsewhere(watch, tmp_path, models={"mc": watch.settings["models"]["mc"] | {"baseline": baseline}})
        assert_ends_with_one_message(wrong, 3, "model mc", said, advice)


def test_a_store_that_cannot_be_read_ends_with_4_and_is_never_begun_anew(watch, untouched, tmp_path):
    garbage, cut, nowhere = tmp_path / "garbage.db", tmp_path / "cut.db", tmp_path / "none" / "a.db"
    garbage.write_bytes(b"no database at all, but somebody's file")
    shutil.copy(watch.store, cut)
    with cut.open("r+b") as file:
        file.truncate(watch.store.stat().st_size // 2)
    for store, said in ((garbage, "not a SQLite database"), (tmp_path, "is a directory"), (nowhere, "does not exist")):
        assert_ends_with_one_message(elsewhere(watch, tmp_path, store=str(store)), 4, str(store), said)
    size = cut.stat().st_size
    assert_ends_with_one_message(elsewhere(watch, tmp_path, store=str(cut)), 4, str(cut), "backup")
    assert (cut.stat().st_size, garbage.read_bytes()[:2]) == (size, b"no")


def test_a_store_that_another_daemon_holds_ends_with_4(watch, tmp_path):
    with watch.running() as process:
        watch.wait(process, lambda: watch.report()["holder"]["pid"] == process.pid)
        assert_ends_with_one_message(elsewhere(watch, tmp_path), 4, str(process.pid), "--takeover")
        assert ended(process, signal.SIGTERM)[0] == 0


def test_a_broker_that_falls_silent_ends_with_4_and_the_next_start_goes_on(watch, started_broker, produce):
    records = produce(HALF)
    with watch.running() as process:
        watch.wait(process, lambda: watch.finished(records))
        started_broker.freeze()
        try:
            code = process.wait(60)
        finally:
            started_broker.thaw()
    last = watch.tail().splitlines()[-1]
    assert code == 4
    assert "has been silent for" in last
    assert "the next start goes on from there" in last
    run_to_the_end(watch, produce(HALF))


def test_nothing_was_lost_by_any_of_these(watch, produce):
    """Whatever of the above was run before, in the end each record is counted once."""
    records = produce(1)
    run_to_the_end(watch, records)
    (model,) = watch.report()["models"]
    counts = {name: n for name, n in model["accounting"].items() if n}
    known = counts.pop("waiting_predictions") + counts.pop("expired_predictions", 0)
    assert (counts, known) == ({"predictions": records}, records), "none twice, none late, none of another kind"
