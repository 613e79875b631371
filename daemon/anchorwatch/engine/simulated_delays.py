"""How soon changes are found at a level, beside the least that is possible."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from anchorwatch.decide.evidence import Kind
from anchorwatch.engine.simulated_changes import error_rate, larger_errors, more_errors, shifted
from anchorwatch.engine.simulation import Scene, delay
from anchorwatch_detectors.calibrate import error_divergence, lorden, shift_divergence

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from anchorwatch.engine.baseline import Part
    from anchorwatch.engine.reference import Block

    Change = Callable[[Block, Part, np.random.Generator], Block]

SHIFTS = (0.1, 0.25, 0.5, 1.0)
"""Changes of a feature, in standard deviations."""
FACTORS = (1.1, 1.5)
"""Changes of the error rate."""
PATIENCE = 4.0
"""A change counts as not found after so many times Lorden's bound and four windows."""
UNKNOWN = 2000.0
"""Stands for Lorden's bound there where the divergence is not known."""
BEFORE = 4000
"""Rows before a change."""


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
class Trial:
    """What delays are measured of.

    Attributes
    ----------
    scene, part
        The track, and its part of the baseline.
    level
        Rows between two false alarms of one monitor.
    between
        Rows for each false alarm that the track may raise.
    repeats
        Streams for each change.
    seed
        Of everything.
    """

    scene: Scene
    part: Part
    level: float
    between: float
    repeats: int
    seed: int

    def shifts(self) -> Iterator[Delay]:
        """Yield the delays of shifts of a feature, each stream another one; none where no feature is numeric."""
        known = {
            n for n, plain in self.part.columns.items() if plain["kind"] == "numeric" and plain["mean"] is not None
        }
        numeric = [c for c in self.scene.plan.columns if c.numeric]
        features = [(c.name, i) for i, c in enumerate(numeric) if c.kind is Kind.DRIFT and c.name in known]
        for size in SHIFTS if features and self.repeats else ():
            chosen = (features[i % len(features)] for i in range(self.repeats))
            changes: list[Change] = [partial(shifted, column=feature, deviations=size) for feature in chosen]
            yield self._timed(f"a feature by {size:g} sd", changes, lorden(self.between, shift_divergence(size)))

    def errors(self) -> Iterator[Delay]:
        """Yield the delays of more errors, or larger ones; none where the baseline has no error."""
        column = self.scene.plan.columns[0]
        rate = error_rate(self.part, column.name)
        for factor in FACTORS if self.repeats else ():
            divergence = error_divergence(rate, rate * factor)
            if column.numeric:
                change: Change = partial(larger_errors, factor=factor)
                yield self._timed(f"errors larger by {factor - 1:.0%}", [change] * self.repeats, math.nan)
            elif not math.isnan(divergence):
                change = partial(more_errors, rate=rate, factor=factor)
                bound = lorden(self.between, divergence)
                yield self._timed(f"error rate +{factor - 1:.0%}", [change] * self.repeats, bound)

    def _timed(self, what: str, changes: list[Change], bound: float) -> Delay:
        """Measure how fast a change is found, each time on a stream of its own."""
        least = UNKNOWN if math.isnan(bound) else bound
        within = int(4 * self.scene.window + PATIENCE * least)
        found = [
            delay(self.scene, self.level, change, (BEFORE, within), [self.seed, 7, i])
            for i, change in enumerate(changes)
        ]
        seen = sum(not math.isnan(rows) for rows in found)
        return Delay(what, float(np.mean(found)), seen, len(found), within, bound)
