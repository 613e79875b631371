"""Would a retraining help? Answered from the shadow, when it is asked, and not before."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from anchorwatch.decide.evidence import ERROR_RATE, ERROR_SIZE
from anchorwatch.decide.recovery import Recovery
from anchorwatch.engine.baseline import profile_of
from anchorwatch.engine.shadow import Labelled
from anchorwatch.engine.vector import WRONG
from anchorwatch.events.classes import POSITIVE, token
from anchorwatch_detectors.category_profile import CategoryProfile

if TYPE_CHECKING:
    from anchorwatch.decide.recovery import Estimator
    from anchorwatch.engine.baseline import Baseline
    from anchorwatch.engine.shadow import Keeping, Shadow
    from anchorwatch.engine.state import State
    from anchorwatch.engine.watch import Watch
    from anchorwatch_detectors.recoverable import Reached

REMEMBERED = 8
"""Estimates that are remembered, the last ones: asking again costs nothing."""


def estimator(watch: Watch, state: State) -> Estimator:
    """Return what estimates the recovery of a version from a change, among its first so many labelled predictions.

    Rows are counted in steps, an eighth of what there is or less, so that a few new labels do not ask for another
    estimate. It gives None where nothing is kept or there are too few rows.
    """
    keeping, shadow = watch.keeping, state.shadow
    codes = {version.name: code for code, version in enumerate(state.versions)}

    def estimate(version: str, since: int, labelled: int) -> Recovery | None:
        code = codes.get(version)
        if keeping is None or shadow is None or code is None:
            return None
        rows = _since(keeping, shadow, code, since, labelled)
        if rows is None:
            return None
        baseline = state.versions[code].baseline
        key = rows.digest() + (b"" if baseline is None else baseline.id.encode())
        if key not in shadow.known:
            while len(shadow.known) >= REMEMBERED:
                del shadow.known[next(iter(shadow.known))]
            shadow.known[key] = _recovery(watch, rows, baseline)
        return shadow.known[key]

    return estimate


def _since(keeping: Keeping, shadow: Shadow, code: int, since: int, labelled: int) -> Labelled | None:
    """Return the rows that became known from a time on, the newest where there are many; None for none."""
    pieces = shadow.labelled.get(code, {})
    if not pieces:
        return None
    rows = Labelled.concat([pieces[number] for number in sorted(pieces)])
    begin = shadow.counted[code] - len(rows)
    end = int(np.searchsorted(rows.order, labelled, side="right"))
    first = int(np.searchsorted(rows.known, since))
    n = min(end - first, keeping.rows)
    if n <= 0:
        return None
    step = 2 ** max(math.floor(math.log2(n)) - 3, 0)
    end -= (begin + end) % step
    first = max(first, end - keeping.rows)
    if first >= end:
        return None
    rows = rows.take(slice(first, end))
    return shadow.revised[code].applied(rows, begin + first, labelled) if code in shadow.revised else rows


def _recovery(watch: Watch, rows: Labelled, baseline: Baseline | None) -> Recovery | None:
    reached = _reached(watch, rows)
    if reached is None:
        return None
    return Recovery(
        metric=reached.metric,
        reached=reached.reached,
        low=reached.low,
        high=reached.high,
        current=reached.current,
        usual=_usual(reached.metric, baseline),
        rows=reached.rows,
    )


def _reached(watch: Watch, rows: Labelled) -> Reached | None:
    from anchorwatch_detectors import recoverable
    from anchorwatch_detectors.views import Table

    rows = rows.take(np.lexsort((rows.order, rows.made)))
    table = Table(
        numeric=rows.numeric,
        category=rows.category,
        said=rows.token,
        number=rows.number,
        label=rows.label_token,
        target=rows.label_number,
    )
    if watch.regression:
        return recoverable.of_values(table)
    scored = watch.keeping is not None and watch.keeping.scored
    return recoverable.of_scores(table, token(POSITIVE)) if scored else recoverable.of_classes(table)


def _usual(metric: str, baseline: Baseline | None) -> float | None:
    """Return what the baseline says of a metric; None where it does not say it.

    Its metrics know of labels that were replaced, its columns of the first ones alone.
    """
    part = None if baseline is None else baseline.outcomes
    if part is None:
        return None
    known = part.groups[0].metrics if part.groups else msgspec.UNSET
    name = "mae" if metric == "error" else metric.replace(" ", "_")
    if isinstance(known, dict) and name in known:
        return known[name].value
    if metric == "error" and ERROR_SIZE in part.columns:
        return float(part.columns[ERROR_SIZE]["mean"])
    profile = profile_of(part.columns[ERROR_RATE]) if metric == "accuracy" and ERROR_RATE in part.columns else None
    if not isinstance(profile, CategoryProfile) or not profile.n:
        return None
    wrong = int(profile.counts[profile.words.index(WRONG)]) if WRONG in profile.words else 0
    return 1.0 - wrong / profile.n
