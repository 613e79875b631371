"""What cheap models recover, on rows made for it."""

import math

import numpy as np
import pytest

from anchorwatch_detectors import learners
from anchorwatch_detectors.recoverable import average_precision, of_classes, of_scores, of_values
from anchorwatch_detectors.views import Table, cells, leaves

NONE = np.empty((0, 0), np.uint64)


def table(numeric, *, said=None, number=None, label=None, target=None, category=None):
    n = numeric.shape[1]
    words = np.zeros(n, np.uint64)
    numbers = np.full(n, np.nan)
    return Table(
        numeric,
        np.empty((0, n), np.uint64) if category is None else category,
        words if said is None else said.astype(np.uint64) + np.uint64(1),
        numbers if number is None else number,
        words if label is None else label.astype(np.uint64) + np.uint64(1),
        numbers if target is None else target,
    )


def test_where_the_model_is_as_good_as_can_be_nothing_is_recovered():
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3, 1500))
    p = 1 / (1 + np.exp(-2 * x[0]))
    label = rng.random(1500) < p
    found = of_classes(table(x, said=p > 0.5, label=label))
    assert found.metric == "accuracy"
    assert abs(found.reached - found.current) < 0.03
    assert found.low < found.current < found.high


def test_a_relation_that_turned_round_is_learnt():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(3, 1500))
    p = 1 / (1 + np.exp(-4 * x[0]))
    label = rng.random(1500) < p
    found = of_classes(table(x, said=p < 0.5, label=label))
    assert found.current < 0.2
    assert found.reached > 0.8


def test_a_relation_of_two_features_together_is_learnt_by_trees():
    """No linear model can: the class is whether two signs differ."""
    rng = np.random.default_rng(2)
    x = rng.normal(size=(2, 3000))
    found = of_classes(table(x, label=(x[0] > 0) ^ (x[1] > 0)))
    assert found.reached > 0.75


def test_an_error_that_depends_on_a_feature_is_learnt():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(2, 2000))
    said = 100 + 20 * x[0]
    found = of_values(table(x, number=said, target=said + 30 * np.sin(2 * x[1]) + rng.normal(0, 5, 2000)))
    assert found.metric == "error"
    assert found.current > 17
    assert found.reached < 8
    assert found.low < found.reached < found.high


def test_missing_numbers_and_rare_categories_are_learnt_from_too():
    """Here a number is missing where the class is 1, and nothing else tells."""
    rng = np.random.default_rng(4)
    label = rng.random(1000) < 0.3
    x = np.where(label, np.nan, rng.normal(size=1000))[None, :]
    words = rng.integers(0, 400, (1, 1000)).astype(np.uint64)
    found = of_scores(table(x, number=rng.random(1000), label=label, category=words), 2)
    assert found.metric == "average precision"
    assert found.reached > 0.95
    assert found.current < 0.5


@pytest.mark.parametrize("n", [0, 199])
def test_too_few_rows_say_nothing(n):
    rng = np.random.default_rng(5)
    x, label = rng.normal(size=(1, n)), rng.random(n) < 0.5
    assert of_classes(table(x, label=label)) is None
    assert of_scores(table(x, number=rng.random(n), label=label), 2) is None
    assert of_values(table(x, number=rng.random(n), target=rng.random(n))) is None


def test_too_few_positives_say_nothing():
    rng = np.random.default_rng(6)
    label = np.arange(1000) % 60 == 0
    assert of_scores(table(rng.normal(size=(1, 1000)), number=rng.random(1000), label=label), 2) is None


def test_the_same_rows_give_the_same_digits():
    rng = np.random.default_rng(7)
    x, label = rng.normal(size=(2, 600)), rng.integers(0, 3, 600)
    assert of_classes(table(x, label=label)) == of_classes(table(x, label=label))


def test_a_row_is_predicted_before_it_is_learnt():
    """Where the label of a row tells nothing of others, no model is better than chance."""
    rng = np.random.default_rng(8)
    rows = cells(table(rng.normal(size=(4, 1000))))
    labels = rng.integers(0, 2, 1000)
    for learner in learners.classifiers(2):
        seen = leaves(table(rng.normal(size=(4, 1000)))) if learner.view == "leaves" else rows
        guess = learners.probabilities(learner, seen, labels, 2).argmax(axis=1)
        assert abs((guess == labels)[500:].mean() - 0.5) < 0.07


def test_average_precision_is_the_area_under_the_steps():
    """Equal scores count together; without positives it is not defined."""
    truth = np.array([True, False, True, False])
    assert average_precision(truth, np.array([0.9, 0.8, 0.7, 0.6])) == pytest.approx((1 + 2 / 3) / 2)
    assert average_precision(truth, np.full(4, 0.5)) == pytest.approx(0.5)
    assert math.isnan(average_precision(~truth & truth, np.arange(4.0)))
