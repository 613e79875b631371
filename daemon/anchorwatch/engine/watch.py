"""Everything anchorwatch does for one model, compiled from its configuration: immutable."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import msgspec

from anchorwatch.decide.decision import Rules, rules_of
from anchorwatch.decide.evidence import ERROR_RATE, ERROR_SIZE, Kind
from anchorwatch.engine.budget import PARAMETER
from anchorwatch.engine.comparing import Comparison
from anchorwatch.engine.join import Terms
from anchorwatch.engine.lanes import Lookout
from anchorwatch.engine.panes import Span
from anchorwatch.engine.reference import Column
from anchorwatch.engine.share_monitor import Bounds
from anchorwatch.engine.track import Plan
from anchorwatch.engine.window_monitor import Family
from anchorwatch.errors import ConfigurationError
from anchorwatch.events.columns import (
    LATENCY,
    PREDICTION_CLASS,
    PREDICTION_SCORE,
    PREDICTION_VALUE,
    Shape,
)
from anchorwatch.events.shape import shape_of
from anchorwatch.settings.units import NS
from anchorwatch_detectors import registry
from anchorwatch_detectors.correction import benjamini_hochberg, benjamini_yekutieli

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anchorwatch.engine.baseline import Baseline
    from anchorwatch.engine.season import Cycle
    from anchorwatch.settings.budgets import Budget
    from anchorwatch.settings.models import Model
    from anchorwatch.settings.monitors import Accuracy, Drift, Monitor
    from anchorwatch_detectors.comparison import WindowTest

REMEMBERED = 10 * NS["m"]  # how long ids are remembered against duplicates where no labels are waited for


ERRORS, RANKS = "shiryaev_roberts", "shiryaev_roberts_ranks"
"""Sequential detectors where the configuration leaves it to us: over errors of classes, and over ranks."""
SIGNIFICANCE = 0.001
"""Of windows, where the configuration gives none and the budget leaves more."""

_CORRECTIONS = {"benjamini_hochberg": benjamini_hochberg, "benjamini_yekutieli": benjamini_yekutieli}


@dataclass(frozen=True, slots=True)
class Watch:
    """The compiled configuration of one model.

    Attributes
    ----------
    name, source
        The model, and who we are.
    shape
        Columns of its predictions.
    predictions, outcomes
        What is watched of each track; outcomes is None without labels.
    terms
        How long predictions and labels wait for each other.
    lateness
        Allowed lateness, ns.
    first, first_labelled
        Rows that make the parts of a baseline, where it is not given.
    given
        The baseline of every version, where it is given.
    cycle
        By which baselines compare like with like; None for not at all.
    segment_rows
        Rows of `Shape.category` that are segment columns.
    max_segments, min_sample
        How many values of a segment column are watched, and from how many rows on.
    regression
        Whether predictions are values, not classes.
    takeover
        Predictions of one version in a row after which it has replaced the others.
    budget
        False alarms that its monitors may raise together.
    rules
        What the decisions go by.
    comparison
        Which versions are held against each other; None for none.
    fingerprint
        Hash of everything that gives the state its form.
    code
        Version of anchorwatch.
    """

    name: str
    source: str
    shape: Shape
    predictions: Plan
    outcomes: Plan | None
    terms: Terms
    lateness: int
    first: int
    first_labelled: int
    given: Baseline | None
    cycle: Cycle | None
    segment_rows: tuple[int, ...]
    max_segments: int
    min_sample: int
    regression: bool
    takeover: int
    budget: Budget
    rules: Rules
    fingerprint: str
    code: str
    comparison: Comparison | None = None

    def tracks(self) -> int:
        """Return how many tracks have monitors that share the budget."""
        outcomes = self.outcomes
        return 1 + (outcomes is not None and bool(outcomes.lookouts or outcomes.families or outcomes.shares))

    def lookouts(self) -> tuple[Lookout, ...]:
        """Return all its sequential detectors, each with what it watches."""
        return self.predictions.lookouts + (() if self.outcomes is None else self.outcomes.lookouts)


def compile_watch(source: str, name: str, model: Model, given: Baseline | None, code: str) -> Watch:
    """Return the watch of a model.

    Parameters
    ----------
    source
        Who we are, in every id.
    name, model
        The model and its configuration.
    given
        The baseline it names; None where it is made of the first rows.
    code
        Version of anchorwatch, noted in baselines.

    Raises
    ------
    ConfigurationError
        If the configuration asks for what the baseline does not hold.
    """
    if given is not None and model.labels is not None and model.monitors.accuracy.enabled and given.outcomes is None:
        raise ConfigurationError(
            f"model {name}: baseline {given.id} holds nothing about errors, so accuracy could not be judged: build it "
            "with labels, or set monitors.accuracy.enabled: false"
        )
    if given is not None and given.cycle != model.baseline.season:
        raise ConfigurationError(_OTHER_SEASON.format(name=name, id=given.id, has=given.cycle or "none"))
    shape = shape_of(model)
    segment_rows = tuple(shape.category.index(column) for column in model.segments)
    wait = REMEMBERED if model.labels is None else model.labels.wait
    early = 0 if model.labels is None else model.labels.early
    first = model.baseline.first or 0
    return Watch(
        name=name,
        source=source,
        shape=shape,
        predictions=_predictions_plan(model, shape),
        outcomes=None if model.labels is None else _outcomes_plan(model),
        terms=Terms(max(wait, model.event_time.lateness), early),
        lateness=model.event_time.lateness,
        first=first,
        first_labelled=model.baseline.labels or first,
        given=given,
        cycle=model.baseline.season,
        segment_rows=segment_rows,
        max_segments=model.max_segments,
        min_sample=model.windows.min_sample,
        regression=model.predictions.prediction.kind == "regression",
        takeover=model.windows.size or 1000,
        budget=model.false_alarms,
        rules=rules_of(source, name, model),
        fingerprint=_fingerprint(model, given),
        code=code,
        comparison=Comparison.of_settings(model),
    )


_OTHER_SEASON = (
    "model {name}: baseline {id} was built with season: {has}, and baseline.season says otherwise: say the same there, "
    "or build the baseline anew"
)


def _fingerprint(model: Model, given: Baseline | None) -> str:
    """Hash what gives the state its form: alerting and retrain policies may change at any time."""
    form = model.model_dump(mode="json", exclude={"retrain", "compare"})
    for monitor in form["monitors"].values():
        monitor.pop("alert", None)
    if model.baseline.season is None:
        form["baseline"].pop("season")
    form["given"] = given.id if given is not None else None
    return hashlib.sha256(msgspec.json.encode(form, order="deterministic")).hexdigest()


def _predictions_plan(model: Model, shape: Shape) -> Plan:
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


def _outcomes_plan(model: Model) -> Plan:
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
