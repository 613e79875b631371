"""What a retraining would recover, where that is known: on real data little, on simulated data much."""

import json
from datetime import UTC, datetime

import pytest
from tests.integration import credit_card
from tests.integration.credit_card import CATEGORIES, CHANGE, NUMERIC
from tests.integration.following import followed

from anchorwatch.engine.recovery import estimator
from anchorwatch.settings.models import Model
from anchorwatch.simulate.faults import Fault, FaultKind
from anchorwatch.simulate.traffic import LABELS, PREDICTIONS, FraudTraffic

BEST = 0.591
"""Accuracy on later rows of gradient boosting on the first 10,000 rows after the change (scikit-learn)."""
BOOSTED = {1: 0.915, 2: 0.916}
"""Average precision on later rows of gradient boosting on 3,000 rows after the change, by seed of the traffic."""


@pytest.fixture(scope="module")
def card():
    """Return the model on the credit-card rows from 84,000 on, where its baseline begins."""
    data = credit_card.load()
    rows = slice(CHANGE - 6000, CHANGE + 4000)
    model = Model.model_validate({
        "predictions": {
            "topic": "p", "id": "id", "time": "timestamp",
            "features": dict.fromkeys(NUMERIC, "numeric") | dict.fromkeys(CATEGORIES, "category"),
            "prediction": {"kind": "multiclass", "class": "y_pred"},
        },
        "labels": {"topic": "l", "id": "id", "time": "ts", "value": "y"},
        "baseline": {"first": 3000}, "retrain": {"when": "accuracy worse"},
    })  # fmt: skip
    topics = {
        "p": [json.dumps(row).encode() for row in data.predictions[rows]],
        "l": [json.dumps(row).encode() for row in data.labels[rows]],
    }
    watch, state, _ = followed(model, topics)
    return watch, state, data.times


@pytest.mark.parametrize("n", [2000, 3000])
def test_the_estimate_on_credit_card_rows_says_that_a_retraining_recovers_little(card, n):
    """It comes within 3 points of what gradient boosting reaches on ten thousand rows, and gains less than 5."""
    watch, state, times = card
    track = state.versions[0].outcomes
    since = int(times[CHANGE].timestamp()) * 10**9
    before = track.marks[0].rows - 4000
    found = estimator(watch, state)("", since, before + n)
    assert found.metric == "accuracy"
    assert n * 7 // 8 <= found.rows <= n
    assert found.reached == pytest.approx(BEST, abs=0.03)
    assert found.low < BEST < found.high
    assert found.gain < 5
    assert found.usual == pytest.approx(0.755, abs=0.02)


def test_with_few_rows_the_gain_is_little_too(card):
    """The first 500 rows after the change are worse for any model (.506), so their score is low; the gain is not."""
    watch, state, times = card
    before = state.versions[0].outcomes.marks[0].rows - 4000
    found = estimator(watch, state)("", int(times[CHANGE].timestamp()) * 10**9, before + 500)
    assert found.gain < 5
    assert estimator(watch, state)("", int(times[CHANGE].timestamp()) * 10**9, before + 150) is None


def _fraud(seed):
    model = Model.model_validate({
        "predictions": {
            "topic": PREDICTIONS, "id": "request_id", "time": "ts", "version": "model_version",
            "features": {
                "amount": "numeric", "hour": "numeric", "device_age": "numeric", "country": "category",
                "merchant": "category",
            },
            "prediction": {"kind": "binary", "score": "p_fraud"},
        },
        "labels": {"topic": LABELS, "id": "request_id", "time": "ts", "value": "is_fraud"},
        "baseline": {"first": 2000}, "retrain": {"when": "accuracy worse"},
    })  # fmt: skip
    traffic = FraudTraffic(seed, 9000, (Fault(FaultKind.CONCEPT_DRIFT, 5000),))
    topics = {PREDICTIONS: [], LABELS: []}
    since = 0
    for message in traffic.messages():
        topics[message.topic].append(message.value)
        if message.topic == PREDICTIONS and len(topics[PREDICTIONS]) == 5001:
            since = int(datetime.fromisoformat(json.loads(message.value)["ts"]).astimezone(UTC).timestamp()) * 10**9
    return *followed(model, topics)[:2], since


@pytest.mark.parametrize("seed", sorted(BOOSTED))
def test_the_estimate_on_moved_fraud_says_that_a_retraining_recovers_much(seed):
    """Its average precision is within 3 points of gradient boosting's, and far above that of the model."""
    watch, state, since = _fraud(seed)
    found = estimator(watch, state)("1", since, 10**9)
    assert found.metric == "average precision"
    assert found.reached == pytest.approx(BOOSTED[seed], abs=0.03)
    assert found.low < found.reached < found.high
    assert found.gain > 20
