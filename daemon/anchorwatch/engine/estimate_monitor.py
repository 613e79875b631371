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
from anchorwatch.engine.reference import Reference
from anchorwatch.engine.track import joined
from anchorwatch.events.columns import PREDICTION_SCORE, PREDICTION_VALUE
from anchorwatch_detectors.base import Direction, Level, Verdict
from anchorwatch_detectors.estimated import Curve
from anchorwatch_detectors.profile import NumericProfile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from anchorwatch.engine.baseline import Part
    from anchorwatch.engine.building import Made
    from anchorwatch.engine.reference import Block
    from anchorwatch.engine.track import Plan
    from anchorwatch.engine.version import Version
    from anchorwatch.engine.watch import Watch
    from anchorwatch_detectors.estimated import Estimated

ESTIMATED_ACCURACY, ESTIMATED_ERROR = "estimated accuracy", "estimated error size"
CBPE, DLE = "cbpe", "dle"
"""Estimated from calibrated confidences; from the size of errors by predicted value."""


def with_curve(watch: Watch, plan: Plan, part: Part, gathered: Sequence[Block]) -> Part:
    """Return an outcomes part with the curve of the rows it was made of, and of those of each segment with enough.

    Without scores there is none.
    """
    block = joined(gathered)
    words = block.answers
    if not watch.estimates or words is None:
        return part
    number = words[2].view(np.float64)
    if watch.regression:
        outcome = np.abs(number - words[4].view(np.float64))
    else:
        outcome = (words[1] == words[3]).astype(np.float64)
    curve = Curve.of(number, outcome)
    if curve is None:
        return part
    part = msgspec.structs.replace(part, curve=curve.to_plain())
    if len(part.groups) == 1:
        return part
    groups, members = part.groups[:1], Reference.of("", part, plan.columns, plan.segment_columns).members(block)[1:]
    for g, group in enumerate(part.groups[1:], 1):
        mine = np.any([column == g for column in members], axis=0)
        own = Curve.of(number[mine], outcome[mine]) if group.rows >= watch.min_sample else None
        groups.append(group if own is None else msgspec.structs.replace(group, curve=own.to_plain()))
    return msgspec.structs.replace(part, groups=groups)


def follow(watch: Watch, version: Version, made: Sequence[Made]) -> list[Finding]:
    """Return what the windows that closed in this release say of the accuracy to come, as a whole and by segment.

    A segment is estimated by its own curve; one with few predictions, in the window or in the baseline, is passed over.

    Parameters
    ----------
    watch, version
        Whose they are.
    made
        Baselines that were completed in this release: windows that closed before there were outcomes are passed over.
    """
    baseline, reference = version.baseline, version.predictions_reference
    if not watch.estimates or baseline is None or baseline.outcomes is None or reference is None:
        return []
    closed = version.predictions.closed
    if baseline.outcomes.curve is None or not closed:
        return []
    name = PREDICTION_VALUE if watch.regression else PREDICTION_SCORE
    column = next((i for i, each in enumerate(reference.columns) if each.name == name), None)
    if column is None:
        return []
    x, cells = _values(reference, column)
    begun = next((each.at for each in made if each.baseline.outcomes is not None), -1)
    known, curves = _curves(baseline.outcomes), dict[str, Curve]()
    findings: list[Finding] = []
    for window in closed:
        segment = reference.groups[window.group]
        if segment not in known or window.moment.position <= begun:
            continue
        curve = curves.get(segment) or curves.setdefault(segment, Curve.from_plain(known[segment]))
        found = curve.estimate(x, window.counts[cells])
        if segment and found.n < watch.min_sample:
            continue
        findings.append(
            Finding(
                moment=window.moment,
                segment=segment,
                kind=Kind.ACCURACY,
                subject=ESTIMATED_ERROR if watch.regression else ESTIMATED_ACCURACY,
                monitor=DLE if watch.regression else CBPE,
                verdict=_verdict(watch, found, float(curve.rows @ curve.mean / curve.rows.sum())),
                baseline=baseline.id,
                decisive=False,
            )
        )
    return findings


def _curves(part: Part) -> dict[str, dict[str, list[float]]]:
    """Return the curves of an outcomes part as plain data, by label of the group."""
    curves = {group.label: group.curve for group in part.groups[1:] if isinstance(group.curve, dict)}
    return curves if part.curve is None else {"": part.curve, **curves}


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
