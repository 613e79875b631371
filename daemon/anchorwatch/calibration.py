"""Calibration: what false alarms a model's monitors raise together, the level that meets their budget, and its price.

The level is common to all tracks of a model (predictions, outcomes), each of which has its share of the budget, as in
`engine.budget`.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple

from anchorwatch.engine.budget import monitors, run_length
from anchorwatch.engine.calibrated import Calibrated, Calibration
from anchorwatch.engine.reference import Reference
from anchorwatch.engine.simulated_delays import Trial
from anchorwatch.engine.simulated_scenes import described, scenes_of
from anchorwatch.engine.simulation import false_alarms
from anchorwatch.errors import NoData
from anchorwatch.settings.budgets import format_budget
from anchorwatch_detectors.calibrate import LENGTHS, Curve, Point
from anchorwatch_detectors.shared_level import Share, common_level, grid_for, pooled

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy as np

    from anchorwatch.engine.baseline import Baseline, Part, PartName
    from anchorwatch.engine.simulated_delays import Delay
    from anchorwatch.engine.simulated_scenes import Logged
    from anchorwatch.engine.simulation import Scene
    from anchorwatch.engine.watch import Watch

LEAST = 8
"""Windows of the shortest stream: a window alone raises no alert, and a change of the first ones is found later."""
CURVES, CHECKED = 0.8, 0.9
"""Shares of the work that are done when the curves are, and when the check is."""


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


@dataclass(slots=True)
class _Track:
    """A track that is simulated, and the false alarms it raised."""

    name: PartName
    part: Part
    scene: Scene
    share: Share
    alarms: Counter[str] = field(default_factory=Counter)

    def seed(self, effort: Effort) -> list[int]:
        return [effort.seed, ("predictions", "outcomes").index(self.name)]

    def simulate(self, level: float, rows: int, rng: np.random.Generator) -> int:
        """Return the number of false alarms on one stream, and remember whose they are."""
        found = false_alarms(self.scene, level, rows, rng)
        self.alarms.update(f"{alert.kind}: {alert.monitor}" for alert in found)
        return len(found)


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
    tell = progress or (lambda _: None)
    tracks = _tracks(watch, baseline, logged)
    grid = grid_for([track.share for track in tracks], effort.events, effort.streams, effort.points)
    curves = _curves(tracks, grid.sets, effort, tell)
    whole = pooled(curves, grid.levels)
    level = common_level(whole)
    found = [
        Calibrated(track.name, described(track.scene.rows), track.share.between, watch.tracks(), level, curve,
                   dict(track.alarms.most_common()))
        for track, curve in zip(tracks, curves, strict=True)
    ]  # fmt: skip
    check = _check(tracks, found, level, effort)
    tell(CHECKED)
    timed = []
    for place, (track, each) in enumerate(zip(tracks, found, strict=True), start=1):
        timed.append(replace(each, delays=_delays(track, each.level, effort)))
        tell(1.0 if place == len(tracks) else CHECKED + (1.0 - CHECKED) * place / len(tracks))
    budget = format_budget(watch.budget)
    return Calibration(budget, whole, check, tuple(timed), baseline, watch.code, watch.fingerprint)


def _tracks(watch: Watch, baseline: Baseline, logged: Logged | None) -> list[_Track]:
    """Return the tracks that have monitors."""
    tracks = []
    for name, scene in scenes_of(watch, baseline, logged).items():
        part = baseline.part(name)
        if part is not None:
            reference = Reference.of("", part, scene.plan.columns, scene.plan.segment_columns)
            between = run_length(watch.budget, part, watch.tracks())
            share = Share(max(monitors(scene.plan, reference), 1), between, LEAST * scene.window)
            tracks.append(_Track(name, part, scene, share))
    return tracks


def _curves(
    tracks: Sequence[_Track],
    sets: Sequence[Sequence[tuple[float, int]]],
    effort: Effort,
    tell: Callable[[float], None],
) -> list[Curve]:
    """Simulate each track at the levels of the grid."""
    total = effort.streams * sum(rows for levels in sets for _, rows in levels)
    curves, before = [], 0
    for track, levels in zip(tracks, sets, strict=True):

        def told(done: int, before: int = before) -> None:
            tell(CURVES * (before + done) / total)

        count, seed = track.share.monitors, track.seed(effort)
        curves.append(Curve.simulated(track.simulate, count, levels, effort.streams, seed, told))
        before += effort.streams * sum(rows for _, rows in levels)
    return curves


def _check(tracks: Sequence[_Track], found: Sequence[Calibrated], level: float, effort: Effort) -> Point | None:
    """Simulate the whole model at its level; None where the budget is so rare that this takes too many rows."""
    if LENGTHS * effort.streams * max(track.share.between for track in tracks) > effort.events:
        return None
    curves = []
    for track, each in zip(tracks, found, strict=True):
        at = [(each.level, int(LENGTHS * track.share.between))]
        seed = [*track.seed(effort), 1]
        curves.append(Curve.simulated(track.simulate, track.share.monitors, at, effort.streams, seed))
    return pooled(curves, [level]).points[0]


def _delays(track: _Track, level: float, effort: Effort) -> tuple[Delay, ...]:
    """Measure how soon changes are found at the level."""
    trial = Trial(track.scene, track.part, level, track.share.between, effort.repeats, effort.seed)
    return tuple(trial.shifts() if track.name == "predictions" else trial.errors())
