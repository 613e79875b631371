"""Cheap models of river that learn row by row, each row predicted before it is learnt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from anchorwatch_detectors.views import Row

View = Literal["cells", "leaves"]

BLOCK = 250
"""So many rows are learnt before all rows so far are learnt once more."""
TREES = 5
FEW_CLASSES = 10
"""With more classes rows are learnt only once, and by the linear model alone: its time grows with their number."""


class Learner(NamedTuple):
    """A model that can be tried.

    Attributes
    ----------
    name
        What it is called.
    view
        How it sees a row: "cells" for models that are linear in what they see, "leaves" for trees.
    replay
        Whether past rows are learnt again, once every `BLOCK` rows.
    """

    name: str
    view: View
    replay: bool


def classifiers(classes: int) -> tuple[Learner, ...]:
    """Return what is tried on so many classes."""
    once = Learner("linear", "cells", replay=False)
    if classes > FEW_CLASSES:
        return (once,)
    return once, Learner("linear", "cells", replay=True), Learner("forest", "leaves", replay=False)


def regressors() -> tuple[Learner, ...]:
    """Return what is tried on values."""
    return (
        Learner("linear", "cells", replay=True),
        Learner("robust", "cells", replay=True),
        Learner("forest", "leaves", replay=False),
    )


def probabilities(
    learner: Learner, rows: Sequence[Row], labels: NDArray[np.int64], classes: int
) -> NDArray[np.float64]:
    """Return what a model thought of each row before it learnt it.

    Parameters
    ----------
    learner
        The model.
    rows
        n rows in the order in which they are learnt.
    labels
        (n,) class of each, 0 to classes - 1.
    classes
        How many there are, at least 2.

    Returns
    -------
    (n, classes) array
        Probability of each class, 0 for those that the model has not met; rows need not add up to 1.
    """
    model = _classifier(learner, classes)
    truth = labels.tolist()
    out = np.zeros((len(rows), classes))
    for i, row in enumerate(rows):
        for known, probability in model.predict_proba_one(row).items():
            out[i, int(known)] = probability
        _learn(model, learner, rows, truth, i)
    return out


def values(learner: Learner, rows: Sequence[Row], targets: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the (n,) values that a model expected of n rows before it learnt their targets, (n,) finite numbers."""
    model = _regressor(learner)
    truth = targets.tolist()
    out = np.zeros(len(rows))
    for i, row in enumerate(rows):
        out[i] = model.predict_one(row)
        _learn(model, learner, rows, truth, i)
    return out


def _learn(model: Any, learner: Learner, rows: Sequence[Row], truth: Sequence[float], i: int) -> None:
    """Let a model learn row i, and where it is time for that all rows so far once more, in a fixed random order."""
    model.learn_one(rows[i], truth[i])
    if learner.replay and (i + 1) % BLOCK == 0:
        for k in np.random.default_rng(i).permutation(i + 1).tolist():
            model.learn_one(rows[k], truth[k])


def _classifier(learner: Learner, classes: int) -> Any:
    from river import forest, linear_model, optim

    if learner.name == "forest":
        return forest.ARFClassifier(
            n_models=TREES, seed=0, grace_period=25, leaf_prediction="nba", drift_detector=None, warning_detector=None
        )
    linear = linear_model.LogisticRegression if classes == 2 else linear_model.SoftmaxRegression
    return linear(optim.AdaGrad(0.1), l2=0.001)


def _regressor(learner: Learner) -> Any:
    from river import forest, linear_model, optim

    if learner.name == "forest":
        return forest.ARFRegressor(n_models=TREES, seed=0, grace_period=25, drift_detector=None, warning_detector=None)
    loss = optim.losses.Absolute() if learner.name == "robust" else optim.losses.Squared()
    return linear_model.LinearRegression(optim.AdaGrad(0.1), loss=loss, l2=0.001)
