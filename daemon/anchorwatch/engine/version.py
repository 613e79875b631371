"""What is remembered of one model version, and what it is compared with made ready."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Self

from anchorwatch.engine import budget
from anchorwatch.engine.feeds import Feeds
from anchorwatch.engine.reference import Reference
from anchorwatch.engine.revisions import Revisions

if TYPE_CHECKING:
    from anchorwatch.engine.baseline import Baseline, Part
    from anchorwatch.engine.performance import Performance
    from anchorwatch.engine.track import Plan, Track
    from anchorwatch.engine.watch import Watch


@dataclass(slots=True)
class Version:
    """What is remembered of one model version.

    Attributes
    ----------
    name
        The version.
    baseline
        What it is compared with; None while it is being made.
    predictions, outcomes
        Its two tracks; `outcomes` is None without labels.
    predictions_reference, outcomes_reference
        The parts of the baseline made ready, and the ids of the baselines that brought them.
    predictions_plan, outcomes_plan
        What is watched of each track, at the level that its part of the baseline gives; None while there is none.
    seen
        Event time of its newest prediction, ns.
    performance
        Its accuracy figures; None until there is a baseline of outcomes.
    feeds
        How much comes of it.
    revised
        Labels that replaced another, for the baseline of outcomes to come.
    """

    name: str
    baseline: Baseline | None
    predictions: Track
    outcomes: Track | None
    predictions_reference: Reference | None = None
    outcomes_reference: Reference | None = None
    predictions_plan: Plan | None = None
    outcomes_plan: Plan | None = None
    seen: int = 0
    performance: Performance | None = None
    feeds: Feeds = field(default_factory=Feeds)
    revised: Revisions = field(default_factory=Revisions.none)

    def copy(self) -> Self:
        """Return an independent copy."""
        outcomes = None if self.outcomes is None else self.outcomes.copy()
        performance = None if self.performance is None else self.performance.copy()
        return replace(self, predictions=self.predictions.copy(), outcomes=outcomes, performance=performance)

    def rested(self) -> Self:
        """Return a copy of which no row is in the present release."""
        version = self.copy()
        for track in (version.predictions, version.outcomes):
            if track is not None:
                track.rest()
        return version


def attach(watch: Watch, version: Version) -> None:
    """Make the parts of a version's baseline ready, and the plans at the level they give."""
    baseline = version.baseline
    if baseline is None:
        return
    brought = baseline.extends if baseline.extends and watch.given is None else baseline.id
    if baseline.predictions is not None and version.predictions_reference is None:
        version.predictions_reference, version.predictions_plan = _ready(
            watch, brought, baseline.predictions, watch.predictions
        )
    if baseline.outcomes is not None and watch.outcomes is not None and version.outcomes_reference is None:
        version.outcomes_reference, version.outcomes_plan = _ready(
            watch, baseline.id, baseline.outcomes, watch.outcomes
        )


def begin(version: Version) -> None:
    """Let the tracks begin that waited for a part of the baseline which is there now."""
    plan, reference = version.predictions_plan, version.predictions_reference
    if version.predictions.gathered is not None and plan is not None and reference is not None:
        version.predictions.begin(plan, reference)
    track, plan, reference = version.outcomes, version.outcomes_plan, version.outcomes_reference
    if track is not None and track.gathered is not None and plan is not None and reference is not None:
        track.begin(plan, reference)


def _ready(watch: Watch, brought: str, part: Part, plan: Plan) -> tuple[Reference, Plan]:
    reference = Reference.of(brought, part, plan.columns, plan.segment_columns)
    return reference, budget.resolved(watch.budget, plan, part, reference, watch.tracks())
