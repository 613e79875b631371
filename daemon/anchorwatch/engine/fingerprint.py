"""What of a model's configuration its state cannot outlive, as one hash."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from anchorwatch.engine.baseline import Baseline
    from anchorwatch.settings.models import Model


def fingerprint_of(model: Model, given: Baseline | None) -> str:
    """Hash what gives the state its form.

    Alerts, incidents, importance, retraining and which label counts may change at any time.
    """
    form = model.model_dump(mode="json", exclude={"retrain", "retrain_estimate", "incidents", "compare"})
    for feature in form["predictions"]["features"].values():
        feature.pop("importance")
    if model.predictions.prediction.kind != "ranking":
        for name in ("items", "k", "relevant"):
            form["predictions"]["prediction"].pop(name)
    if not model.predictions.prediction.probabilities:
        form["predictions"]["prediction"].pop("probabilities")
    for monitor in form["monitors"].values():
        monitor.pop("alert", None)
    if form["labels"] is not None:
        form["labels"].pop("revisions")
    if model.baseline.season is None:
        form["baseline"].pop("season")
    form["given"] = given.id if given is not None else None
    return hashlib.sha256(msgspec.json.encode(form, order="deterministic")).hexdigest()
