"""Metrics of the probabilities of several classes: what they are, and that their intervals hold what they promise."""

import math

import numpy as np
import pytest

from anchorwatch_detectors import metrics

LOSSES = ("log_loss", "brier", "calibration_error")
NAMES = (*LOSSES, "roc_auc", "average_precision")
BINS = 10


def sample(seed, n=500, classes=3):
    """Return the true classes and the probabilities of a model that is too sure of itself."""
    rng = np.random.default_rng(seed)
    real = rng.dirichlet([0.8] * classes, n)
    sharp = real**1.5
    truth = (rng.random(n)[:, None] > real.cumsum(axis=1)[:, :-1]).sum(axis=1)
    return truth, sharp / sharp.sum(axis=1, keepdims=True)


def judged(name, truth, p):
    return metrics.find(name).of(truth.astype(float), p)


def test_the_calibration_error_compares_the_probability_of_the_predicted_class_with_how_often_it_was_right():
    truth, p = sample(1)
    said, total = p.argmax(axis=1), 0.0
    for k in range(BINS):
        mine = [i for i in range(len(p)) if min(int(p[i, said[i]] * BINS), BINS - 1) == k]
        if mine:
            gap = np.mean([said[i] == truth[i] for i in mine]) - np.mean([p[i, said[i]] for i in mine])
            total += len(mine) / len(p) * abs(gap)
    assert judged("calibration_error", truth, p).value == pytest.approx(total, rel=1e-12)


@pytest.mark.parametrize("name", LOSSES)
def test_two_classes_are_judged_as_their_positive_scores_are_the_brier_score_twice(name):
    """The calibration error differs by its nature: of two classes it is that of the positive one."""
    truth, p = sample(2, classes=2)
    of_scores = metrics.find(name).of(truth.astype(float), p[:, 1])
    found = judged(name, truth, p)
    if name == "calibration_error":
        sure = np.where(p[:, 1] > 0.5, p[:, 1], p[:, 0])
        right = ((p[:, 1] > 0.5) == truth).astype(float)
        assert found == metrics.find(name).of(right, sure)
        return
    factor = 2.0 if name == "brier" else 1.0
    assert found[:4] == pytest.approx(tuple(factor * each for each in of_scores[:4]), rel=1e-9)
    assert found[4:] == of_scores[4:]


@pytest.mark.parametrize("name", NAMES)
def test_the_interval_holds_the_truth_in_about_95_of_100_samples(name):
    """The truth is the metric of a very large sample; the calibration error of 500 rows is above it by chance."""
    whole = judged(name, *sample(99, 400_000)).value
    found = [judged(name, *sample(seed)) for seed in range(400)]
    held = sum(each.low <= whole <= each.high for each in found)
    assert 0.92 <= held / 400 <= (1.0 if name == "calibration_error" else 0.98)
    spread = np.std([each.value for each in found])
    assert np.mean([each.error for each in found]) == pytest.approx(spread, rel=0.15)


@pytest.mark.parametrize("name", NAMES)
def test_rows_without_probabilities_count_for_nothing(name):
    truth, p = sample(3, 60)
    more = np.concatenate([p, np.full((2, 3), np.nan)])
    assert judged(name, np.append(truth, [1, 2]), more) == judged(name, truth, p)


def test_a_true_class_that_has_no_probability_was_given_none():
    """The loss is bounded by the smallest probability that counts, the distance is as far as it can be."""
    p = np.array([[0.6, 0.4], [1.0, 0.0]])
    truth = np.array([2, 3])
    assert judged("brier", truth, p).value == pytest.approx((1.52 + 2.0) / 2)
    assert judged("log_loss", truth, p).value == pytest.approx(-math.log(np.finfo(float).eps))
    assert judged("calibration_error", truth, p).value == pytest.approx(0.8)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("n", [0, 1])
def test_too_few_rows_are_undefined(name, n):
    truth, p = sample(4, 20)
    assert math.isnan(judged(name, truth[:n], p[:n]).value)


@pytest.mark.parametrize("name", ["roc_auc", "average_precision"])
def test_a_class_that_did_not_come_twice_leaves_the_mean_over_classes_undefined(name):
    """A mean over those that came would change with them; a class that has no probability is one of the others."""
    truth, p = sample(5, 200)
    assert 0.5 < judged(name, truth, p).value < 1.0
    assert 0.5 < judged(name, np.where(truth == 2, np.arange(200) % 5, truth), p).value < 1.0
    assert math.isnan(judged(name, np.where(truth == 2, 0, truth), p).value)
    once = np.where(truth == 2, 0, truth)
    once[0] = 2
    assert math.isnan(judged(name, once, p).value)


@pytest.mark.parametrize("name", LOSSES)
def test_what_is_no_probability_has_no_loss(name):
    truth, p = sample(6, 60)
    assert math.isnan(judged(name, truth, p * 1.5).value)
