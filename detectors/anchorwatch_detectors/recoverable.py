"""What a retraining would recover: cheap models learn the labelled rows one by one, beside the model in production.

Each row is predicted before it is learnt, and the later half of the rows is what a model is judged on. Besides the
features the cheap models see what the model in production said: so they begin with what it knows, and in few rows come
near to what a full training on the same rows reaches.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from anchorwatch_detectors import learners
from anchorwatch_detectors.views import Sparse, Table, cells, pairs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from anchorwatch_detectors.learners import Learner

    Floats = NDArray[np.float64]
    Score = Callable[[NDArray[np.int64], Floats], float]

LEAST = 200
"""Rows below which nothing is said."""
LEAST_POSITIVE = 10
"""Rows of each class that a binary model needs in either half of the rows."""
MOST_CLASSES = 30
"""The most frequent classes are learnt; all others are one more, which no cheap model is right about."""
_Z = 1.959963984540054


class Reached(NamedTuple):
    """What the best of the cheap models came to.

    Attributes
    ----------
    metric
        "average precision" or "accuracy", larger is better, both 0 to 1; "error", the mean absolute one in the unit of
        the target.
    reached, low, high
        The score of the cheap model, and its 95 % interval.
    current
        The score of the model in production on the same rows.
    rows
        Rows that were learnt from or judged on.
    """

    metric: str
    reached: float
    low: float
    high: float
    current: float
    rows: int


def of_scores(table: Table, positive: int) -> Reached | None:
    """Return what is reached for a binary model with scores; None where there are too few rows of a class.

    Parameters
    ----------
    table
        The rows; those without a score are left out.
    positive
        Token of the positive class.

    Notes
    -----
    The metric is average precision, with the interval of the logit (Boyd, Eng and Page 2013, eq. 8). The scores that
    are pooled come from a model that goes on learning, which costs a little.

    References
    ----------
    Boyd, K., Eng, K. H., Page, C. D. (2013). Area under the precision-recall curve: point estimates and confidence
    intervals. ECML PKDD 2013, LNCS 8190, 451-466.
    """
    table = table.take(np.isfinite(table.number))
    truth = table.label == np.uint64(positive)
    half = len(table) // 2
    parts = (truth[:half], truth[half:])
    if len(table) < LEAST or any(min(int(p.sum()), int((~p).sum())) < LEAST_POSITIVE for p in parts):
        return None
    labels = truth.astype(np.int64)

    def tried(learner: Learner, rows: Sparse) -> Floats:
        return learners.probabilities(learner, rows, labels, 2)[:, 1]

    def score(rows: NDArray[np.int64], scores: Floats) -> float:
        return average_precision(truth[rows], scores[rows])

    judged = np.arange(half, len(table))
    best = _best(table, learners.classifiers(2), tried, score)
    reached = score(judged, best)
    low, high = _logit_interval(reached, int(truth[half:].sum()))
    return Reached("average precision", reached, low, high, score(judged, table.number), len(table))


def of_classes(table: Table) -> Reached | None:
    """Return what accuracy is reached for a model that names classes; None where there are too few rows, or one class.

    The interval is Wilson's.
    """
    if len(table) < LEAST:
        return None
    words, counts = np.unique(table.label, return_counts=True)
    if len(words) < 2:
        return None
    kept = words[np.sort(np.argsort(-counts, kind="stable")[:MOST_CLASSES])]
    at = np.minimum(np.searchsorted(kept, table.label), len(kept) - 1)
    known = kept[at] == table.label
    labels = np.where(known, at, len(kept)).astype(np.int64)
    classes = len(kept) + (not known.all())

    def tried(learner: Learner, rows: Sparse) -> Floats:
        guess = learners.probabilities(learner, rows, labels, classes).argmax(axis=1)
        right: Floats = (known & (guess == labels)).astype(np.float64)
        return right

    def score(rows: NDArray[np.int64], right: Floats) -> float:
        return float(right[rows].mean())

    judged = np.arange(len(table) // 2, len(table))
    best = _best(table, learners.classifiers(classes), tried, score)
    reached = score(judged, best)
    low, high = _wilson(reached, len(judged))
    current = float((table.said == table.label)[judged].mean())
    return Reached("accuracy", reached, low, high, current, len(table))


def of_values(table: Table) -> Reached | None:
    """Return what mean absolute error is reached for a regression; None where there are too few rows.

    The cheap models learn what has to be added to the value that the model in production gave, in units of its mean
    absolute error over the first quarter of the rows. The interval is that of a mean (normal).
    """
    table = table.take(np.isfinite(table.number) & np.isfinite(table.target))
    if len(table) < LEAST:
        return None
    missing = table.target - table.number
    unit = float(np.abs(missing[: len(table) // 4]).mean()) or 1.0
    targets = np.clip(missing / unit, -8.0, 8.0)

    def tried(learner: Learner, rows: Sparse) -> Floats:
        return np.abs(missing - unit * learners.values(learner, rows, targets))

    def score(rows: NDArray[np.int64], errors: Floats) -> float:
        return -float(errors[rows].mean())

    judged = np.arange(len(table) // 2, len(table))
    best = _best(table, learners.regressors(), tried, score)
    reached = -score(judged, best)
    half = _Z * float(best[judged].std()) / math.sqrt(len(judged))
    current = float(np.abs(missing)[judged].mean())
    return Reached("error", reached, max(reached - half, 0.0), reached + half, current, len(table))


def average_precision(truth: NDArray[np.bool_], scores: Floats) -> float:
    """Return the area under the steps of precision over recall, equal scores taken together; NaN without positives."""
    order = np.argsort(-scores, kind="stable")
    found = np.cumsum(truth[order])
    last = np.append(np.flatnonzero(np.diff(scores[order])), len(order) - 1)
    total = int(found[-1]) if len(found) else 0
    if not total:
        return math.nan
    gained = np.diff(found[last], prepend=0) / total
    return float((gained * found[last] / (last + 1)).sum())


def _best(
    table: Table,
    candidates: Sequence[Learner],
    tried: Callable[[Learner, Sparse], Floats],
    score: Score,
) -> Floats:
    """Return what came of the candidate that did best after the first quarter of the rows."""
    views = {"cells": cells, "pairs": pairs}
    rows = {view: views[view](table) for view in {learner.view for learner in candidates}}
    counted = np.arange(len(table) // 4, len(table))
    outcomes = [tried(learner, rows[learner.view]) for learner in candidates]
    return max(outcomes, key=lambda outcome: score(counted, outcome))


def _wilson(share: float, n: int) -> tuple[float, float]:
    middle = (share + _Z**2 / (2 * n)) / (1 + _Z**2 / n)
    half = _Z / (1 + _Z**2 / n) * math.sqrt(share * (1 - share) / n + _Z**2 / (4 * n * n))
    return max(middle - half, 0.0), min(middle + half, 1.0)


def _logit_interval(area: float, positives: int) -> tuple[float, float]:
    inside = min(max(area, 1e-6), 1.0 - 1e-6)
    centre = math.log(inside / (1.0 - inside))
    half = _Z / math.sqrt(positives * inside * (1.0 - inside))
    return 1.0 / (1.0 + math.exp(half - centre)), 1.0 / (1.0 + math.exp(-half - centre))
