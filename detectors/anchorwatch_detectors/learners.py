"""Cheap models of river that learn row by row, each row predicted before it is learnt; their loops are compiled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from anchorwatch_detectors.views import Sparse

View = Literal["cells", "pairs"]

BLOCK = 250
"""So many rows are learnt before all rows so far are learnt once more."""
RATE, L2, RATE_INTERCEPT = 0.2, 0.001, 0.01
"""Steps and shrinkage; the step of the intercept is river's own."""
FEW_CLASSES = 10
"""With more classes rows are learnt only once, and without pairs: time grows with their number."""


class Learner(NamedTuple):
    """A model that can be tried.

    Attributes
    ----------
    view
        How it sees a row: "cells", each column for itself, or "pairs", also every two columns together.
    replay
        Whether past rows are learnt again, once every `BLOCK` rows.
    robust
        Whether a regression learns absolute errors, and not squared ones.
    """

    view: View
    replay: bool
    robust: bool = False


def classifiers(classes: int) -> tuple[Learner, ...]:
    """Return what is tried on so many classes."""
    if classes > FEW_CLASSES:
        return (Learner("cells", replay=False),)
    return tuple(Learner(view, replay) for view in ("cells", "pairs") for replay in (False, True))


def regressors() -> tuple[Learner, ...]:
    """Return what is tried on values."""
    return tuple(Learner(view, replay=True, robust=robust) for view in ("cells", "pairs") for robust in (False, True))


def probabilities(learner: Learner, rows: Sparse, labels: NDArray[np.int64], classes: int) -> NDArray[np.float64]:
    """Return what a model thought of each row before it learnt it.

    Two classes are learnt by river's `LogisticRegression`, more by its `SoftmaxRegression`, both with AdaGrad.

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
        Probability of each class; with more than two, 0 for those that the model has not met.
    """
    from anchorwatch_detectors.kernels import linear

    settings, again = _settings(learner), _again(learner, len(labels))
    if classes > 2:
        return linear.several(rows.places, rows.numbers, labels, rows.size, classes, settings, again)
    truth = labels.astype(np.float64)
    odds = linear.single(rows.places, rows.numbers, truth, rows.size, linear.LOG, settings, again)
    second = 1.0 / (1.0 + np.exp(-np.clip(odds, -500.0, 500.0)))
    return np.stack([1.0 - second, second], axis=1)


def values(learner: Learner, rows: Sparse, targets: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the (n,) values that river's `LinearRegression` expected of n rows before it learnt their (n,) targets."""
    from anchorwatch_detectors.kernels import linear

    loss = linear.ABSOLUTE if learner.robust else linear.SQUARED
    settings, again = _settings(learner), _again(learner, len(targets))
    return linear.single(rows.places, rows.numbers, targets, rows.size, loss, settings, again)


def _settings(learner: Learner) -> tuple[float, float, float, int]:
    return RATE, L2, RATE_INTERCEPT, BLOCK if learner.replay else 0


def _again(learner: Learner, n: int) -> NDArray[np.int64]:
    """Return the orders, random and always the same, in which all rows so far are learnt once more."""
    ends = range(BLOCK, n + 1, BLOCK) if learner.replay else ()
    orders = [np.random.default_rng(end).permutation(end) for end in ends]
    return np.concatenate([np.empty(0, np.int64), *orders])
