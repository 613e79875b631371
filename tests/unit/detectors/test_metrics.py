"""Accuracy metrics agree with their definitions, and their intervals hold what they promise."""

import math

import numpy as np
import pytest

from anchorwatch_detectors import metrics
from anchorwatch_detectors.metric import Metric

EPS = np.finfo(np.float64).eps


def truth_and_scores(seed, n=60, levels=9):
    """Return classes and scores with ties that know something of them."""
    rng = np.random.default_rng(seed)
    truth = (rng.random(n) < 0.4).astype(float)
    return truth, np.round(np.clip(0.25 * truth + 0.7 * rng.random(n), 0, 1) * levels) / levels


def naive_precision(truth, said):
    return sum(bool(t == g == 1) for t, g in zip(truth, said, strict=True)) / sum(bool(g == 1) for g in said)


def naive_recall(truth, said):
    return naive_precision(said, truth)


def naive_f1(truth, said):
    p, r = naive_precision(truth, said), naive_recall(truth, said)
    return 2.0 / (1.0 / p + 1.0 / r)


def naive_auc(truth, score):
    pairs = [(a, b) for a, t in zip(score, truth, strict=True) if t for b, f in zip(score, truth, strict=True) if not f]
    return sum(1.0 if a > b else 0.5 if a == b else 0.0 for a, b in pairs) / len(pairs)


def naive_average_precision(truth, score):
    """Return the sum of precisions weighed by the rise of the recall, from the highest threshold down."""
    total, before = 0.0, 0.0
    for threshold in sorted(set(score.tolist()), reverse=True):
        recall = naive_recall(truth, score >= threshold)
        total += (recall - before) * naive_precision(truth, score >= threshold)
        before = recall
    return total


def naive_log_loss(truth, score):
    p = [min(max(s, EPS), 1 - EPS) for s in score.tolist()]
    return -sum(math.log(a if t else 1 - a) for a, t in zip(p, truth, strict=True)) / len(p)


def naive_calibration(truth, score):
    total = 0.0
    for k in range(10):
        mine = [i for i, s in enumerate(score) if min(int(s * 10), 9) == k]
        if mine:
            total += len(mine) / len(score) * abs(np.mean(truth[mine]) - np.mean(score[mine]))
    return total


def naive_macro(of_one):
    def mean(truth, said):
        found = []
        for word in sorted({*truth.tolist(), *said.tolist()}):
            try:
                found.append(of_one((truth == word) * 1, (said == word) * 1))
            except ZeroDivisionError:
                found.append(0.0)
        return sum(found) / len(found)

    return mean


OF_SCORES = {
    "roc_auc": naive_auc,
    "average_precision": naive_average_precision,
    "log_loss": naive_log_loss,
    "brier": lambda t, s: sum((a - b) ** 2 for a, b in zip(t, s, strict=True)) / len(t),
    "calibration_error": naive_calibration,
}
OF_CLASSES = {
    "accuracy": lambda t, g: sum(a == b for a, b in zip(t, g, strict=True)) / len(t),
    "precision": naive_precision,
    "recall": naive_recall,
    "f1": naive_f1,
}
OF_MANY = {
    "macro_precision": naive_macro(naive_precision),
    "macro_recall": naive_macro(naive_recall),
    "macro_f1": naive_macro(naive_f1),
}
OF_VALUES = {
    "mae": lambda t, v: sum(abs(a - b) for a, b in zip(t, v, strict=True)) / len(t),
    "rmse": lambda t, v: math.sqrt(sum((a - b) ** 2 for a, b in zip(t, v, strict=True)) / len(t)),
    "mape": lambda t, v: sum(abs(a - b) / abs(a) for a, b in zip(t, v, strict=True)) / len(t),
    "r2": lambda t, v: 1 - sum((t - v) ** 2) / sum((t - sum(t) / len(t)) ** 2),
}


