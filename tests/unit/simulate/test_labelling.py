"""Late labels with the mishaps of real feeds, and traffic whose fraud moves so that a retraining helps."""

from __future__ import annotations

import itertools
import json
from collections import defaultdict

import numpy as np
import pytest

from anchorwatch.simulate import world
from anchorwatch.simulate.faults import Fault, FaultKind
from anchorwatch.simulate.labelling import ROUGH, Mishaps
from anchorwatch.simulate.traffic import LABELS, PREDICTIONS, FraudTraffic

N, MOVES, SERVED = 16_000, 6_000, 11_000
ROUGHLY = Mishaps(delay=90.0, spread=1.0, longest=900.0, twice=0.04, corrected=0.03, early=0.02)


@pytest.fixture(scope="module")
def traffic():
    return FraudTraffic(5, N, unlabelled=0.05, mishaps=ROUGHLY)


@pytest.fixture(scope="module")
def messages(traffic):
    return list(traffic.messages())


@pytest.fixture(scope="module")
def labels(messages):
    """Return the labels of each prediction that has any, in the order in which they come."""
    found = defaultdict(list)
    for message in messages:
        if message.topic == LABELS:
            found[message.key].append((message.time, json.loads(message.value)["is_fraud"]))
    return found


@pytest.fixture(scope="module")
def columns(traffic):
    chunks = list(traffic.chunks())
    return {name: np.concatenate([getattr(chunk, name) for chunk in chunks])
            for name in ("time", "label_time", "again_time", "corrected", "fraud")}  # fmt: skip


def test_mishaps_have_the_shares_that_were_asked_for(columns):
    labelled = columns["label_time"] >= 0
    n = labelled.sum()
    twice = (columns["again_time"] >= 0) & ~columns["corrected"]
    assert n / N == pytest.approx(0.95, abs=0.006)
    assert twice.sum() / n == pytest.approx(0.04, abs=0.006)
    assert columns["corrected"].sum() / n == pytest.approx(0.03, abs=0.006)
    assert (labelled & (columns["label_time"] < columns["time"])).sum() / n == pytest.approx(0.02, abs=0.006)


def test_what_is_planted_is_what_is_written(messages, labels, columns):
    predicted = {message.key: message.time for message in messages if message.topic == PREDICTIONS}
    assert len(labels) == (columns["label_time"] >= 0).sum()
    assert sum(len(each) == 2 for each in labels.values()) == (columns["again_time"] >= 0).sum()
    assert max(len(each) for each in labels.values()) == 2
    early = (columns["label_time"] >= 0) & (columns["label_time"] < columns["time"])
    assert sum(each[0][0] < predicted[key] for key, each in labels.items()) == early.sum() > 0


def test_a_second_label_repeats_the_first_or_corrects_it_to_what_is_true(labels, columns):
    pairs = [(first, again, int(key[-8:])) for key, (first, again) in
             ((key, each) for key, each in labels.items() if len(each) == 2)]  # fmt: skip
    assert all(again[0] > first[0] and again[1] == columns["fraud"][i] for first, again, i in pairs)
    assert sum(first[1] != again[1] for first, again, _ in pairs) == columns["corrected"].sum() > 0


def test_messages_come_in_the_order_of_their_event_times_early_labels_too(messages):
    times = [message.time for message in messages]
    assert times == sorted(times)


def test_mishaps_change_no_prediction_and_no_label_that_nothing_happens_to(messages, columns):
    smooth = FraudTraffic(5, N, unlabelled=0.05, mishaps=Mishaps(delay=90.0, spread=1.0, longest=900.0))
    untouched = (columns["again_time"] < 0) & (columns["label_time"] >= columns["time"])
    wanted = {f"tx-{i:08}".encode() for i in np.flatnonzero(untouched)}
    of_both = [{m for m in each if m.topic == PREDICTIONS or m.key in wanted} for each in (messages, smooth.messages())]
    assert of_both[0] == of_both[1]


def test_delays_are_skewed_and_bounded(columns):
    late = (columns["label_time"] >= 0) & (columns["label_time"] >= columns["time"])
    delays = (columns["label_time"] - columns["time"])[late] / FraudTraffic().spacing
    assert np.median(delays) == pytest.approx(90, rel=0.05)
    assert np.mean(delays) > 1.4 * np.median(delays)
    assert delays.max() <= 900


@pytest.mark.parametrize(
    "wrong", [{"twice": -0.1}, {"twice": 0.6, "early": 0.6}, {"delay": 0.0}, {"spread": -1.0}, {"longest": 1.0}]
)
def test_mishaps_that_cannot_be_are_refused(wrong):
    with pytest.raises(ValueError, match="must"):
        Mishaps(**wrong)


# Fraud that moves, and a retraining that helps


def average_precision(fraud, score):
    """Return the mean of the precision at each fraud, payments in falling order of score; ties are rare here."""
    found = fraud[np.argsort(-score, kind="stable")]
    return float((np.cumsum(found) / np.arange(1, len(found) + 1))[found].mean())


@pytest.fixture(scope="module")
def moving():
    """Return scores and truth where fraud moves and, later, one who knows the new ways answers."""

    def knows(payments):
        return world.score(
            payments, np.ones(len(payments.amount), bool), np.zeros(len(payments.amount), bool), world.CLEAR
        )

    faults = [Fault(FaultKind.CONCEPT_DRIFT, MOVES), Fault(FaultKind.NEW_VERSION, SERVED)]
    chunks = list(FraudTraffic(5, N, faults, ways=world.CLEAR, scorer=knows).chunks())
    return np.concatenate([c.fraud for c in chunks]), np.concatenate([c.score for c in chunks])


def test_where_fraud_moves_clearly_the_old_model_ranks_badly_and_one_that_knows_as_well_as_before(moving):
    parts = [slice(0, MOVES), slice(MOVES, SERVED), slice(SERVED, N)]
    before, moved, retrained = (average_precision(moving[0][part], moving[1][part]) for part in parts)
    assert before == pytest.approx(0.92, abs=0.02)
    assert moved < 0.7
    assert before <= retrained <= before + 0.04, "what is learnt of some thousand payments is a little below"


def test_where_fraud_moves_clearly_it_stays_as_frequent(moving):
    assert moving[0][:MOVES].mean() == pytest.approx(moving[0][MOVES:].mean(), abs=0.04)


def test_a_model_from_outside_answers_from_its_version_on_and_sees_the_payments_it_answers():
    seen = []

    def theirs(payments):
        seen.append(payments.amount)
        return np.full(len(payments.amount), 0.25)

    plain = [m for m in FraudTraffic(3, 5000).messages() if m.topic == PREDICTIONS]
    served = FraudTraffic(3, 5000, [Fault(FaultKind.NEW_VERSION, 4500)], scorer=theirs)
    events = [m for m in served.messages() if m.topic == PREDICTIONS]
    assert events[:4500] == plain[:4500]
    bodies = [json.loads(m.value) for m in events[4500:]]
    assert {(body["model_version"], body["p_fraud"]) for body in bodies} == {("2", 0.25)}
    amounts = itertools.chain.from_iterable(seen)
    assert [body["amount"] for body in bodies] == list(itertools.islice(amounts, 500))


def test_rough_labels_are_those_of_the_fraud_case():
    assert (ROUGH.twice, ROUGH.corrected, ROUGH.early) == (0.02, 0.01, 0.01)
