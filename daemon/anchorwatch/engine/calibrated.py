"""What a calibration found: the level common to a model's tracks, the curve behind it, and what it means for each."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from anchorwatch.engine.budget import LONGEST, SHORTEST
from anchorwatch_detectors.shared_level import common_level, pooled

if TYPE_CHECKING:
    from anchorwatch.engine.baseline import Baseline, PartName
    from anchorwatch.engine.simulated_delays import Delay
    from anchorwatch_detectors.calibrate import Curve, Interval, Point


@dataclass(frozen=True, slots=True)
class Calibrated:
    """One track at the common level.

    Attributes
    ----------
    part
        Which.
    rows
        How its streams were made.
    between
        Rows for each false alarm that is the track's share of the budget.
    tracks
        How many share the budget equally.
    common
        The level of the model, as a share of what the union bound gives.
    curve
        What was simulated of this track.
    alarms
        False alarms of the curve, by kind and monitor.
    delays
        At the level chosen.
    """

    part: PartName
    rows: str
    between: float
    tracks: int
    common: float
    curve: Curve
    alarms: dict[str, int]
    delays: tuple[Delay, ...] = ()

    @property
    def union(self) -> float:
        """Rows between two false alarms of one monitor by the union bound."""
        return self.curve.monitors * self.between

    @property
    def level(self) -> float:
        """Rows between two false alarms of one monitor at the common level, within what detectors can be set to."""
        return _within(self.common * self.union)

    @property
    def alone(self) -> float:
        """The same at the level at which this track alone keeps to its share."""
        levels = [point.run_length / self.union for point in self.curve.points]
        return _within(common_level(pooled([self.curve], levels)) * self.union)

    @property
    def expected(self) -> Interval:
        """False alarms that are expected at the level, in units of the track's share of the budget."""
        return self.curve.expected(self.level, self.between)

    def to_plain(self) -> dict[str, Any]:
        """Return everything as plain data; None for what is not defined."""
        return {
            "rows": self.rows,
            "between": self.between,
            "tracks": self.tracks,
            "monitors": self.curve.monitors,
            "union": self.union,
            "level": self.level,
            "alone": self.alone,
            "worth": list(self.curve.worth),
            "constant": self.curve.constant,
            "rising": self.curve.rising,
            "expected": list(self.expected),
            "alarms": self.alarms,
            "curve": [_point(point) for point in self.curve.points],
            "delays": [{k: _number(v) for k, v in each._asdict().items()} for each in self.delays],
        }


@dataclass(frozen=True, slots=True)
class Calibration:
    """A model.

    Attributes
    ----------
    budget
        As the configuration says it.
    curve
        Of all tracks together, as `anchorwatch_detectors.shared_level.pooled` makes it.
    check
        A simulation of all tracks at the level chosen; None where the budget is too rare for one.
    tracks
        Those with monitors.
    baseline
        The baseline that was calibrated.
    code, configuration
        Version of anchorwatch and hash of the model's configuration that found this.
    """

    budget: str
    curve: Curve
    check: Point | None
    tracks: tuple[Calibrated, ...]
    baseline: Baseline
    code: str
    configuration: str

    @property
    def level(self) -> float:
        """Level common to all tracks, as a share of what the union bound gives each monitor."""
        return common_level(self.curve)

    @property
    def expected(self) -> Interval:
        """False alarms of the model that are expected at the level, in units of the budget."""
        return self.curve.expected(self.level, 1.0)

    @property
    def rising(self) -> bool:
        """Whether monitors of the model hardly follow the level, so that none meets the budget."""
        return self.curve.rising or any(track.curve.rising for track in self.tracks)

    @property
    def result(self) -> Baseline:
        """The baseline with level and curve, and of each part its own; it extends the other."""
        parts: dict[str, Any] = {}
        for track in self.tracks:
            found = {"budget": self.budget, **track.to_plain()}
            part = self.baseline.part(track.part)
            if part is not None:
                parts[track.part] = msgspec.structs.replace(part, level=track.level, calibration=found)
        return msgspec.structs.replace(
            self.baseline,
            extends=self.baseline.id,
            code=self.code,
            configuration=self.configuration,
            calibration=self.summary(),
            **parts,
        )

    def summary(self) -> dict[str, Any]:
        """Return what was found of the model as a whole, as plain data."""
        return {
            "budget": self.budget,
            "level": self.level,
            "expected": list(self.expected),
            "expected_by_union_bound": list(self.curve.expected(1.0, 1.0)),
            "constant": self.curve.constant,
            "rising": self.rising,
            "curve": [_shared(point) for point in self.curve.points],
            "check": None if self.check is None else _shared(self.check),
        }

    def to_plain(self) -> dict[str, Any]:
        """Return everything but the profiles as one JSON object."""
        return {
            **self.summary(),
            "baseline": self.baseline.id,
            "calibrated": self.result.id,
            "tracks": {track.part: track.to_plain() for track in self.tracks},
        }


def _within(run_length: float) -> float:
    """Return a run length within what detectors can be set to."""
    return float(np.clip(run_length, SHORTEST, LONGEST))


def _point(point: Point) -> dict[str, Any]:
    return {
        "run_length": point.run_length,
        "events": point.events,
        "alarms": list(point.alarms),
        "rate": list(point.rate),
        "worth": list(point.worth),
    }


def _shared(point: Point) -> dict[str, Any]:
    """Return a point of the whole model: the length of a stream, and the false alarms, in budgets."""
    return {
        "level": point.run_length,
        "budgets": point.events,
        "alarms": list(point.alarms),
        "expected": list(point.rate),
    }


def _number(value: Any) -> Any:
    return None if isinstance(value, float) and not math.isfinite(value) else value
