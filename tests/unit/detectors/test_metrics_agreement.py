"""Accuracy metrics are scikit-learn's, to the last digits."""

import numpy as np
import pytest
from sklearn import metrics as theirs

from anchorwatch_detectors import metrics

OF_SCORES = {
    "roc_auc": theirs.roc_auc_score,
    "average_precision": theirs.average_precision_score,
    "log_loss": theirs.log_loss,
    "brier": theirs.brier_score_loss,
}
OF_CLASSES = {
    "accuracy": theirs.accuracy_score,
    "precision": theirs.precision_score,
    "recall": theirs.recall_score,
    "f1": theirs.f1_score,
}
OF_MANY = {
    "macro_precision": theirs.precision_score,
    "macro_recall": theirs.recall_score,
    "macro_f1": theirs.f1_score,
}
OF_VALUES = {
    "mae": theirs.mean_absolute_error,
    "rmse": theirs.root_mean_squared_error,
    "mape": theirs.mean_absolute_percentage_error,
    "r2": theirs.r2_score,
}


@pytest.mark.parametrize("name", OF_SCORES)
@pytest.mark.parametrize("levels", [3, 20, 10**6])
@pytest.mark.parametrize("share", [0.02, 0.5])
def test_scores_are_judged_as_scikit_learn_does_ties_included(name, levels, share):
    rng = np.random.default_rng([levels, int(100 * share)])
    truth = (rng.random(700) < share) * 1.0
    scores = np.round(np.clip(0.2 * truth + 0.8 * rng.random(700), 0, 1) * levels) / levels
    assert metrics.find(name).of(truth, scores).value == pytest.approx(OF_SCORES[name](truth, scores), rel=1e-12)


@pytest.mark.parametrize("name", OF_CLASSES)
def test_classes_are_judged_as_scikit_learn_does(name):
    rng = np.random.default_rng(2)
    truth, said = (rng.random((2, 500)) < 0.3) * 1.0
    assert metrics.find(name).of(truth, said).value == pytest.approx(OF_CLASSES[name](truth, said), rel=1e-12)


@pytest.mark.parametrize("name", OF_MANY)
def test_many_classes_are_averaged_as_scikit_learn_does_also_those_that_are_never_said_or_never_true(name):
    rng = np.random.default_rng(3)
    truth, said = rng.integers(0, 5, 300) * 1.0, rng.integers(1, 6, 300) * 1.0
    expected = OF_MANY[name](truth, said, average="macro", zero_division=0)
    assert metrics.find(name).of(truth, said).value == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("classes", [2, 3, 40])
def test_probabilities_of_several_classes_are_judged_as_scikit_learn_does_without_halving_the_brier_score(classes):
    """Some are exactly 0 for the true class, where the loss would be infinite."""
    rng = np.random.default_rng(classes)
    p = rng.dirichlet(np.full(classes, 0.3), 600)
    p[:20] = np.eye(classes)[rng.integers(0, classes, 20)]
    truth = rng.integers(0, classes, 600)
    labels = np.arange(classes)
    loss = metrics.find("log_loss").of(truth * 1.0, p).value
    assert loss == pytest.approx(theirs.log_loss(truth, p, labels=labels), rel=1e-12)
    brier = metrics.find("brier").of(truth * 1.0, p).value
    assert brier == pytest.approx(theirs.brier_score_loss(truth, p, labels=labels, scale_by_half=False), rel=1e-12)


@pytest.mark.parametrize("name", ["roc_auc", "average_precision"])
@pytest.mark.parametrize("levels", [3, 10**6])
def test_each_class_is_held_against_the_rest_as_scikit_learn_does_ties_included(name, levels):
    rng = np.random.default_rng(levels)
    p = np.round(rng.dirichlet([0.5] * 4, 500) * levels) / levels
    truth = np.where(rng.random(500) < 0.5, p.argmax(axis=1), rng.integers(0, 4, 500))
    every = [OF_SCORES[name](truth == c, p[:, c]) for c in range(4)]
    assert metrics.find(name).of(truth * 1.0, p).value == pytest.approx(np.mean(every), rel=1e-12)
    if levels > 3:
        p /= p.sum(axis=1, keepdims=True)
        expected = theirs.roc_auc_score(truth, p, multi_class="ovr")
        assert metrics.find("roc_auc").of(truth * 1.0, p).value == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("name", OF_VALUES)
def test_values_are_judged_as_scikit_learn_does(name):
    rng = np.random.default_rng(4)
    truth = rng.normal(3.0, 2.0, 400)
    said = truth + rng.normal(0.0, 3.0, 400)
    assert metrics.find(name).of(truth, said).value == pytest.approx(OF_VALUES[name](truth, said), rel=1e-12)


@pytest.mark.parametrize("k", [1, 3, 10])
def test_lists_are_judged_as_scikit_learn_does_where_anything_is_relevant(k):
    """Theirs is 0 where nothing is; the items' scores are made so that they stand in the order of the list."""
    rng = np.random.default_rng(k)
    items = (rng.random((300, 15)) < 0.15) * 1.0
    items = items[items.any(axis=1)]
    order = np.tile(np.arange(15, 0, -1.0), (len(items), 1))
    found = metrics.find("ndcg_at_k").of(items.sum(axis=1), items[:, :k])
    assert found.value == pytest.approx(theirs.ndcg_score(items, order, k=k), rel=1e-12)
