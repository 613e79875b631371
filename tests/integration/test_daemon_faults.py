"""The running daemon is attacked: killed, stopped, doubled, fed poison, robbed of its broker, its topics, its log.

Every test compares with what an undisturbed daemon says of the same traffic: the same ids and bytes, each at least
once, and every record counted exactly once.
"""

from __future__ import annotations

import json
import random
import re
import signal
import subprocess
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from kafka import KafkaAdminClient, TopicPartition
from kafka.admin import ConfigResource
from tests.integration.fraud import DRIFT, SECOND, Fraud, accounting, published, said, traffic
from tests.integration.running import COMMAND, Watch, ended

from anchorwatch.simulate.traffic import FraudTraffic

HOUR = 3600 * SECOND
DEEP = b'{"request_id": "deep", "ts": "2025-01-01T00:00:00Z", "amount": ' + b"[" * 5000 + b"]" * 5000 + b"}"
POISON = {
    b"{not json": "not_json",
    b"": "not_json",
    b'\xff\xfe{"request_id": 1}': "not_utf8",
    b'{"request_id": "nan", "ts": NaN}': "time_invalid",
    DEEP: "too_deep",
    b"[1, 2]": "not_an_object",
    b'{"request_id": "timeless"}': "time_missing",
    b'{"request_id": "' + b"x" * (2 << 20): "not_json",
}
"""Payloads that cannot be used, and what for."""


@dataclass(frozen=True)
class Oracle:
    """An undisturbed daemon over all of the traffic, with poison in it, and one partition that stays empty."""

    log: Fraud
    watch: Watch
    poison: list[tuple[str, int, int, bytes]]
    code: int
    counts: dict[str, int]
    output: dict[str, list[Any]]

    def told(self, part: str) -> set[tuple[bytes | None, bytes]]:
        """Return what must be in an output topic, by key and value."""
        return content(self.output[part])


def content(records):
    """Return what records say without ids of baselines and configurations, which are those of their topics, too."""
    return {(record.key, re.sub(rb'"(baseline_id|bl-|configuration)[^,}]*', b"", record.value)) for record in records}


