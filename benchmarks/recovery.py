"""What the retrain estimate says beside what gradient boosting reaches, and how long it takes beside river's models.

Boosting (scikit-learn) is trained on fresh rows behind a change and judged on later ones: 10,000 of the credit cards,
of which the estimate has the first 2,000 and 3,000; and as many of simulated fraud as the estimate has.
"""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from benchmarks.measurement import Measurement, alternate, durations
from benchmarks.river_learning import learnt_by_river
from tests.integration import credit_card

from anchorwatch.simulate.faults import Fault, FaultKind
from anchorwatch.simulate.traffic import FraudTraffic
from anchorwatch.simulate.world import COUNTRIES, MERCHANTS
from anchorwatch_detectors import learners
from anchorwatch_detectors.recoverable import of_classes, of_scores
from anchorwatch_detectors.views import Table, cells, pairs

if TYPE_CHECKING:
    from collections.abc import Callable

    from anchorwatch_detectors.recoverable import Reached
    from anchorwatch_detectors.views import Sparse

SEEDS = (1, 2, 3)
MOVES, JUDGED, ROUNDS = 5_000, 10_000, 3
POSITIVE = 2


class Rows(NamedTuple):
    """Labelled rows behind a change: as the estimate sees them, and as boosting does."""

    table: Table
    features: np.ndarray
    truth: np.ndarray


def measure() -> list[Measurement]:
    """Return what is said of each stream, and the time of the last."""
    cards = credit_cards()
    found = [compared(f"credit cards, {n:,} rows", cards, n, 10_000, of_classes) for n in (2_000, 3_000)]
    for seed in SEEDS:
        rows = fraud(seed)
        found += [compared(f"moved fraud {seed}, {n:,} rows", rows, n, n, scored) for n in (1_000, 3_000)]
    return [*found, timed(rows, 4_000)]


def scored(table: Table) -> Reached | None:
    """Return the estimate for a model with scores."""
    return of_scores(table, POSITIVE)


def compared(
    name: str, rows: Rows, known: int, trained: int, estimate: Callable[[Table], Reached | None]
) -> Measurement:
    """Compare the estimate on the first rows with boosting on as many or more; a round is both."""
    said = estimate(rows.table.take(np.arange(len(rows.table)) < known))
    if said is None:
        raise RuntimeError(f"{name}: nothing is said of {known} rows")
    reached = boosted(rows, trained)
    pair = [round(100.0 * said.reached, 1), round(100.0 * reached, 1)]
    itself = round(100.0 * served(rows, trained), 1)
    against = {"name": f"gradient boosting on {trained:,} rows", "value": pair[1], "model in production": itself}
    unit = f"points of {said.metric}"
    return Measurement(f"estimate on {name}", pair[0], unit, against, round(pair[0] / pair[1], 3), [pair])


def boosted(rows: Rows, trained: int) -> float:
    """Return the accuracy (two classes: average precision) of boosting on the rows behind those it was trained on."""
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.metrics import average_precision_score

    later = slice(trained, trained + JUDGED)
    model = HistGradientBoostingClassifier(learning_rate=0.05, max_iter=150, random_state=0)
    model.fit(rows.features[:trained], rows.truth[:trained])
    shares = model.predict_proba(rows.features[later])
    if shares.shape[1] == 2:
        return float(average_precision_score(rows.truth[later] == POSITIVE, shares[:, 1]))
    return float((model.classes_[shares.argmax(axis=1)] == rows.truth[later]).mean())


def served(rows: Rows, trained: int) -> float:
    """Return what the model in production reaches on the rows that boosting is judged on."""
    from sklearn.metrics import average_precision_score

    later = slice(trained, trained + JUDGED)
    if np.isfinite(rows.table.number).all():
        return float(average_precision_score(rows.truth[later] == POSITIVE, rows.table.number[later]))
    return float((rows.table.said == rows.table.label)[later].mean())


def timed(rows: Rows, n: int) -> Measurement:
    """Compare the time of an estimate with that of river's models on the same rows, dicts for them made before."""
    table = rows.table.take(np.arange(len(rows.table)) < n)
    labels = (table.label == POSITIVE).astype(int).tolist()
    seen = {"cells": as_dicts(cells(table)), "pairs": as_dicts(pairs(table))}
    scored(table)

    def theirs() -> None:
        for learner in learners.classifiers(2):
            of_river(learner, seen[learner.view], labels)

    rounds = alternate(ROUNDS, lambda: scored(table), theirs)
    return durations(f"estimate on moved fraud, {n:,} rows", "river's models", rounds)


def of_river(learner: learners.Learner, rows: list[dict[int, float]], labels: list[int]) -> None:
    """Let river's model think of each row and learn it."""
    from river import linear_model, optim

    model = linear_model.LogisticRegression(optim.AdaGrad(learners.RATE), l2=learners.L2)
    learnt_by_river(model, learner, rows, labels, model.predict_proba_one)


def as_dicts(rows: Sparse) -> list[dict[int, float]]:
    """Return rows as river wants them."""
    both = zip(rows.places.tolist(), rows.numbers.tolist(), strict=True)
    return [dict(zip(places, numbers, strict=True)) for places, numbers in both]


def credit_cards() -> Rows:
    """Return nannyml's credit cards from the change on."""
    known = credit_card.load()
    truth = {row["id"]: row["y"] for row in known.labels}
    rows = known.predictions[credit_card.CHANGE :]
    numeric = np.array([[np.nan if row[name] is None else row[name] for row in rows] for name in credit_card.NUMERIC])
    words = [codes([row[name] for row in rows]) for name in (*credit_card.CATEGORIES, "y_pred")]
    label = codes([truth[row["id"]] for row in rows], [row["y_pred"] for row in rows])
    said = codes([row["y_pred"] for row in rows], [truth[row["id"]] for row in rows])
    nothing = np.full(len(rows), np.nan)
    table = Table(numeric, np.array(words[:-1]), said, nothing, label, nothing)
    return Rows(table, np.column_stack([*numeric, *(w.astype(float) for w in words)]), label)


def fraud(seed: int) -> Rows:
    """Return labelled payments of a bank behind a change of the ways of fraud."""
    until = MOVES + 14_000
    traffic = FraudTraffic(seed, None, [Fault(FaultKind.CONCEPT_DRIFT, MOVES)])
    chunks = list(takewhile(lambda chunk: chunk.number[0] < until, traffic.chunks()))

    def column(name: str) -> np.ndarray:
        return np.concatenate([getattr(chunk.payments, name, getattr(chunk, name, None)) for chunk in chunks])

    mine = (column("number") >= MOVES) & (column("label_time") >= 0)
    numeric = np.array([column(name)[mine] for name in ("amount", "hour", "device_age")], float)
    places = [column("country")[mine], column("merchant")[mine]]
    score, truth = column("score")[mine], column("fraud")[mine]
    words = [codes([names[i] for i in place]) for names, place in zip((COUNTRIES, MERCHANTS), places, strict=True)]
    said = np.where(score >= 0.5, POSITIVE, 1).astype(np.uint64)
    label = np.where(truth, POSITIVE, 1).astype(np.uint64)
    table = Table(numeric, np.array(words), said, score, label, np.full(len(score), np.nan))
    return Rows(table, np.column_stack([*numeric, *(w.astype(float) for w in words), score]), label)


def codes(words: list[str], others: list[str] | None = None) -> np.ndarray:
    """Return a token, from 1 on, for each word: its place among all that occur here or in `others`."""
    known = {word: place for place, word in enumerate(sorted({*words, *(others or ())}), 1)}
    return np.array([known[word] for word in words], np.uint64)
