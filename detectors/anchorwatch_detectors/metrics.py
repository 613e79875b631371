"""Accuracy metrics by name. Nothing is imported before it is asked for."""

from __future__ import annotations

import difflib
import functools
import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from anchorwatch_detectors.metric import Kind, Metric

_METRICS: Final = {
    "accuracy": "accuracy:Accuracy",
    "average_precision": "average_precision:AveragePrecision",
    "brier": "brier:Brier",
    "calibration_error": "calibration_error:CalibrationError",
    "click_through_rate": "click_through_rate:ClickThroughRate",
    "f1": "f1:F1",
    "log_loss": "log_loss:LogLoss",
    "macro_f1": "macro_f1:MacroF1",
    "macro_precision": "macro_precision:MacroPrecision",
    "macro_recall": "macro_recall:MacroRecall",
    "mae": "mae:MeanAbsoluteError",
    "mape": "mape:MeanAbsolutePercentageError",
    "ndcg_at_k": "ndcg_at_k:NdcgAtK",
    "precision": "precision:Precision",
    "r2": "r2:R2",
    "recall": "recall:Recall",
    "recall_at_k": "recall_at_k:RecallAtK",
    "rmse": "rmse:RootMeanSquaredError",
    "roc_auc": "roc_auc:RocAuc",
}


def names() -> list[str]:
    """Return the names of all metrics, sorted."""
    return sorted(_METRICS)


@functools.cache
def find(name: str) -> Metric:
    """Return the metric of a name.

    Raises
    ------
    ValueError
        If there is none, with the names that come near.
    """
    path = _METRICS.get(name)
    if path is None:
        near = difflib.get_close_matches(name, _METRICS, n=1, cutoff=0.6)
        hint = f"did you mean `{near[0]}`?" if near else f"known: {', '.join(names())}"
        raise ValueError(f"there is no metric `{name}`; {hint}")
    module, _, attribute = path.partition(":")
    found: Any = getattr(importlib.import_module(f"anchorwatch_detectors.performance.{module}"), attribute)
    metric: Metric = found()
    return metric


def suiting(kind: Kind, *, scores: bool) -> list[Metric]:
    """Return the metrics of a kind of model, by name; those that need scores only with `scores`.

    Of several classes these are the probabilities of all of them.
    """
    metrics = [find(name) for name in names()]
    return [m for m in metrics if kind in m.kinds and (scores or m.needs != "score")]
