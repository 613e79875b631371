"""Accuracy that is estimated as long as there are no labels: shown for each window of predictions, never judged.

The outcomes part of a baseline says how often predictions of each score were right, or how large the error of each
predicted value was (`anchorwatch_detectors.estimated`). A window of predictions has counts of its scores anyway.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from anchorwatch.decide.evidence import POINTS, Kind
from anchorwatch.engine.finding import Finding
from anchorwatch.engine.track import joined
from anchorwatch.events.columns import PREDICTION_SCORE, PREDICTION_VALUE
from anchorwatch_detectors.base import Direction, Level, Verdict
from anchorwatch_detectors.estimated import Curve
from anchorwatch_detectors.profile import NumericProfile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from anchorwatch.engine.baseline import Part
    from anchorwatch.engine.reference import Block, Reference
    from anchorwatch.engine.state import Version
    from anchorwatch.engine.watch import Watch
    from anchorwatch_detectors.estimated import Estimated

ESTIMATED_ACCURACY, ESTIMATED_ERROR = "estimated accuracy", "estimated error size"
CBPE, DLE = "cbpe", "dle"
"""Estimated from calibrated confidences; from the size of errors by predicted value."""


def with_curve(watch: Watch, part: Part, gathered: Sequence[Block]) -> Part:
    """Return an outcomes part with the curve of the rows it was made of; without one where there are no scores."""
    words = joined(gathered).answers
    if not watch.estimates or words is None:
        return part
    number = words[2].view(np.float64)
    if watch.regression:
        outcome = np.abs(number - words[4].view(np.float64))
    else:
        outcome = (words[1] == words[3]).astype(np.float64)
    curve = Curve.of(number, outcome)
    return part if curve is None else msgspec.structs.replace(part, curve=curve.to_plain())


def follow(watch: Watch, version: Version) -> list[Finding]:
    """Return what the windows that closed in this release say of the accuracy to come."""
    baseline, reference = version.baseline, version.predictions_reference
    if not watch.estimates or baseline is None or baseline.outcomes is None or reference is None:
        return []
    plain, closed = baseline.outcomes.curve, version.predictions.closed
    if plain is None or not closed:
        return []
    curve = Curve.from_plain(plain)
    name = PREDICTION_VALUE if watch.regression else PREDICTION_SCORE
    column = next((i for i, each in enumerate(reference.columns) if each.name == name), None)
    if column is None:
        return []
    x, cells = _values(reference, column)
    usual = float(curve.rows @ curve.mean / curve.rows.sum())
    return [
        Finding(
            moment=window.moment,
            segment="",
            kind=Kind.ACCURACY,
            subject=ESTIMATED_ERROR if watch.regression else ESTIMATED_ACCURACY,
            monitor=DLE if watch.regression else CBPE,
            verdict=_verdict(watch, curve.estimate(x, window.counts[cells]), usual),
            baseline=baseline.id,
            decisive=False,
        )
        for window in closed
        if window.group == 0
    ]


def _values(reference: Reference, column: int) -> tuple[NDArray[np.float64], slice]:
    """Return a value that stands for each good cell of a numeric column, and where the cells lie in the vector."""
    profile = reference.profiles[column]
    start, size = int(reference.starts[column]), int(reference.sizes[column])
    if not isinstance(profile, NumericProfile) or not len(profile.grid):
        return np.zeros(size), slice(start, start + size)
    between = (profile.grid[1:] + profile.grid[:-1]) / 2.0
    x = np.empty(size)
    x[1::2] = profile.grid
    x[0::2] = np.concatenate([profile.grid[:1], between, profile.grid[-1:]])
    return x, slice(start, start + size)


def _verdict(watch: Watch, found: Estimated, usual: float) -> Verdict:
    enough = found.n >= watch.min_sample
    effect = found.value - usual
    return Verdict(
        level=Level.STABLE if enough else Level.UNDETERMINED,
        reason="estimated" if enough else "too_few_values",
        statistic=found.value,
        threshold=math.nan,
        effect=effect,
        effect_unit="" if watch.regression else POINTS,
        direction=Direction.WORSE if (effect > 0) == watch.regression and effect else Direction.BETTER,
        n=found.n,
        low=found.low if found.n else None,
        high=found.high if found.n else None,
    )
