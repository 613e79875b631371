"""Accuracy estimated without labels, beside the real one, on data with a known change."""

import csv
import json
from datetime import UTC, datetime

import numpy as np
import pytest
from tests.integration import credit_card
from tests.integration.credit_card import CAR_LOAN, CHANGE
from tests.integration.following import followed

from anchorwatch.settings.models import Model

WINDOW = 1000
FIRST = 10_000
CAR_CHANGE = 75_000


def _model(prediction):
    return Model.model_validate({
        "predictions": {"topic": "p", "id": "id", "time": "timestamp", "features": {}, "prediction": prediction},
        "labels": {"topic": "l", "id": "id", "time": "ts", "value": "y"},
        "baseline": {"first": FIRST}, "windows": {"size": WINDOW},
        "monitors": {"drift": {"enabled": False}, "prediction": {"enabled": False}},
    })  # fmt: skip


def _table(name, model, predictions, labels, right, change):
    """Return the mean absolute difference of estimated and real accuracy by window, before and after the change."""
    topics = {"p": [json.dumps(p).encode() for p in predictions], "l": [json.dumps(row).encode() for row in labels]}
    _, _, evidence = followed(model, topics)
    found = [e for e in evidence if e.identity.monitor == "cbpe"]
    times = np.array([p["timestamp"] for p in predictions])
    assert (np.diff(times) >= 0).all()
    ends = np.searchsorted(times, [e.at / 1e9 for e in found], side="right")
    real = np.array([right[end - WINDOW : end].mean() for end in ends])
    guess = np.array([e.verdict.statistic for e in found])
    inside = np.array([e.verdict.low <= r <= e.verdict.high for e, r in zip(found, real, strict=True)])
    before, after = ends <= change, ends > change + WINDOW
    for part, rows in (("before", before), ("after", after)):
        print(
            f"{name} {part}: {rows.sum()} windows, real {real[rows].mean():.3f}, estimated {guess[rows].mean():.3f}, "
            f"mean absolute error {np.abs(guess - real)[rows].mean():.4f}, in the interval {inside[rows].mean():.2f}"
        )
    assert {str(e.verdict.level) for e in found} == {"stable"}
    return before, np.abs(guess - real), inside


def _rows(path):
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))


def _seconds(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def test_on_credit_card_rows_estimated_and_real_accuracy_agree_before_the_change():
    """Per window of 1,000 they are less than 2 points apart on average, and nineteen of twenty lie in the interval."""
    paths = credit_card.tables()
    truth = {row["id"]: row["y_true"] for row in _rows(paths["mc_analysis_gt.csv"])}
    predictions, labels, right = [], [], []
    for name in ("mc_reference.csv", "mc_analysis.csv"):
        for row in _rows(paths[name]):
            time = _seconds(row["timestamp"])
            confidence = max(float(value) for key, value in row.items() if key.startswith("y_pred_proba"))
            known = row.get("y_true") or truth[row["id"]]
            predictions.append({"id": row["id"], "timestamp": time, "class": row["y_pred"], "confidence": confidence})
            labels.append({"id": row["id"], "ts": time + 30, "y": known})
            right.append(known == row["y_pred"])
    model = _model({"kind": "multiclass", "class": "class", "score": "confidence"})
    before, errors, inside = _table("credit card", model, predictions, labels, np.array(right), CHANGE)
    assert before.sum() >= 78
    assert errors[before].mean() <= 0.02
    assert inside[before].mean() >= 0.88


@pytest.fixture(scope="module")
def car_loans():
    """Return rows of the car-loan data in order, each with its label: 1 for a loan that was repaid."""
    paths = credit_card.tables(CAR_LOAN)
    truth = {row["id"]: row["repaid"] for row in _rows(paths[CAR_LOAN[2]])}
    rows = [row for name in CAR_LOAN[:2] for row in _rows(paths[name])]
    return [(row, int(float(row.get("repaid") or truth[row["id"]]))) for row in rows]


def test_on_car_loans_estimated_and_real_accuracy_agree_before_the_change(car_loans):
    """Per window of 1,000 they are less than 2 points apart on average, and nineteen of twenty lie in the interval."""
    predictions, labels, right = [], [], []
    for row, known in car_loans:
        time = _seconds(row["timestamp"])
        predictions.append({"id": row["id"], "timestamp": time, "score": float(row["y_pred_proba"])})
        labels.append({"id": row["id"], "ts": time + 30, "y": known})
        right.append((float(row["y_pred_proba"]) >= 0.5) == bool(known))
    model = _model({"kind": "binary", "score": "score"})
    before, errors, inside = _table("car loan", model, predictions, labels, np.array(right), CAR_CHANGE)
    assert before.sum() >= 63
    assert errors[before].mean() <= 0.02
    assert inside[before].mean() >= 0.88
