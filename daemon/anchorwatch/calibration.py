"""Calibration: what false alarms a model's monitors raise together, the level that meets their budget, and its price.

Each track of a model (predictions, outcomes) has its half of the budget, as in `engine.budget`, and a level of its own.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import numpy as np

from anchorwatch.decide.evidence import Kind
from anchorwatch.engine.budget import LONGEST, SHORTEST, monitors, run_length
from anchorwatch.engine.building import outcomes_part, predictions_part
from anchorwatch.engine.reference import Reference
from anchorwatch.engine.simulated_changes import error_rate, larger_errors, more_errors, shifted
from anchorwatch.engine.simulated_rows import Drawn, Resampled
from anchorwatch.engine.simulation import Scene, delay, false_alarms
from anchorwatch.engine.track import joined
from anchorwatch.errors import NoData
from anchorwatch.settings.budgets import format_budget
from anchorwatch_detectors.calibrate import (
    LENGTHS,
    Curve,
    Interval,
    Point,
    error_divergence,
    levels_for,
    lorden,
    shift_divergence,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from anchorwatch.engine.baseline import Baseline, Part, PartName
    from anchorwatch.engine.reference import Block
    from anchorwatch.engine.track import Plan
    from anchorwatch.engine.watch import Watch

SHIFTS = (0.1, 0.25, 0.5, 1.0)
"""Changes of a feature, in standard deviations."""
FACTORS = (1.1, 1.5)
"""Changes of the error rate."""
PATIENCE = 4.0
"""A change counts as not found after so many times Lorden's bound and four windows."""
LEAST = 8
"""Windows of the shortest stream: a window alone raises no alert, and a change of the first ones is found later."""
BEFORE = 4000
"""Rows before a change."""


class Effort(NamedTuple):
    """How much is simulated, and from which seed.

    Attributes
    ----------
    events
        For the curve of one track.
    streams, points
        Streams at each level, and levels.
    repeats
        Streams on which each delay is measured.
    seed
        Of everything: the same seed gives the same calibration.
    """

    events: int = 2_000_000
    streams: int = 16
    points: int = 4
    repeats: int = 6
    seed: int = 1


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


class Delay(NamedTuple):
    """How fast a change is found.

    Attributes
    ----------
    change
        What changes.
    mean
        Rows from the first changed one to the alert, both counted; NaN where it was not found on every stream.
    found, streams
        Streams on which it was found, and all.
    within
        Rows after which it counted as not found.
    bound
        Lorden's bound for the track's budget; NaN where the divergence is not known.
    """

    change: str
    mean: float
    found: int
    streams: int
    within: int
    bound: float


@dataclass(frozen=True, slots=True)
class Calibrated:
    """One track.

    Attributes
    ----------
    part
        Which.
    rows
        How its streams were made.
    between
        Rows for each false alarm that the track may raise.
    curve
        What was simulated.
    alarms
        False alarms of the curve, by kind and monitor.
    check
        A simulation at the level chosen; None where the budget is too rare for one.
    delays
        At the level chosen.
    """

    part: PartName
    rows: str
    between: float
    curve: Curve
    alarms: dict[str, int]
    check: Point | None
    delays: tuple[Delay, ...]

    @property
    def union(self) -> float:
        """Level that the union bound gives."""
        return self.curve.monitors * self.between

    @property
    def level(self) -> float:
        """Level that meets the budget, within what detectors can be set to."""
        return _within(self.curve.level(self.between))

    @property
    def expected(self) -> Interval:
        """False alarms that are expected at the level, in units of what the budget allows."""
        return self.curve.expected(self.level, self.between)

    def to_plain(self) -> dict[str, Any]:
        """Return everything as plain data; None for what is not defined."""
        check = self.check
        return {
            "rows": self.rows,
            "between": self.between,
            "monitors": self.curve.monitors,
            "union": self.union,
            "level": self.level,
            "worth": list(self.curve.worth),
            "constant": self.curve.constant,
            "rising": self.curve.rising,
            "expected": list(self.expected),
            "alarms": self.alarms,
            "curve": [_point(point) for point in self.curve.points],
            "check": None if check is None else _point(check),
            "delays": [{k: _number(v) for k, v in each._asdict().items()} for each in self.delays],
        }


