from __future__ import annotations

import itertools
import json
from datetime import datetime

import numpy as np
import pytest

from anchorwatch.settings.units import NS
from anchorwatch.simulate.faults import Fault, FaultKind
from anchorwatch.simulate.traffic import LABELS, PREDICTIONS, START, THRESHOLD, FraudTraffic

N = 9000
STORY = (
    Fault(FaultKind.AMOUNT_DRIFT, 2000),
    Fault(FaultKind.CONCEPT_DRIFT, 4000),
    Fault(FaultKind.SCHEMA_BREAK, 6000),
    Fault(FaultKind.NEW_VERSION, 7000),
)


@pytest.fixture(scope="module")
def messages():
    return list(FraudTraffic(3, N, STORY).messages())


@pytest.fixture(scope="module")
def predictions(messages):
    return [json.loads(m.value) for m in messages if m.topic == PREDICTIONS]


@pytest.fixture(scope="module")
def labels(messages):
    return [json.loads(m.value) for m in messages if m.topic == LABELS]


@pytest.fixture(scope="module")
def wrong():
    return np.concatenate([events.wrong for events in FraudTraffic(3, N, STORY).chunks()])


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(messages):
    assert list(FraudTraffic(3, N, STORY).messages()) == messages
    other = list(FraudTraffic(4, N, STORY).messages())
    assert {m.value for m in messages if m.topic == PREDICTIONS}.isdisjoint(m.value for m in other)


def test_a_longer_run_begins_like_a_shorter_one():
    short = [m for m in FraudTraffic(3, 5000).messages() if m.topic == PREDICTIONS]
    endless = (m for m in FraudTraffic(3).messages() if m.topic == PREDICTIONS)
    assert short == list(itertools.islice(endless, 5000))


def test_a_fault_changes_nothing_before_it(messages):
    calm = [m for m in FraudTraffic(3, N).messages() if m.topic == PREDICTIONS]
    faulty = [m for m in messages if m.topic == PREDICTIONS]
    assert faulty[:2000] == calm[:2000]
    assert faulty[2000:2100] != calm[2000:2100]


def test_messages_come_in_the_order_of_their_event_times(messages):
    times = [m.time for m in messages]
    assert times == sorted(times)


def test_each_message_carries_its_own_time_and_its_id_as_key(messages):
    for message in messages[::97]:
        event = json.loads(message.value)
        assert datetime.fromisoformat(event["ts"]).timestamp() == message.time // 10**6 / 1000
        assert event["request_id"].encode() == message.key


def test_there_are_a_thousand_predictions_a_day_and_each_id_is_new(messages, predictions):
    last = max(m.time for m in messages if m.topic == PREDICTIONS)
    assert (last - START) / NS["d"] == pytest.approx(N / 1000, rel=0.05)
    assert len({event["request_id"] for event in predictions}) == N


def test_labels_come_once_after_their_prediction_for_all_but_the_share_that_never_gets_one(messages):
    predicted = {m.key: m.time for m in messages if m.topic == PREDICTIONS}
    delays = [m.time - predicted[m.key] for m in messages if m.topic == LABELS]
    spacing = NS["d"] // 1000
    assert len({m.key for m in messages if m.topic == LABELS}) == len(delays)
    assert len(delays) / N == pytest.approx(0.9, abs=0.015)
    assert min(delays) > 0
    assert max(delays) <= 600 * spacing
    assert np.median(delays) == pytest.approx(60 * spacing, rel=0.1)
    assert np.mean(delays) > 1.2 * np.median(delays)  # skewed


@pytest.mark.parametrize(("unlabelled", "expected"), [(0.0, 500), (1.0, 0)])
def test_the_share_without_labels_can_be_set(unlabelled, expected):
    found = [m for m in FraudTraffic(1, 500, unlabelled=unlabelled).messages() if m.topic == LABELS]
    assert len(found) == expected


def test_amount_drift_multiplies_the_amounts_and_leaves_accuracy_alone(predictions, wrong):
    logs = np.log([event["amount"] for event in predictions])
    assert logs[2000:].mean() - logs[:2000].mean() == pytest.approx(np.log(1.4), abs=0.06)
    assert wrong[2000:4000].mean() - wrong[:2000].mean() < 0.02


def test_concept_drift_makes_the_model_worse_and_leaves_the_features_alone(predictions, wrong):
    assert wrong[:4000].mean() < 0.06
    assert wrong[4000:7000].mean() > 0.12
    for field, tolerance in (("amount", 5.0), ("hour", 0.5), ("device_age", 25.0), ("p_fraud", 0.02)):
        before = np.mean([event[field] for event in predictions[2000:4000]])
        after = np.mean([event[field] for event in predictions[4000:6000]])
        assert after == pytest.approx(before, abs=tolerance), field


def test_a_schema_break_renames_one_field_until_the_new_version_comes(predictions):
    renamed = ["device_age_days" in event for event in predictions]
    assert renamed == [6000 <= i < 7000 for i in range(N)]
    assert all(("device_age" in event) != other for event, other in zip(predictions, renamed, strict=True))


def test_the_new_version_is_as_good_in_the_new_world_as_the_old_one_was_in_the_old(predictions, wrong):
    assert [event["model_version"] for event in predictions] == ["1" if i < 7000 else "2" for i in range(N)]
    assert wrong[7000:].mean() < 0.08


def test_labels_say_what_the_score_should_have_said(predictions, labels, wrong):
    said = {event["request_id"]: event["p_fraud"] >= THRESHOLD for event in predictions}
    errors = [said[label["request_id"]] != bool(label["is_fraud"]) for label in labels]
    assert np.mean(errors) == pytest.approx(wrong.mean(), abs=0.01)


def test_the_hour_of_a_purchase_does_not_follow_the_event_time(predictions):
    hours = np.array([event["hour"] for event in predictions])
    assert ((hours >= 0) & (hours < 24)).all()
    assert abs(np.corrcoef(hours[:-1], hours[1:])[0, 1]) < 0.04


def test_numbers_that_cannot_be_are_refused():
    for wrong in ({"spacing": 0}, {"unlabelled": 1.5}, {"events": -1}, {"prefix": 'a"'}):
        with pytest.raises(ValueError, match=r"must|not plain"):
            FraudTraffic(**wrong)
