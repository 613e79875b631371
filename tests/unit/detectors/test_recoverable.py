"""What cheap models recover, on rows made for it."""

import math

import numpy as np
import pytest
from benchmarks.river_learning import learnt_by_river
from river import linear_model, optim

from anchorwatch_detectors import learners
from anchorwatch_detectors.recoverable import average_precision, of_classes, of_scores, of_values
from anchorwatch_detectors.views import Sparse, Table, cells, pairs

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


def test_a_relation_of_two_features_together_is_learnt():
    """The class is whether two signs differ: either feature alone says nothing."""
    rng = np.random.default_rng(2)
    x = rng.normal(size=(2, 3000))
    found = of_classes(table(x, label=(x[0] > 0) ^ (x[1] > 0)))
    assert found.reached > 0.9


def test_an_error_that_depends_on_two_features_together_is_learnt():
    rng = np.random.default_rng(2)
    x = rng.normal(size=(2, 2000))
    said = rng.normal(100, 20, 2000)
    found = of_values(table(x, number=said, target=said + 30 * np.sign(x[0] * x[1])))
    assert found.current > 29
    assert found.reached < 8


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
    rows = table(rng.normal(size=(4, 1000)))
    labels = rng.integers(0, 2, 1000)
    for learner in learners.classifiers(2):
        seen = (cells if learner.view == "cells" else pairs)(rows)
        guess = learners.probabilities(learner, seen, labels, 2).argmax(axis=1)
        assert abs((guess == labels)[500:].mean() - 0.5) < 0.07


def sparse_rows(n, seed):
    """Return rows of two categories and a number, for the kernels and for river."""
    rng = np.random.default_rng(seed)
    places = np.stack([rng.integers(0, 5, n), 5 + rng.integers(0, 7, n), np.full(n, 12)], axis=1)
    numbers = np.stack([np.ones(n), np.ones(n), rng.normal(size=n)], axis=1)
    rows = [dict(zip(p, x, strict=True)) for p, x in zip(places.tolist(), numbers.tolist(), strict=True)]
    return Sparse(places, numbers, 13), rows


@pytest.mark.parametrize("replay", [False, True])
@pytest.mark.parametrize("classes", [2, 3])
def test_classes_are_learnt_as_rivers_models_learn_them(classes, replay):
    """The last class comes late: till then the model does not know of it."""
    n, learner = 700, learners.Learner("cells", replay)
    sparse, rows = sparse_rows(n, 9)
    labels = (sparse.places[:, 0] + (sparse.numbers[:, 2] > 0)) % classes
    labels[:100] %= max(classes - 1, 2)
    kind = linear_model.LogisticRegression if classes == 2 else linear_model.SoftmaxRegression
    model = kind(optim.AdaGrad(learners.RATE), l2=learners.L2)
    theirs = learnt_by_river(model, learner, rows, labels.tolist(), model.predict_proba_one)
    expected = np.array([[float(said.get(k, 0.0)) for k in range(classes)] for said in theirs])
    assert learners.probabilities(learner, sparse, labels, classes) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("replay", [False, True])
@pytest.mark.parametrize("robust", [False, True])
def test_values_are_learnt_as_rivers_model_learns_them(robust, replay):
    learner = learners.Learner("cells", replay, robust)
    sparse, rows = sparse_rows(700, 10)
    targets = 3.0 * sparse.numbers[:, 2] + sparse.places[:, 0]
    loss = optim.losses.Absolute() if robust else optim.losses.Squared()
    model = linear_model.LinearRegression(optim.AdaGrad(learners.RATE), loss=loss, l2=learners.L2)
    expected = learnt_by_river(model, learner, rows, targets.tolist(), model.predict_one)
    assert learners.values(learner, sparse, targets) == pytest.approx(np.array(expected), abs=1e-9)


def test_many_columns_are_seen_in_a_bounded_number_of_pairs():
    rng = np.random.default_rng(11)
    wide = pairs(table(rng.normal(size=(60, 300))))
    assert wide.places.shape[1] == cells(table(rng.normal(size=(60, 300)))).places.shape[1] + 190


def test_average_precision_is_the_area_under_the_steps():
    """Equal scores count together; without positives it is not defined."""
    truth = np.array([True, False, True, False])
    assert average_precision(truth, np.array([0.9, 0.8, 0.7, 0.6])) == pytest.approx((1 + 2 / 3) / 2)
    assert average_precision(truth, np.full(4, 0.5)) == pytest.approx(0.5)
    assert math.isnan(average_precision(~truth & truth, np.arange(4.0)))