@dataclass(frozen=True, slots=True)
class Calibration:
    """All tracks of a model.

    Attributes
    ----------
    budget
        As the configuration says it.
    tracks
        Those with monitors.
    baseline
        The baseline that was calibrated.
    result
        The same with levels and curves; it extends the other.
    """

    budget: str
    tracks: tuple[Calibrated, ...]
    baseline: Baseline
    result: Baseline

    def to_plain(self) -> dict[str, Any]:
        """Return everything but the profiles as one JSON object."""
        return {
            "budget": self.budget,
            "baseline": self.baseline.id,
            "calibrated": self.result.id,
            "tracks": {track.part: track.to_plain() for track in self.tracks},
        }


def calibrate(
    watch: Watch,
    baseline: Baseline,
    logged: Logged | None,
    effort: Effort,
    progress: Callable[[float], None] | None = None,
) -> Calibration:
    """Simulate a model's monitors, and return the level that meets their budget.

    Parameters
    ----------
    watch
        Of the model.
    baseline
        What it is compared with.
    logged
        Rows like those of the baseline, in order; without them they are drawn from its profiles.
    effort
        How much is simulated.
    progress
        Told now and then which share is done, 0 to 1.

    Raises
    ------
    NoData
        If the baseline is empty.
    """
    if baseline.predictions is None:
        raise NoData(f"baseline {baseline.id} holds no predictions, so nothing can be simulated")
    scenes = _scenes(watch, baseline, logged)
    tracks = []
    for place, (name, scene) in enumerate(scenes.items()):
        part = baseline.part(name)
        if part is None:
            continue

        def tell(share: float, place: int = place) -> None:
            if progress is not None:
                progress((place + share) / len(scenes))

        tracks.append(_track(watch, name, part, scene, effort, tell))
    budget = format_budget(watch.budget)
    return Calibration(budget, tuple(tracks), baseline, _saved(watch, baseline, budget, tracks))


def _scenes(watch: Watch, baseline: Baseline, logged: Logged | None) -> dict[PartName, Scene]:
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


def _track(
    watch: Watch, name: PartName, part: Part, scene: Scene, effort: Effort, tell: Callable[[float], None]
) -> Calibrated:
    between = run_length(watch.budget, part, watch.tracks())
    reference = Reference.of("", part, scene.plan.columns, scene.plan.segment_columns)
    count = max(monitors(scene.plan, reference), 1)
    alarms: Counter[str] = Counter()

    def simulate(level: float, rows: int, rng: np.random.Generator) -> int:
        found = false_alarms(scene, level, rows, rng)
        alarms.update(f"{alert.kind}: {alert.monitor}" for alert in found)
        return len(found)

    levels = levels_for(count, effort.events, effort.streams, effort.points, between, LEAST * _window(scene.plan))
    total = sum(rows for _, rows in levels) * effort.streams
    seed = [effort.seed, ("predictions", "outcomes").index(name)]
    curve = Curve.simulated(simulate, count, levels, effort.streams, seed, lambda done: tell(0.8 * done / total))
    ranking = dict(alarms.most_common())
    level, check = _within(curve.level(between)), None
    if LENGTHS * between * effort.streams <= effort.events:
        rows, seed = int(LENGTHS * between), [*seed, 1]
        check = Curve.simulated(simulate, count, [(level, rows)], effort.streams, seed).points[0]
    tell(0.9)
    delays = _delays(scene, part, name, level, between, effort)
    tell(1.0)
    return Calibrated(name, _described(scene), between, curve, ranking, check, delays)


