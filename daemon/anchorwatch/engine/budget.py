"""From the false alarms a model may raise to the level of each of its monitors.

The union bound: what may happen once in N events for all monitors together may happen once in N times their number for
each. It holds however they depend on each other, and asks for more than is needed where they do; `calibrate` measures
how much, and a baseline that it has seen says its level itself. Where labels come, half of the budget goes to accuracy:
it has few monitors, and what they find matters most.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from anchorwatch.engine.baseline import Part
    from anchorwatch.engine.lanes import Lookout
    from anchorwatch.engine.reference import Reference
    from anchorwatch.engine.track import Plan
    from anchorwatch.settings.budgets import Budget

SHORTEST, LONGEST = 100.0, 1e15
"""Run lengths that detectors can be set to."""
PARAMETER: Final = "average_run_length"


def monitors(plan: Plan, reference: Reference) -> int:
    """Return how many monitors run in parallel: as many as see every event and may raise a false alarm.

    A lane of a sequential detector is one; the lanes of all values of a segment column together are one too, for every
    event goes to one of them at most. So is a family of windows or shares: it divides its significance among its
    columns and segments. Columns that the baseline does not know are not watched.
    """
    known = reference.valid(reference.counts[0]) > 0
    divisions = 1 + len(plan.segment_columns)
    lanes = sum(
        int(known[list(lookout.columns)].sum()) * (divisions if lookout.every_group else 1) for lookout in plan.lookouts
    )
    families = sum(bool(known[list(family.columns)].any()) for family in plan.families)
    return lanes + families + len(plan.shares)


def run_length(budget: Budget, part: Part, monitors: int) -> float:
    """Return how many events may lie between two false alarms of one monitor, at least.

    Parameters
    ----------
    budget
        What the monitors may raise together.
    part
        The part of the baseline they compare with: a budget per time goes by how fast its rows came.
    monitors
        How many share the budget.
    """
    events = budget.events if budget.events is not None else (budget.time or 0) * _rate(part)
    return float(np.clip(max(monitors, 1) * events / budget.alarms, SHORTEST, LONGEST))


def at_level(plan: Plan, part: Part, run_length: float) -> Plan:
    """Return a plan whose monitors raise a false alarm once in so many events each.

    What the configuration sets itself stays: the run length of a detector, a significance. Detectors without an average
    run length among their parameters stay as they are.

    Parameters
    ----------
    plan
        What is watched.
    part
        The part of the baseline: tells how many events a window of time holds.
    run_length
        Events between two false alarms of a monitor.
    """
    size = plan.span.size if plan.span.size is not None else LONGEST
    timed = plan.span.time * _rate(part) if plan.span.time is not None else LONGEST
    most = float(np.clip(min(size, timed) / run_length, 1.0 / LONGEST, 1.0))
    return plan._replace(
        lookouts=tuple(_lookout_at(lookout, run_length) for lookout in plan.lookouts),
        families=tuple(
            dataclasses.replace(family, significance=min(family.significance, most)) if family.budgeted else family
            for family in plan.families
        ),
        shares={
            kind: dataclasses.replace(bounds, significance=min(bounds.significance, most))
            if bounds.budgeted
            else bounds
            for kind, bounds in plan.shares.items()
        },
    )


def resolved(budget: Budget, plan: Plan, part: Part, reference: Reference, tracks: int) -> Plan:
    """Return a plan at the level its baseline was calibrated to, else at its share of the budget.

    A level that was found for another budget is taken in proportion. One that was found for another number of monitors
    says nothing of these, and the union bound holds. Where other tracks share the budget than when it was found, what
    this one needs alone takes its place.

    Parameters
    ----------
    budget
        What the model may raise.
    plan, part, reference
        What is watched, and against what.
    tracks
        How many tracks share the budget equally.
    """
    count, allowed = monitors(plan, reference), run_length(budget, part, tracks)
    found = part.calibration or {"monitors": count, "between": allowed}
    if part.level is None or found["monitors"] != count:
        return at_level(plan, part, run_length(budget, part, tracks * count))
    level = part.level if found.get("tracks", tracks) == tracks else found["alone"]
    return at_level(plan, part, float(np.clip(level * (allowed / found["between"]), SHORTEST, LONGEST)))


def _rate(part: Part) -> float:
    """Return rows of the baseline per ns of event time."""
    return part.rows / max(part.end - part.start, 1)


def _lookout_at(lookout: Lookout, run_length: float) -> Lookout:
    detector: Any = lookout.detector
    if not lookout.budgeted or PARAMETER not in getattr(detector, "__dataclass_fields__", ()):
        return lookout
    return dataclasses.replace(lookout, detector=dataclasses.replace(detector, **{PARAMETER: run_length}))
