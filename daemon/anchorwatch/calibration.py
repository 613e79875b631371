"""Calibration: what false alarms a model's monitors raise together, the level that meets their budget, and its price.

Each track of a model (predictions, outcomes) has its half of the budget, as in `engine.budget`, and a level of its own.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import numpy as np

from anchorwatch.engine.budget import LONGEST, SHORTEST, monitors, run_length
from anchorwatch.engine.reference import Reference
from anchorwatch.engine.simulated_delays import Trial
from anchorwatch.engine.simulated_scenes import described, scenes_of
from anchorwatch.engine.simulation import false_alarms
from anchorwatch.errors import NoData
from anchorwatch.settings.budgets import format_budget
from anchorwatch_detectors.calibrate import LENGTHS, Curve, Interval, Point, levels_for

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from anchorwatch.engine.baseline import Baseline, Part, PartName
    from anchorwatch.engine.simulated_delays import Delay
    from anchorwatch.engine.simulated_scenes import Logged
    from anchorwatch.engine.simulation import Scene
    from anchorwatch.engine.watch import Watch

LEAST = 8
"""Windows of the shortest stream: a window alone raises no alert, and a change of the first ones is found later."""


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
    scenes = scenes_of(watch, baseline, logged)
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

    levels = levels_for(count, effort.events, effort.streams, effort.points, between, LEAST * scene.window)
    total = sum(rows for _, rows in levels) * effort.streams
    seed = [effort.seed, ("predictions", "outcomes").index(name)]
    curve = Curve.simulated(simulate, count, levels, effort.streams, seed, lambda done: tell(0.8 * done / total))
    ranking = dict(alarms.most_common())
    level, check = _within(curve.level(between)), None
    if LENGTHS * between * effort.streams <= effort.events:
        rows, seed = int(LENGTHS * between), [*seed, 1]
        check = Curve.simulated(simulate, count, [(level, rows)], effort.streams, seed).points[0]
    tell(0.9)
    trial = Trial(scene, part, level, between, effort.repeats, effort.seed)
    delays = tuple(trial.shifts() if name == "predictions" else trial.errors())
    tell(1.0)
    return Calibrated(name, described(scene.rows), between, curve, ranking, check, delays)


def _within(run_length: float) -> float:
    return float(np.clip(run_length, SHORTEST, LONGEST))


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
