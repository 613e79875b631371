"""The tracks of a model as they are simulated: from the rows of a log, or from what a baseline keeps."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from anchorwatch.engine.building import outcomes_part, predictions_part
from anchorwatch.engine.simulated_rows import Drawn, Resampled
from anchorwatch.engine.simulation import Scene
from anchorwatch.engine.track import joined
from anchorwatch.errors import NoData

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anchorwatch.engine.baseline import Baseline, Part, PartName
    from anchorwatch.engine.reference import Block
    from anchorwatch.engine.simulated_rows import Rows
    from anchorwatch.engine.track import Plan
    from anchorwatch.engine.watch import Watch


class Logged(NamedTuple):
    """Rows to make streams of: all of them, and the labelled ones; None where no label came."""

    rows: Block
    labelled: Block | None

    @classmethod
    def of(cls, gathered: Sequence[Block] | None, labelled: Sequence[Block] | None) -> Logged:
        """Return what tracks have gathered; raises NoData where there is nothing."""
        if not gathered:
            raise NoData("the log holds no usable prediction, so there is nothing to make streams of")
        return cls(joined(gathered), joined(labelled) if labelled else None)


def scenes_of(watch: Watch, baseline: Baseline, logged: Logged | None) -> dict[PartName, Scene]:
    """Return the tracks that have monitors, as they are to be simulated."""
    scenes: dict[PartName, Scene] = {}
    rules = msgspec.structs.replace(watch.rules, retrain=())
    predictions, outcomes = baseline.predictions, baseline.outcomes
    if predictions is not None:
        plan = watch.predictions
        extra = watch.shape.category[sum(not c.numeric for c in plan.columns) :]
        rows = Drawn(predictions, plan, extra) if logged is None else Resampled.of(logged.rows, predictions, plan)
        scenes["predictions"] = Scene(plan, rules, rows, predictions.rows, partial(_predictions, watch))
    if outcomes is not None and watch.outcomes is not None and watch.tracks() > 1:
        plan = watch.outcomes
        labelled = None if logged is None else logged.labelled
        rows = Drawn(outcomes, plan, ()) if labelled is None else Resampled.of(labelled, outcomes, plan)
        summary = partial(_outcomes, watch, plan, predictions)
        scenes["outcomes"] = Scene(plan, rules, rows, outcomes.rows, summary)
    return scenes


def _predictions(watch: Watch, block: Block) -> Part:
    return predictions_part(watch, [block])


def _outcomes(watch: Watch, plan: Plan, known: Part | None, block: Block) -> Part:
    return outcomes_part(plan, [block], known, watch.cycle)


def described(rows: Rows) -> str:
    """Return how rows are made, for people."""
    if isinstance(rows, Resampled):
        blocks = "one by one" if rows.length == 1 else f"in blocks of {rows.length:,}"
        return f"{len(rows.rows):,} rows of the log, drawn {blocks}"
    if not isinstance(rows, Drawn):
        raise TypeError(f"nobody knows how {type(rows).__name__} makes rows")
    season = ", and without its season" if rows.seasonal else ""
    if not rows.dependent:
        return f"drawn from the profiles of the baseline as independent columns: it keeps no correlations{season}"
    return f"drawn from the profiles of the baseline, with the correlations and memory it keeps{season}"