def _described(scene: Scene) -> str:
    """Return how the rows of a scene are made, for people."""
    rows = scene.rows
    if isinstance(rows, Resampled):
        blocks = "one by one" if rows.length == 1 else f"in blocks of {rows.length:,}"
        return f"{len(rows.rows):,} rows of the log, drawn {blocks}"
    if isinstance(rows, Drawn) and not rows.dependent:
        return "drawn from the profiles of the baseline as independent columns: it keeps no correlations"
    return "drawn from the profiles of the baseline, with the correlations and memory it keeps"


def _delays(
    scene: Scene, part: Part, name: PartName, level: float, between: float, effort: Effort
) -> tuple[Delay, ...]:
    if name == "outcomes":
        return tuple(_error_delays(scene, part, level, between, effort))
    numeric = [c for c in scene.plan.columns if c.numeric]
    known = {name for name, plain in part.columns.items() if plain["kind"] == "numeric" and plain["mean"] is not None}
    features = [(c.name, i) for i, c in enumerate(numeric) if c.kind is Kind.DRIFT and c.name in known]
    out = []
    for shift in SHIFTS if features and effort.repeats else ():
        changes = [
            partial(shifted, column=features[i % len(features)], deviations=shift) for i in range(effort.repeats)
        ]
        bound = lorden(between, shift_divergence(shift))
        out.append(_timed(scene, level, f"a feature by {shift:g} sd", changes, bound, effort.seed))
    return tuple(out)


def _error_delays(scene: Scene, part: Part, level: float, between: float, effort: Effort) -> list[Delay]:
    column = scene.plan.columns[0]
    rate, out = error_rate(part, column.name), []
    for factor in FACTORS:
        if column.numeric:
            what, bound = f"errors larger by {factor - 1:.0%}", math.nan
            change: Callable[..., Block] = partial(larger_errors, factor=factor)
        else:
            what, bound = f"error rate +{factor - 1:.0%}", lorden(between, error_divergence(rate, rate * factor))
            change = partial(more_errors, rate=rate, factor=factor)
        changes = [change] * effort.repeats if column.numeric or not math.isnan(bound) else []
        if changes:
            out.append(_timed(scene, level, what, changes, bound, effort.seed))
    return out


def _timed(
    scene: Scene, level: float, what: str, changes: Sequence[Callable[..., Block]], bound: float, seed: int
) -> Delay:
    """Measure how fast a change is found, each time on a stream of its own."""
    within = int(4 * _window(scene.plan) + PATIENCE * (2000.0 if math.isnan(bound) else bound))
    found = [delay(scene, level, change, (BEFORE, within), [seed, 7, i]) for i, change in enumerate(changes)]
    seen = [rows for rows in found if not math.isnan(rows)]
    return Delay(what, float(np.mean(found)), len(seen), len(found), within, bound)


def _within(run_length: float) -> float:
    return float(np.clip(run_length, SHORTEST, LONGEST))


def _window(plan: Plan) -> int:
    """Return the rows of a window; 1000 where it goes by time alone."""
    return (plan.span.size or 1000) * plan.span.panes


def _saved(watch: Watch, baseline: Baseline, budget: str, tracks: Sequence[Calibrated]) -> Baseline:
    """Return the baseline with what was found in it."""
    parts = {}
    for track in tracks:
        part = baseline.part(track.part)
        if part is not None:
            found = {"budget": budget, **track.to_plain()}
            parts[track.part] = msgspec.structs.replace(part, level=track.level, calibration=found)
    return msgspec.structs.replace(
        baseline, extends=baseline.id, code=watch.code, configuration=watch.fingerprint, **parts
    )


def _point(point: Point) -> dict[str, Any]:
    return {
        "run_length": point.run_length,
        "events": point.events,
        "alarms": list(point.alarms),
        "rate": list(point.rate),
        "worth": list(point.worth),
    }


def _number(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