def naive_lists(of_one):
    def mean(relevant, ranks):
        found = [of_one(r, row) for r, row in zip(relevant.tolist(), ranks.tolist(), strict=True) if r]
        return sum(found) / len(found)

    return mean


def naive_ndcg(relevant, row):
    gain = sum(hit / math.log2(rank + 2) for rank, hit in enumerate(row))
    return gain / sum(1 / math.log2(rank + 2) for rank in range(min(int(relevant), len(row))))


OF_RANKS = {
    "ndcg_at_k": naive_lists(naive_ndcg),
    "recall_at_k": naive_lists(lambda relevant, row: sum(row) / relevant),
    "click_through_rate": lambda relevant, _: sum(bool(r) for r in relevant) / len(relevant),
}


def lists(rng, n, k=5):
    """Return how many items are relevant for each list, and at which of its ranks; some stand at none."""
    ranks = (rng.random((n, k)) < np.linspace(0.3, 0.05, k)) * 1.0
    return ranks.sum(axis=1) + rng.choice([0, 1, 3], n, p=[0.7, 0.2, 0.1]), ranks


def sample(name, seed, n=60):
    """Return a sample of the kind that a metric takes."""
    truth, score = truth_and_scores(seed, n)
    rng = np.random.default_rng([seed, 1])
    if name in OF_SCORES:
        return truth, score
    if name in OF_RANKS:
        return lists(rng, n)
    if name in OF_CLASSES:
        return truth, (score >= 0.5).astype(float)
    if name in OF_MANY:
        many = rng.integers(0, 4, n)
        return many.astype(float), np.where(rng.random(n) < 0.7, many, rng.integers(0, 5, n)).astype(float)
    values = rng.gamma(3.0, 2.0, n)
    return values, values + rng.normal(0, 1.0, n)


NAIVE = {**OF_SCORES, **OF_CLASSES, **OF_MANY, **OF_VALUES, **OF_RANKS}


def test_every_metric_has_a_definition_to_be_compared_with():
    assert sorted(NAIVE) == metrics.names()
    assert [name for name in metrics.names() if metrics.find(name).name != name] == []


@pytest.mark.parametrize("name", sorted(NAIVE))
@pytest.mark.parametrize("seed", range(5))
def test_a_metric_is_what_its_definition_says_ties_included(name, seed):
    truth, given = sample(name, seed)
    assert metrics.find(name).of(truth, given).value == pytest.approx(NAIVE[name](truth, given), rel=1e-12)


@pytest.mark.parametrize("name", sorted(NAIVE))
def test_rows_without_a_number_count_for_nothing(name):
    truth, given = sample(name, 7)
    more = np.full((2, *given.shape[1:]), 1.0)
    more[1:, ...] = np.nan
    holes = np.concatenate([truth, [np.nan, 1.0]]), np.concatenate([given, more])
    assert metrics.find(name).of(*holes) == metrics.find(name).of(truth, given)


@pytest.mark.parametrize("name", sorted(NAIVE))
@pytest.mark.parametrize("n", [0, 1])
def test_too_few_rows_are_undefined_or_have_a_finite_interval(name, n):
    truth, given = sample(name, 3)
    found = metrics.find(name).of(truth[:n], given[:n])
    assert math.isnan(found.value) or (found.low <= found.value <= found.high and found.error > 0)
    assert n == 1 or math.isnan(found.value)


@pytest.mark.parametrize("name", ["roc_auc", "average_precision", "recall"])
def test_one_class_alone_is_undefined(name):
    assert math.isnan(metrics.find(name).of(np.zeros(20), np.linspace(0, 0.9, 20)).value)


@pytest.mark.parametrize("name", ["log_loss", "brier", "calibration_error"])
def test_scores_that_are_no_probabilities_have_no_loss(name):
    assert math.isnan(metrics.find(name).of(np.array([0.0, 1, 1]), np.array([0.2, 0.3, 1.7])).value)


