"""The spine: the credit-card rows go through a real broker, the daemon runs as a process, a plain consumer reads.

One log is produced for all of these tests; every daemon on it has a group, a store and output topics of its own.
"""

from __future__ import annotations

import json
import signal
import uuid
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest
from tests.integration import credit_card
from tests.integration.credit_card_log import PARTITIONS, POISON, Log, produced
from tests.integration.running import ended

from anchorwatch.store.reader import Reader

if TYPE_CHECKING:
    from tests.integration.running import Watch


@pytest.fixture(scope="module")
def card():
    try:
        return credit_card.load()
    except credit_card.DataMissing as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="module")
def log(bootstrap, admin, card):
    """Produce all rows, keyed by id; among them what cannot be used, and tombstones."""
    name = f"credit-card-{uuid.uuid4().hex[:8]}"
    topics = {part: f"{name}-{part}" for part in PARTITIONS}
    for part, topic in topics.items():
        kept = {"retention.ms": "-1"}  # the records are as old as the events
        admin.create_topics({topic: {"num_partitions": PARTITIONS[part], "replication_factor": 1, "configs": kept}})
    admin.wait_for_topics(list(topics.values()))
    ends = produced(bootstrap, topics, card)
    assert len(ends) == sum(PARTITIONS.values()), "every partition holds something"
    yield Log(bootstrap, topics, ends, (sum(ends.values()) - 2 * len(card.times)) // 2)
    admin.delete_topics(list(topics.values()))


@dataclass(frozen=True)
class Live:
    """A daemon that was asked to stop in the middle of its work, started again, and asked again when all was read."""

    watch: Watch
    stops: list[tuple[int, float]]
    groups: list[dict[str, Any]]

    def accounting(self):
        (model,) = self.watch.report()["models"]
        return model["accounting"]


@pytest.fixture(scope="module")
def live(log, admin, tmp_path_factory):
    watch, stops, groups = log.watch(tmp_path_factory.mktemp("live"), "live"), [], []
    name = watch.settings["kafka"]["group"]
    for reached in (lambda: watch.reached() > log.records // 2, lambda: watch.finished(log.records)):
        with watch.running() as process:
            watch.wait(process, reached)
            groups.append(admin.describe_groups([name])[name])
            stops.append(ended(process, signal.SIGTERM))
    return Live(watch, stops, groups)


@pytest.fixture(scope="module")
def told(log, live):
    return [json.loads(record.value) for record in log.read(live.watch, "alerts")]


@pytest.fixture(scope="module")
def alerts(told):
    return [message for message in told if message["type"].startswith("io.anchorwatch.alert.")]


@pytest.fixture(scope="module")
def incidents(told):
    return [message for message in told if message["type"].startswith("io.anchorwatch.incident.")]


@pytest.fixture(scope="module")
def triggers(log, live):
    return [json.loads(record.value) for record in log.read(live.watch, "retrain")]


def test_accuracy_is_alerted_within_300_labelled_events_of_its_fall_and_never_before(alerts, card):
    times = [datetime.fromisoformat(a["time"]) for a in alerts if a["data"]["labels"]["kind"] == "accuracy"]
    assert times
    assert min(times) >= card.times[credit_card.CHANGE]
    assert 0 < card.labelled_from_change_until(min(times)) <= 300


def test_nothing_at_all_is_alerted_before_something_changes(alerts, card):
    assert min(datetime.fromisoformat(alert["time"]) for alert in alerts) >= card.times[credit_card.CHANGE]


def test_people_are_told_of_one_incident_which_names_what_its_alerts_say(incidents, alerts, triggers):
    assert {message["data"]["incident"] for message in incidents} == {1}
    assert incidents[0]["type"] == "io.anchorwatch.incident.opened.v1"
    assert [message["data"]["notice"] for message in incidents] == list(range(1, len(incidents) + 1))
    assert len(incidents) < len(alerts) / 2
    known = {alert["data"]["fingerprint"] for alert in alerts}
    assert {child["fingerprint"] for message in incidents for child in message["data"]["children"]} <= known
    assert any("error rate 2" in message["data"]["annotations"]["summary"] for message in incidents)
    assert [trigger["data"]["incident"] for trigger in triggers] == [1]


def test_exactly_one_retraining_is_asked_for(triggers):
    assert [t["type"] for t in triggers] == ["io.anchorwatch.retrain.requested.v1"]


def test_alert_and_trigger_say_against_which_baseline_by_how_much_which_way_and_since_when(
    alerts, triggers, card, live
):
    first = next(a["data"] for a in alerts if a["data"]["labels"]["kind"] == "accuracy")
    (trigger,) = (t["data"] for t in triggers)
    (cause,) = trigger["reason"]
    with Reader.open_reader(live.watch.store) as store:
        baselines = {entry.id for entry in store.baselines()}
    around = (card.times[credit_card.CHANGE - 100], card.times[credit_card.CHANGE + 100])
    for told in (first, cause):
        assert told["direction"] == "worse"
        assert told["statistic"] > 0.4, "the error rate, .245 before, is .435 after"
        assert around[0] < datetime.fromisoformat(told["since"]) < around[1]
    assert {first["baseline_id"], trigger["baseline_id"]} <= baselines


def test_every_record_is_a_row_a_dead_letter_or_skipped_by_a_named_rule(live, log, card):
    counts = live.accounting()
    dead = sum(n for name, n in counts.items() if name.startswith("dead_"))
    rows = len(card.times)
    assert (counts["predictions"], counts["labels"], counts["matched"]) == (rows, rows, rows)
    assert (dead, counts["skipped_tombstone"]) == (log.unusable, log.unusable)
    assert counts["predictions"] + counts["labels"] + dead + counts["skipped_tombstone"] == log.records
    assert not any(n for name, n in counts.items() if "late" in name or "duplicate" in name or "pending" in name)


def test_dead_letters_are_the_original_bytes_each_once(live, log):
    letters = log.read(live.watch, "dead_letters")
    places = {tuple(value for name, value in letter.headers if name.endswith(("topic", "partition", "offset")))
              for letter in letters}  # fmt: skip
    assert len(letters) == len(places) == log.unusable
    assert {letter.value for letter in letters} == set(POISON)


def test_the_daemon_ends_with_0_within_10_seconds_of_sigterm_busy_or_not(live):
    assert [code for code, _ in live.stops] == [0, 0], live.watch.tail()
    assert max(seconds for _, seconds in live.stops) < 10


def test_no_group_is_joined_and_lag_tools_see_the_end_of_the_log(live, log, admin):
    assert [(group["members"], group["group_state"]) for group in live.groups] == [([], "Empty"), ([], "Empty")]
    name = live.watch.settings["kafka"]["group"]
    committed = admin.list_group_offsets({name: None})[name]
    assert {place: entry.offset for place, entry in committed.items()} == log.ends


# Replays of the same rows


@pytest.fixture(scope="module")
def replayed(log, card, tmp_path_factory):
    """Replay the same rows from files of a kind, or from Kafka; return the report."""
    watch = log.watch(tmp_path_factory.mktemp("replay"), "replay")

    def run(*arguments):
        done = watch.call("replay", "--json", *arguments)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def files(kind):
        given = []
        for part, rows in (("predictions", card.predictions), ("labels", card.labels)):
            path = credit_card.write(rows, watch.directory / f"{part}.{kind}")
            given += ["--file", f"{log.topics[part]}={path}"]
        return run(*given)

    return files, run


@pytest.mark.parametrize("kind", ["jsonl", "parquet"])
def test_a_replay_of_files_says_word_for_word_what_was_said_live(kind, replayed, alerts, incidents, triggers):
    report = replayed[0](kind)
    assert [a["id"] for a in report["alerts"]] == [a["id"] for a in alerts]
    assert (report["alerts"], report["incidents"], report["triggers"]) == (alerts, incidents, triggers)


def test_a_replay_from_kafka_says_word_for_word_what_was_said_live(replayed, alerts, incidents, triggers, live):
    report = replayed[1]("--kafka")
    assert (report["alerts"], report["incidents"], report["triggers"]) == (alerts, incidents, triggers)
    assert report["models"]["mc"]["accounting"] == live.accounting()


def test_a_replay_from_kafka_is_cut_where_it_is_told_to(replayed, alerts, triggers, card):
    begin, end = card.times[0], card.times[credit_card.CHANGE + 2000]
    report = replayed[1]("--kafka", "--from", begin.isoformat(), "--to", end.isoformat())
    counts = report["models"]["mc"]["accounting"]
    assert (counts["predictions"], counts["labels"]) == (credit_card.CHANGE + 2000, credit_card.CHANGE + 2000)
    assert report["triggers"] == triggers
    assert report["alerts"] == [a for a in alerts if datetime.fromisoformat(a["time"]) < end]


# Killed and started again


def test_a_daemon_killed_again_and_again_says_the_same_and_loses_and_repeats_nothing(log, live, tmp_path):
    watch = log.watch(tmp_path, "killed")
    moments = {
        "while it starts": watch.said.exists,
        "when its store is there": watch.store.exists,
        "at its first records": lambda: watch.reached() > 0,
        "while it gathers": lambda: watch.reached() > log.records // 3,
        "at its first alert": lambda: _alerts(watch),
        "behind it": lambda: watch.reached() > log.records * 9 // 10,
        "while it waits for the last": lambda: watch.reached() == log.records,
    }
    reached = []
    for reason in moments.values():
        with watch.running() as process:
            watch.wait(process, reason)
            code, _ = ended(process, signal.SIGKILL)
        assert code == -signal.SIGKILL
        reached.append(watch.reached())
    with watch.running() as process:
        watch.wait(process, lambda: watch.finished(log.records))
        code, _ = ended(process, signal.SIGTERM)
    assert code == 0, watch.tail()
    assert reached == sorted(reached)
    assert len(set(reached)) >= 4, f"it was killed in the middle of its work: {reached}"
    (model,) = watch.report()["models"]
    assert model["accounting"] == live.accounting()
    assert _alerts(watch) == _alerts(live.watch)
    for part in ("alerts", "retrain", "dead_letters"):
        said, expected = log.read(watch, part), log.read(live.watch, part)
        assert {(r.key, r.value, tuple(r.headers)) for r in said} == {
            (r.key, r.value, tuple(r.headers)) for r in expected
        }


def _alerts(watch):
    """Return all transitions and triggers of a store, by id; each must be there once."""
    if not watch.store.exists():
        return []
    with Reader.open_reader(watch.store) as store:
        rows = [*store.alerts(limit=100_000), *store.incidents(limit=100_000), *store.triggers(limit=100_000)]
    assert len({row.id for row in rows}) == len(rows)
    return sorted((row.id, row.document) for row in rows)
