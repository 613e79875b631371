"""Late, missing, repeated, corrected and early labels of the credit-card rows, through a real broker.

A retraining helps little here: after the change the relation itself is noisier. Gradient boosting on 10,000 fresh rows
is right in .591 of the later ones, the old model in .565, and before the change it was in .755.
"""

from __future__ import annotations

import json
import signal
import uuid
from collections import Counter
from datetime import datetime

import pytest
from tests.integration import credit_card
from tests.integration.credit_card_log import MODEL, PARTITIONS, Log
from tests.integration.delayed_labels import WAIT, delayed, produce
from tests.integration.running import ended


@pytest.fixture(scope="module")
def card():
    try:
        return credit_card.load()
    except credit_card.DataMissing as error:
        pytest.fail(str(error), pytrace=False)


@pytest.fixture(scope="module")
def plan(card):
    return delayed(card)


@pytest.fixture(scope="module")
def log(bootstrap, admin, card, plan):
    """Produce all rows and their labels."""
    name = f"delayed-labels-{uuid.uuid4().hex[:8]}"
    topics = {part: f"{name}-{part}" for part in PARTITIONS}
    for part, topic in topics.items():
        kept = {"retention.ms": "-1"}  # the records are as old as the events
        admin.create_topics({topic: {"num_partitions": PARTITIONS[part], "replication_factor": 1, "configs": kept}})
    admin.wait_for_topics(list(topics.values()))
    records = produce(bootstrap, topics, card, plan)
    yield Log(bootstrap, topics, {"all": records}, 0)
    admin.delete_topics(list(topics.values()))


def watch_of(log, directory, name, **retrain):
    """Return a daemon on the log; `retrain` are settings of its policy."""
    watch = log.watch(directory, name)
    (model,) = watch.settings["models"].values()
    model["labels"] = model["labels"] | {"wait": f"{WAIT.days}d"}
    model["retrain"] = MODEL["retrain"] | {"min_labels": 3000} | retrain
    return watch


@pytest.fixture(scope="module")
def watches(log, tmp_path_factory):
    """Run two daemons until all is read: one asks for a retraining whatever it gains, one only if it gains enough."""
    live = watch_of(log, tmp_path_factory.mktemp("live"), "live")
    picky = watch_of(log, tmp_path_factory.mktemp("picky"), "picky", only_if="recovers 5 points")
    with live.running() as one, picky.running() as other:
        for watch, process in ((live, one), (picky, other)):
            watch.wait(process, lambda watch=watch: watch.finished(log.records), 400)
            assert ended(process, signal.SIGTERM)[0] == 0, watch.tail()
    return live, picky


@pytest.fixture(scope="module")
def live(watches):
    return watches[0]


@pytest.fixture(scope="module")
def picky(watches):
    return watches[1]


@pytest.fixture(scope="module")
def accounting(live):
    (model,) = live.report()["models"]
    return Counter(model["accounting"])


@pytest.fixture(scope="module")
def told(log, live):
    messages = [json.loads(record.value) for part in ("alerts", "retrain") for record in log.read(live, part)]
    sorts = {"alert": [], "incident": [], "retrain": []}
    for message in messages:
        sorts[message["type"].split(".")[2]].append(message)
    return sorts


def test_every_record_is_in_exactly_one_count(log, accounting):
    """These are the identities of docs/architecture.md."""
    assert not [name for name, n in accounting.items() if n and name.startswith(("dead_", "skipped_"))]
    assert accounting["predictions"] + accounting["labels"] == log.records
    assert accounting["predictions"] == sum(
        accounting[name] for name in ("late_predictions", "pending_predictions", "too_many_versions",
                                 "duplicate_predictions", "matched", "waiting_predictions", "expired_predictions")
    )  # fmt: skip
    assert accounting["labels"] == sum(
        accounting[name] for name in ("pending_labels", "matched", "duplicate_labels", "revised_labels", "late_labels",
                                 "orphan_labels", "waiting_labels")
    )  # fmt: skip


def test_the_counts_are_what_was_planted(accounting, card, plan):
    rows = len(card.predictions)
    assert accounting["predictions"] == rows
    assert accounting["labels"] == len(plan.labels)
    assert accounting["matched"] == plan.labelled.sum()
    assert accounting["waiting_predictions"] + accounting["expired_predictions"] == rows - plan.labelled.sum()
    assert accounting["duplicate_labels"] == plan.count("twice")
    assert accounting["revised_labels"] == plan.count("corrected")
    nothing = ("late_predictions", "retimed_labels", "late_labels", "orphan_labels", "waiting_labels",
               "pending_predictions", "pending_labels", "duplicate_predictions", "too_many_versions")  # fmt: skip
    assert {name: accounting[name] for name in nothing} == dict.fromkeys(nothing, 0)


def test_predictions_whose_label_is_missing_are_given_up_after_the_wait(accounting, plan):
    """Stretches of event time are dropped as a whole, so an hour or two more may wait than must."""
    end, missing = plan.times[-1], plan.times[~plan.labelled]
    must, may = (int((missing >= end - wait).sum()) for wait in (WAIT.total_seconds(), 1.2 * WAIT.total_seconds()))
    assert 0 < must <= accounting["waiting_predictions"] <= may


def test_accuracy_is_alerted_after_its_fall_and_nothing_before_it(told, card):
    change = card.times[credit_card.CHANGE] - credit_card.LABEL_DELAY
    firing = [alert for alert in told["alert"] if alert["data"]["status"] == "firing"]
    assert min(datetime.fromisoformat(alert["time"]) for alert in firing) >= change
    (first, *_) = (a for a in firing if a["data"]["labels"]["kind"] == "accuracy")
    around = [card.times[credit_card.CHANGE + rows] for rows in (-300, 300)]
    assert around[0] < datetime.fromisoformat(first["data"]["since"]) < around[1]
    assert first["data"]["direction"] == "worse"


def test_there_is_one_incident_and_one_trigger(told):
    assert {alert["data"]["incident"] for alert in told["alert"]} == {1}
    assert [trigger["data"]["incident"] for trigger in told["retrain"]] == [1]


def test_a_replay_of_the_same_topics_says_word_for_word_the_same(live, told):
    done = live.call("replay", "--kafka", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    said = [report[sort] for sort in ("alerts", "incidents", "triggers")]
    assert said == [told["alert"], told["incident"], told["retrain"]]


def test_the_trigger_says_that_a_retraining_recovers_little(told):
    (trigger,) = told["retrain"]
    estimate = trigger["data"]["window"]["estimate"]
    assert estimate["metric"] == "accuracy"
    assert estimate["reached"] == pytest.approx(0.591, abs=0.03)
    assert estimate["gain"] < 5
    assert estimate["usual"] == pytest.approx(0.755, abs=0.015)


def test_a_policy_that_asks_for_five_points_holds_the_trigger_back_and_says_why(log, picky, told):
    assert log.read(picky, "retrain") == []
    ids = {json.loads(record.value)["id"] for record in log.read(picky, "alerts")}
    assert ids == {message["id"] for message in (*told["alert"], *told["incident"])}, "people are told all the same"
    (model,) = picky.report()["models"]
    (held,) = model["held_back"]
    assert (held["reason"], held["incident"]) == ("recovers_too_little", 1)
    assert held["labelled"] >= 3000
