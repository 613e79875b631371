"""What is watched of a model's predictions and outcomes, compiled from its monitors."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from anchorwatch.decide.evidence import ERROR_RATE, ERROR_SIZE, Kind
from anchorwatch.engine.budget import PARAMETER
from anchorwatch.engine.lanes import Lookout
from anchorwatch.engine.panes import Span
from anchorwatch.engine.reference import Column
from anchorwatch.engine.share_monitor import Bounds
from anchorwatch.engine.track import Plan
from anchorwatch.engine.window_monitor import Family
from anchorwatch.events.columns import LATENCY, PREDICTION_CLASS, PREDICTION_SCORE, PREDICTION_VALUE, Shape
from anchorwatch_detectors import registry
from anchorwatch_detectors.correction import benjamini_hochberg, benjamini_yekutieli

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anchorwatch.settings.models import Model
    from anchorwatch.settings.monitors import Accuracy, Drift, Monitor
    from anchorwatch_detectors.comparison import WindowTest

ERRORS, RANKS = "shiryaev_roberts", "shiryaev_roberts_ranks"
"""Sequential detectors where the configuration leaves it to us: over errors of classes, and over ranks."""
SIGNIFICANCE = 0.001
"""Of windows, where the configuration gives none and the budget leaves more."""

_CORRECTIONS = {"benjamini_hochberg": benjamini_hochberg, "benjamini_yekutieli": benjamini_yekutieli}


def predictions_plan(model: Model, shape: Shape) -> Plan:
    """Return what is watched of the predictions: drift, prediction, latency, quality, schema."""
    monitors = model.monitors
    dimensions = set(model.predictions.dimensions)
    columns = tuple(
        [Column(name, numeric=True, kind=_kind(name)) for name in shape.numeric]
        + [Column(name, numeric=False, kind=_kind(name)) for name in shape.category if name not in dimensions]
    )
    families: list[Family] = []
    lookouts: list[Lookout] = []
    for kind, drift in (
        (Kind.DRIFT, monitors.drift),
        (Kind.PREDICTION, monitors.prediction),
        (Kind.LATENCY, monitors.latency),
    ):
        mine = tuple(i for i, column in enumerate(columns) if column.kind is kind)
        if drift.enabled and mine:
            families += _families(drift, columns, mine, model.windows.min_sample)
            lookouts += _lookouts(drift, kind, mine, model.windows.panes, otherwise=RANKS)
    quality = monitors.quality
    shares: dict[str, Bounds] = {Kind.QUALITY: _bounds(quality, quality.smallest_effect, model.windows.min_sample)}
    return Plan(
        columns=columns,
        segment_columns=tuple(model.segments),
        span=Span(model.windows.size, model.windows.time, model.windows.panes),
        families=tuple(families),
        lookouts=tuple(lookouts),
        shares=shares if quality.enabled else {},
        schema_run=monitors.schema_.run if monitors.schema_.enabled else None,
    )


def outcomes_plan(model: Model) -> Plan:
    """Return what is watched of the predictions whose label is known: their errors."""
    accuracy = model.monitors.accuracy
    regression = model.predictions.prediction.kind == "regression"
    column = Column(ERROR_SIZE if regression else ERROR_RATE, numeric=regression, kind=Kind.ACCURACY)
    families: tuple[Family, ...] = ()
    lookouts: tuple[Lookout, ...] = ()
    shares: dict[str, Bounds] = {}
    if accuracy.enabled:
        otherwise = RANKS if regression else ERRORS
        lookouts = _lookouts(accuracy, Kind.ACCURACY, (0,), model.windows.panes, otherwise=otherwise)
        if regression:
            test = registry.window("kolmogorov_smirnov")
            families = (_family(accuracy, test, (0,), test.smallest_effect, model.windows.min_sample),)
        else:
            shares = {Kind.ACCURACY: _bounds(accuracy, accuracy.smallest_shift, model.windows.min_sample)}
    return Plan(
        columns=(column,),
        segment_columns=tuple(model.segments),
        span=Span(model.windows.size, model.windows.time, model.windows.panes),
        families=families,
        lookouts=lookouts,
        shares=shares,
        schema_run=None,
    )


def _families(drift: Drift, columns: Sequence[Column], mine: Sequence[int], min_sample: int) -> list[Family]:
    families = []
    for name, numeric in ((drift.numeric, True), (drift.category, False)):
        chosen = tuple(i for i in mine if columns[i].numeric is numeric)
        if name is not None and chosen:
            test = registry.window(name)
            effect = test.smallest_effect if drift.smallest_effect is None else drift.smallest_effect
            correction = _CORRECTIONS[drift.correction]
            families.append(replace(_family(drift, test, chosen, effect, min_sample), correction=correction))
    return families


def _family(
    monitor: Monitor, test: WindowTest, columns: tuple[int, ...], smallest_effect: float, min_sample: int
) -> Family:
    given = monitor.significance
    return Family(test, columns, given or SIGNIFICANCE, smallest_effect, min_sample, budgeted=given is None)


def _bounds(monitor: Monitor, smallest: float, min_sample: int) -> Bounds:
    given = monitor.significance
    return Bounds(given or SIGNIFICANCE, smallest, min_sample, budgeted=given is None)


def _lookouts(
    monitor: Drift | Accuracy, kind: Kind, mine: tuple[int, ...], panes: int, *, otherwise: str
) -> tuple[Lookout, ...]:
    """Return the sequential detector of a kind, where there is one; `otherwise` is the one we choose."""
    chosen = monitor.sequential
    if chosen is None:
        return ()
    detector = registry.sequential(chosen.named(otherwise), chosen.parameters)
    accuracy, budgeted = kind is Kind.ACCURACY, PARAMETER not in chosen.parameters
    return (Lookout(kind, detector, mine, accuracy, monitor.smallest_shift, panes, budgeted=budgeted),)


def _kind(column: str) -> Kind:
    if column in {PREDICTION_SCORE, PREDICTION_VALUE, PREDICTION_CLASS}:
        return Kind.PREDICTION
    return Kind.LATENCY if column == LATENCY else Kind.DRIFT
