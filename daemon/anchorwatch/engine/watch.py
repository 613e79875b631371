"""Everything anchorwatch does for one model, compiled from its configuration: immutable."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from anchorwatch.decide.rules import Rules, rules_of
from anchorwatch.decide.triggers import Fingerprints
from anchorwatch.engine import label_shares, volume
from anchorwatch.engine.comparing import Comparison
from anchorwatch.engine.figures import Figures, figures_of
from anchorwatch.engine.fingerprint import fingerprint_of
from anchorwatch.engine.plans import outcomes_plan, predictions_plan
from anchorwatch.engine.sampling import REMEMBERED
from anchorwatch.engine.shadow import Keeping, keeping_of
from anchorwatch.engine.stretches import Terms
from anchorwatch.errors import ConfigurationError
from anchorwatch.events.shape import shape_of

if TYPE_CHECKING:
    from anchorwatch.engine.baseline import Baseline
    from anchorwatch.engine.lanes import Lookout
    from anchorwatch.engine.season import Cycle
    from anchorwatch.engine.track import Plan
    from anchorwatch.events.columns import Shape
    from anchorwatch.settings.budgets import Budget
    from anchorwatch.settings.models import Model


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
    sample
        Share of the ids that are joined, 0 to 1.
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
    regression, estimates
        Whether predictions are values, not classes; whether their accuracy is estimated before labels come.
    takeover
        Predictions of one version in a row after which it has replaced the others.
    budget, figures
        False alarms that its monitors may raise together; its accuracy metrics, None for none.
    volume_limits, label_limits
        When the volume and the labels that come are trouble; None for not watched.
    rules, keeping
        What the decisions go by; what is kept to estimate what a retraining would recover, None for nothing.
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
    sample: float
    lateness: int
    first: int
    first_labelled: int
    given: Baseline | None
    cycle: Cycle | None
    segment_rows: tuple[int, ...]
    max_segments: int
    min_sample: int
    regression: bool
    estimates: bool
    takeover: int
    budget: Budget
    figures: Figures | None
    volume_limits: volume.Limits | None
    label_limits: label_shares.Limits | None
    rules: Rules
    keeping: Keeping | None
    fingerprint: str
    code: str
    comparison: Comparison | None = None

    def tracks(self) -> int:
        """Return how many tracks have monitors that share the budget; metrics that are judged count as one."""
        outcomes, judged = self.outcomes, self.figures is not None and bool(self.figures.margins)
        return 1 + (outcomes is not None and bool(outcomes.lookouts or outcomes.families or outcomes.shares)) + judged

    def lookouts(self) -> tuple[Lookout, ...]:
        """Return all its sequential detectors, each with what it watches."""
        return self.predictions.lookouts + (() if self.outcomes is None else self.outcomes.lookouts)


def compile_watch(
    source: str, name: str, model: Model, given: Baseline | None, code: str, *, answered: bool = False
) -> Watch:
    """Return the watch of a model.

    Parameters
    ----------
    source, name, model
        Who we are, in every id; the model and its configuration.
    given
        The baseline it names; None where it is made of the first rows.
    code, answered
        Version of anchorwatch, noted in baselines; whether anybody reports what becomes of triggers.

    Raises
    ------
    ConfigurationError
        If the configuration asks for what the baseline does not hold.
    """
    _check_suits(given, name, model)
    shape, accuracy = shape_of(model), model.monitors.accuracy
    segment_rows = tuple(shape.category.index(column) for column in model.segments)
    wait = REMEMBERED if model.labels is None else model.labels.wait
    early = 0 if model.labels is None else model.labels.early
    latest = model.labels is not None and model.labels.revisions == "latest"
    first = model.baseline.first or 0
    fingerprint = fingerprint_of(model, given)
    return Watch(
        name=name,
        source=source,
        shape=shape,
        predictions=predictions_plan(model, shape),
        outcomes=None if model.labels is None else outcomes_plan(model),
        terms=Terms(max(wait, model.event_time.lateness), early, latest=latest),
        sample=1.0 if model.labels is None else model.labels.sample,
        lateness=model.event_time.lateness,
        first=first,
        first_labelled=model.baseline.labels or first,
        given=given,
        cycle=model.baseline.season,
        segment_rows=segment_rows,
        max_segments=model.max_segments,
        min_sample=model.windows.min_sample,
        regression=model.predictions.prediction.kind == "regression",
        estimates=accuracy.enabled and accuracy.estimate and model.predictions.prediction.kind != "ranking",
        takeover=model.windows.size or 1000,
        budget=model.false_alarms,
        figures=figures_of(model),
        volume_limits=volume.limits_of(model),
        label_limits=label_shares.limits_of(model),
        rules=rules_of(source, name, model, Fingerprints(code, fingerprint), answered=answered),
        keeping=keeping_of(model, shape),
        fingerprint=fingerprint,
        code=code,
        comparison=Comparison.of_settings(model),
    )


def _check_suits(given: Baseline | None, name: str, model: Model) -> None:
    """Raise ConfigurationError if a given baseline does not hold what the configuration asks for."""
    if given is None:
        return
    if model.labels is not None and model.monitors.accuracy.enabled and given.outcomes is None:
        raise ConfigurationError(
            f"model {name}: baseline {given.id} holds nothing about errors, so accuracy could not be judged: build it "
            "with labels, or set monitors.accuracy.enabled: false"
        )
    if given.cycle != model.baseline.season:
        raise ConfigurationError(_OTHER_SEASON.format(name=name, id=given.id, has=given.cycle or "none"))


_OTHER_SEASON = (
    "model {name}: baseline {id} was built with season: {has}, and baseline.season says otherwise: say the same there, "
    "or build the baseline anew"
)