@pytest.mark.parametrize("name", sorted(NAIVE))
def test_an_interval_holds_the_truth_in_about_95_of_100_samples(name):
    """The truth is the metric of a very large sample; the calibration error of 500 rows is above it by chance."""
    metric = metrics.find(name)
    whole = metric.of(*sample(name, 99, 400_000)).value
    held = sum(found.low <= whole <= found.high for found in (metric.of(*sample(name, s, 500)) for s in range(400)))
    assert 0.92 <= held / 400 <= (1.0 if name == "calibration_error" else 0.98)


@pytest.mark.parametrize("name", sorted(NAIVE))
def test_the_error_is_that_of_repeated_samples(name):
    found = [metrics.find(name).of(*sample(name, s, 500)) for s in range(400)]
    spread = np.std([each.value for each in found])
    assert np.mean([each.error for each in found]) == pytest.approx(spread, rel=0.15)


def test_a_calibrated_model_has_a_calibration_error_within_its_excess():
    rng = np.random.default_rng(5)
    scores = rng.random((200, 400))
    found = [metrics.find("calibration_error").of((rng.random(400) < s).astype(float), s) for s in scores]
    assert 0.8 < np.mean([e.value for e in found]) / np.mean([e.excess for e in found]) <= 1.05
    assert np.mean([e.low == 0.0 for e in found]) > 0.95


@pytest.mark.parametrize("name", ["roc_auc", "average_precision", "accuracy", "f1"])
def test_a_sample_without_a_fault_leaves_room_for_one(name):
    truth = np.array([0.0, 1.0] * 20)
    found = metrics.find(name).of(truth, truth)
    assert (found.value, found.high) == (1.0, 1.0)
    assert 0.8 < found.low < 1.0
    assert found.error > 0.01


def test_a_name_that_is_not_known_is_told_with_one_that_is():
    with pytest.raises(ValueError, match="did you mean `roc_auc`"):
        metrics.find("rocauc")


def test_metrics_are_told_by_what_a_model_gives():
    with_scores = {m.name for m in metrics.suiting("binary", scores=True)}
    without = {m.name for m in metrics.suiting("binary", scores=False)}
    assert with_scores - without == set(OF_SCORES)
    assert {m.name for m in metrics.suiting("regression", scores=False)} == set(OF_VALUES)
    assert {m.name for m in metrics.suiting("multiclass", scores=True)} == {"accuracy", *OF_SCORES, *OF_MANY}
    assert {m.name for m in metrics.suiting("multiclass", scores=False)} == {"accuracy", *OF_MANY}
    assert {m.name for m in metrics.suiting("ranking", scores=False)} == set(OF_RANKS)
    assert all(isinstance(m, Metric) for m in metrics.suiting("binary", scores=True))


@pytest.mark.parametrize("shape", [(3, 4), (2, 1)])
def test_columns_of_different_length_are_refused(shape):
    with pytest.raises(ValueError, match="one length"):
        metrics.find("accuracy").of(np.zeros(shape[0]), np.zeros(shape[1]))


@pytest.mark.parametrize("name", ["ndcg_at_k", "recall_at_k"])
def test_lists_for_which_nothing_is_relevant_leave_ndcg_and_recall_as_they_are(name):
    relevant, ranks = lists(np.random.default_rng(1), 80)
    more = np.concatenate([relevant, np.zeros(30)]), np.concatenate([ranks, np.zeros((30, 5))])
    assert metrics.find(name).of(*more) == metrics.find(name).of(relevant, ranks)
    assert math.isnan(metrics.find(name).of(np.zeros(30), np.zeros((30, 5))).value)


@pytest.mark.parametrize(("relevant", "ranks"), [((3,), (3,)), ((3,), (2, 4)), ((3,), (3, 0))])
def test_ranks_that_do_not_fit_their_counts_are_refused(relevant, ranks):
    with pytest.raises(ValueError, match="so many rows of ranks"):
        metrics.find("ndcg_at_k").of(np.zeros(relevant), np.zeros(ranks))