@pytest.fixture(scope="module")
def oracle(bootstrap, tmp_path_factory):
    log = Fraud.on(bootstrap, predictions=3, max_message_bytes=4 << 20)
    log.partitions["predictions"] = 2  # nothing is ever written to the third
    messages, topic = traffic(), log.topics["predictions"]
    records = log.produce(messages[: len(messages) // 2])
    ends = [
        sum(int(m.key[-8:]) % 2 == p and m.topic.endswith("predictions") for m in messages[:records]) for p in (0, 1)
    ]
    poison = [(topic, i % 2, ends[i % 2] + i // 2, value) for i, value in enumerate(POISON)]
    records += log.write([(topic, number, b"key", value) for topic, number, _, value in poison])
    records += log.produce(messages[len(messages) // 2 :])
    watch = log.watch(tmp_path_factory.mktemp("oracle"))
    with watch.running() as process:
        watch.wait(process, lambda: watch.finished(records))
        code, _ = ended(process, signal.SIGTERM)
    counts = accounting(watch)
    dead = sum(n for name, n in counts.items() if name.startswith("dead_"))
    assert counts["predictions"] + counts["labels"] + dead == records
    return Oracle(log, watch, poison, code, counts, published(watch))


def assert_same(watch, oracle, *, dead_letters=0):
    """Compare with the oracle: every id and byte is there, and no record was counted twice or not at all."""
    counts, output = accounting(watch), published(watch)
    usual = {name: n for name, n in oracle.counts.items() if not name.startswith("dead_")}
    assert {name: n for name, n in counts.items() if not name.startswith("dead_")} == usual, watch.tail()
    assert sum(n for name, n in counts.items() if name.startswith("dead_")) == dead_letters
    for part in ("alerts", "retrain"):
        assert content(output[part]) == oracle.told(part), part
    return output


def events(watch, name):
    return [event for event in said(watch) if event["event"] == name]


def test_what_the_daemon_says_is_json_and_tells_an_operator_what_happened(oracle):
    lines = said(oracle.watch)
    assert [line for line in lines if not {"timestamp", "level", "event"} <= line.keys()] == []
    assert (lines[0]["event"], lines[-1]["event"], oracle.code) == ("watching", "stopped", 0)
    assert {"anchorwatch", "kafka", "group", "store", "store_id", "models", "positions", "unpublished"} <= lines[
        0
    ].keys()
    assert set(lines[0]["positions"].values()) == {"beginning"}
    messages = [json.loads(record.value) for record in oracle.output["alerts"]]
    told = {each["data"]["labels"]["subject"] for each in messages if ".alert." in each["type"]}
    assert len(events(oracle.watch, "incident")) == sum(".incident." in each["type"] for each in messages) > 0
    assert {line["subject"] for line in lines if line["event"] == "alert"} == told
    assert len(events(oracle.watch, "retrain")) == len(oracle.told("retrain")) == 1


def test_failure_28_an_empty_partition_is_waited_for_no_longer_than_it_was_said(oracle):
    empty = f"{oracle.log.topics['predictions']}/2"
    assert empty in events(oracle.watch, "watching")[0]["positions"]
    assert empty not in events(oracle.watch, "stopped")[0]["positions"], "nothing ever came of it"
    assert "amount" in {line.get("subject") for line in events(oracle.watch, "alert")}
    assert (oracle.counts["pending_predictions"], oracle.counts["pending_labels"]) == (0, 0)


def test_failure_22_what_cannot_be_used_is_a_dead_letter_with_its_bytes_its_place_and_the_reason(oracle):
    found = set()
    for letter in oracle.output["dead_letters"]:
        header = {name.removeprefix("anchorwatch-"): text.decode() for name, text in letter.headers}
        place = header["topic"], int(header["partition"]), int(header["offset"])
        (payload,) = (value for *where, value in oracle.poison if tuple(where) == place)
        assert letter.key == b"key"
        assert header["reason"] == POISON[payload], payload[:40]
        assert letter.value == payload[: len(letter.value)]
        assert len(letter.value) == len(payload) or header["cut"] == str(len(payload))
        found.add(place)
    assert len(found) == len(oracle.output["dead_letters"]) == len(POISON)
    told = [event["records"] for event in events(oracle.watch, "dead_letters")]
    assert sum(n for records in told for n in records.values()) == len(POISON)
    assert len(told) <= 2, "once at the first, and then not too often"


def to_the_end(watch, records):
    """Run the daemon until all is read and out; it must end well when asked to."""
    starts = len(events(watch, "watching"))
    with watch.running() as process:
        watch.wait(process, lambda: len(events(watch, "watching")) > starts and watch.finished(records))
        code, seconds = ended(process, signal.SIGTERM)
    assert (code, seconds < 10) == (0, True), watch.tail()


def test_failure_02_kills_in_bursts_lose_and_repeat_nothing(bootstrap, oracle, tmp_path):
    log, rng, messages, kills = Fraud.on(bootstrap), random.Random(2), traffic(), 9
    watch = log.watch(tmp_path)
    size, records, reached = -(-len(messages) // kills), 0, [0]
    for kill in range(kills):
        records += log.produce(messages[kill * size : (kill + 1) * size])
        with watch.running() as process:
            if kill % 3 == 1:  # as soon as it watches
                starts = len(events(watch, "watching"))
                watch.wait(process, lambda n=starts: len(events(watch, "watching")) > n)
            elif kill % 3 == 2:  # after a checkpoint
                watch.wait(process, lambda: watch.reached() > reached[-1])
            time.sleep(rng.uniform(0.1, 1.0))  # else while it starts
            assert ended(process, signal.SIGKILL)[0] == -signal.SIGKILL
        reached.append(watch.reached())
    assert reached == sorted(reached)
    assert len({*reached}) > kills // 3, f"each third start goes on from where the last one came to: {reached}"
    to_the_end(watch, records)
    assert_same(watch, oracle)


def test_failure_03_asked_to_stop_in_the_middle_of_work_it_stops_in_time_and_goes_on_later(oracle, tmp_path):
    watch = oracle.log.watch(tmp_path, "asked")
    for starts, number in enumerate((signal.SIGTERM, signal.SIGINT), 1):
        with watch.running() as process:
            watch.wait(process, lambda n=starts: len(events(watch, "watching")) == n)
            code, seconds = ended(process, number)
        assert (code, len(events(watch, "stopped"))) == (0, starts), watch.tail()
        assert seconds < 10
    to_the_end(watch, sum(len(messages) for messages in (traffic(), POISON)))
    assert_same(watch, oracle, dead_letters=len(POISON))


def refused(watch, *words):
    """Start a daemon that must end by itself with 4, saying these words."""
    done = watch.call("run", timeout=60)
    assert done.returncode == 4, done.stderr
    failed = json.loads(done.stderr.splitlines()[-1])
    assert (failed["event"], failed["exit_code"]) == ("failed", 4)
    assert [word for word in words if word not in failed["why"]] == [], failed["why"]


@contextmanager
def taking_over(watch):
    """Start a daemon with --takeover, as `Watch.running` does without."""
    with watch.said.open("ab") as file:
        line = [*COMMAND, "run", str(watch.config), "--takeover"]
        process = subprocess.Popen(line, stdout=file, stderr=file)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_failure_04_a_daemon_that_was_stopped_taken_over_and_woken_up_publishes_nothing_and_ends(
    bootstrap, oracle, tmp_path
):
    log, messages = Fraud.on(bootstrap), traffic()
    watch = log.watch(tmp_path)
    records = log.produce(messages[: DRIFT // 2])
    with watch.running() as zombie:
        watch.wait(zombie, lambda: watch.reached() == records)
        zombie.send_signal(signal.SIGSTOP)
        refused(watch, f"process {zombie.pid}", "--takeover")
        records += log.produce(messages[DRIFT // 2 :])
        with taking_over(watch) as replacement:
            watch.wait(replacement, lambda: watch.finished(records))
            before = {part: len(found) for part, found in published(watch).items()}
            zombie.send_signal(signal.SIGCONT)
            assert zombie.wait(30) == 4, watch.tail()
            (failed,) = events(watch, "failed")
            assert "taken over by 'anchorwatch" in failed["why"]
            assert f"process {replacement.pid}" in failed["why"]
            assert replacement.poll() is None
            assert ended(replacement, signal.SIGTERM)[0] == 0
    assert before == {part: len(found) for part, found in assert_same(watch, oracle).items()}


def test_failure_09_a_second_store_under_the_same_group_is_refused_naming_the_first(oracle, tmp_path):
    first = said(oracle.watch)[0]
    other = oracle.log.watch(tmp_path)
    assert other.settings["kafka"]["group"] == oracle.watch.settings["kafka"]["group"]
    refused(other, first["store_id"], first["group"])


def test_failure_18_records_that_retention_took_before_they_were_read_are_never_passed_over_in_silence(
    bootstrap, tmp_path
):
    log, messages = Fraud.on(bootstrap, predictions=1), traffic(400, drift=None)
    watch, place = log.watch(tmp_path), TopicPartition(log.topics["predictions"], 0)
    to_the_end(watch, log.produce(messages[:300]))
    reached = {f"{p['topic']}/{p['partition']}": p["offset"] for p in watch.report()["positions"]}
    log.produce(messages[300:])
    admin = KafkaAdminClient(bootstrap_servers=bootstrap)
    admin.delete_records({place: 250})
    admin.close()
    assert reached[f"{place.topic}/0"] < 250
    lost = f"{place.topic}/0: records {reached[f'{place.topic}/0']} to 249 were removed by retention"
    for _ in range(2):
        refused(watch, lost)
    assert {f"{p['topic']}/{p['partition']}": p["offset"] for p in watch.report()["positions"]} == reached


def test_failure_20_partitions_that_are_added_while_it_runs_are_read_from_their_beginning(bootstrap, admin, tmp_path):
    log, messages = Fraud.on(bootstrap, predictions=1, labels=1), traffic(600, drift=None)
    watch = log.watch(tmp_path)
    # in real life much less event time passes until they are found
    watch.settings["models"]["fraud"]["event_time"] = {"lateness": "1h", "ahead": "1d"}
    later = FraudTraffic(8, 80, start=messages[-1].time + 3 * HOUR, spacing=SECOND, prefix="later-").messages()
    with watch.running() as process:
        watch.wait(process, lambda: events(watch, "watching"))
        added = time.monotonic()
        admin.create_partitions(dict.fromkeys(log.topics.values(), 2))
        grown = Fraud(bootstrap, log.topics, {"predictions": 2, "labels": 2})
        records = grown.produce(messages)
        watch.wait(process, lambda: watch.reached() == records, 60)
        assert time.monotonic() - added < 60
        records += grown.produce(later)
        watch.wait(process, lambda: watch.reached() == records)
        assert ended(process, signal.SIGTERM)[0] == 0
    (found,) = events(watch, "partitions_found")
    assert found["partitions"] == sorted(f"{topic}/1" for topic in log.topics.values())
    counts = accounting(watch)
    assert (counts["predictions"], counts["predictions"] + counts["labels"]) == (680, records)
    assert counts["matched"] == sum(message.topic.endswith("labels") for message in messages), "of both partitions"
    assert not any(n for name, n in counts.items() if "late" in name or "retimed" in name)


def test_failure_36_messages_that_the_broker_refuses_wait_and_stop_the_reading_and_none_is_dropped(
    bootstrap, admin, tmp_path
):
    log = Fraud.on(bootstrap, predictions=1)
    watch, topic = log.watch(tmp_path), log.topics["predictions"]
    letters = watch.settings["outputs"]["dead_letters"]
    small = {"num_partitions": 1, "replication_factor": 1, "configs": {"max.message.bytes": "100"}}
    admin.create_topics({letters: small})
    rubbish = [b"%05d" % i + b"x" * 100 for i in range(22_000)]
    records = log.write([(topic, 0, None, value) for value in rubbish[:11_000]])
    with watch.running() as process:
        watch.wait(process, lambda: events(watch, "reading_paused"))
        assert "TooLarge" in events(watch, "publishing_failed")[0]["why"]
        records += log.write([(topic, 0, None, value) for value in rubbish[11_000:]])
        time.sleep(1.5)
        held = watch.report()
        assert (watch.reached(), held["outbox"]) == (11_000, 11_000)
        config = ConfigResource("topic", letters, {"max.message.bytes": "100000"})
        admin.alter_configs([config])
        watch.wait(process, lambda: watch.finished(records))
        assert ended(process, signal.SIGTERM)[0] == 0
    assert {letter.value for letter in published(watch)["dead_letters"]} == set(rubbish)
    assert accounting(watch)["dead_not_json"] == records
    assert [len(events(watch, f"{name}_over")) for name in ("publishing_failed", "reading_paused")] == [1, 1]


# The broker itself is mistreated


def test_failure_15_a_broker_killed_again_and_again_under_load_loses_and_repeats_nothing(
    started_broker, oracle, tmp_path
):
    log, messages = Fraud.on(started_broker.bootstrap_servers), traffic()
    watch = log.watch(tmp_path)
    watch.settings["models"]["fraud"]["event_time"] = {"idle_after": "3s"}
    third, records = -(-len(messages) // 3), 0
    with watch.running() as process:
        for i in range(3):
            records += log.produce(messages[i * third : (i + 1) * third])
            if i < 2:
                watch.wait(process, lambda seen=i * third: watch.reached() > seen)
                started_broker.kill()
                started_broker.start()
        watch.wait(process, lambda: watch.finished(records))
        assert ended(process, signal.SIGTERM)[0] == 0
    assert len(events(watch, "watching")) == 1, "it went on by itself"
    assert_same(watch, oracle)


def test_failure_16_a_broker_that_hangs_is_told_in_time_and_when_it_is_over_and_stopping_does_not_wait_for_it(
    started_broker, tmp_path
):
    log = Fraud.on(started_broker.bootstrap_servers)
    watch = log.watch(tmp_path, unreachable_after="8s")
    with watch.running() as process:
        watch.wait(process, lambda: events(watch, "watching"))
        started_broker.freeze()
        try:
            watch.wait(process, lambda: events(watch, "broker_silent"))
            started_broker.thaw()
            watch.wait(process, lambda: events(watch, "broker_silent_over"))
            log.write([(log.topics["predictions"], 0, None, b"{")])
            started_broker.freeze()
            code, seconds = ended(process, signal.SIGTERM)
        finally:
            started_broker.thaw()
    assert (code, seconds < 10) == (0, True), watch.tail()


def test_failure_23_a_damaged_batch_is_told_and_the_other_partitions_go_on(started_broker, tmp_path):
    log, messages = Fraud.on(started_broker.bootstrap_servers), traffic(200, drift=None)
    watch, topic = log.watch(tmp_path), log.topics["predictions"]
    log.write([(topic, 1, b"key", b"to-be-damaged")])
    (segment,) = (started_broker.directory / "data" / f"{topic}-1").glob("*.log")
    with segment.open("r+b") as file:
        file.seek(segment.read_bytes().index(b"to-be-damaged"))
        file.write(b"XX")
    log.produce(m for m in messages if m.topic.endswith("predictions") and int(m.key[-8:]) % 2 == 0)
    with watch.running() as process:
        watch.wait(process, lambda: watch.reached() == 100 and events(watch, "partition_unreadable"))
        assert ended(process, signal.SIGTERM)[0] == 0
    (told,) = events(watch, "partition_unreadable")
    assert (told["partition"], "from offset 0 on" in told["why"]) == (f"{topic}/1", True)


def test_failure_03_stopping_waits_for_a_hanging_broker_only_so_long_and_a_second_signal_ends_it_at_once(
    started_broker, tmp_path
):
    log = Fraud.on(started_broker.bootstrap_servers)
    watch = log.watch(tmp_path)
    started_broker.freeze()
    try:
        with watch.running() as process:
            watch.wait(process, watch.store.exists)
            code, seconds = ended(process, signal.SIGTERM)
            assert (code, seconds < 10) == (0, True), watch.tail()
            assert len(events(watch, "stopped_waiting")) == 1
        with watch.running() as process:
            watch.wait(process, lambda: watch.report()["holder"]["pid"] == process.pid)
            process.send_signal(signal.SIGTERM)
            time.sleep(1.2)
            code, seconds = ended(process, signal.SIGTERM)
            assert (code, seconds < 1) == (128 + signal.SIGTERM, True), watch.tail()
    finally:
        started_broker.thaw()
    to_the_end(watch, log.produce(traffic(100, drift=None)))
