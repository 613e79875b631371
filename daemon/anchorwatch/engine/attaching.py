"""A version's baseline made ready for what watches: its parts, and the plans at the level that they give."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anchorwatch.engine import budget
from anchorwatch.engine.reference import Reference

if TYPE_CHECKING:
    from anchorwatch.engine.baseline import Part
    from anchorwatch.engine.state import Version
    from anchorwatch.engine.track import Plan
    from anchorwatch.engine.watch import Watch


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
