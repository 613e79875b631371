"""What follows the alarm of a sequential detector: whether the lane is in drift, and when it is over.

A detector that compares with the baseline has its own false-alarm guarantee and has taken the smallest shift worth
knowing into its null hypothesis, so its alarm is drift. One that compares a stream with itself (river's) says *that*
something changed: the mean since the most likely change must lie beyond noise and further from the baseline's than
the smallest shift. A change that seems too small, or may be noise, is judged once more by the first whole window after
the alarm.

Drift is over when windows that began after the last alarm say so: none of them is beyond noise on the side of the
change, and together, added up as by a CUSUM, they are likelier under the baseline than under half the change. A large
change back ends it with one window, a small one needs several, and noise about a small change does not make it come
and go.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from anchorwatch.engine.change_point import CONFIRMATION, VARIANCE, Usually
from anchorwatch.engine.window_monitor import direction_of
from anchorwatch_detectors.base import Direction, Level, Verdict

if TYPE_CHECKING:
    from anchorwatch.engine.change_point import Change
    from anchorwatch.engine.lanes import Lanes, Lookout

RELIEF = 3.0  # nats by which the baseline must beat half the change; under the whole change once in exp(9) of cases
NOISE = 2.0  # nats up to which a window on the side of the change may be noise: 2 standard errors


class When(NamedTuple):
    """Event time of a change, and the interval it lies in, ns; told by the names that a verdict has for them."""

    since: int
    since_low: int
    since_high: int


class Seen(NamedTuple):
    """Mean of a window, of the squared distance from the baseline's mean too, and its number of values."""

    mean: float
    square: float
    n: int


def after_alarm(
    lanes: Lanes, lookout: Lookout, lane: tuple[int, int], change: Change, usual: Usually, since: When
) -> Verdict:
    """Return what an alarm says of a lane."""
    before, _ = usual.of(spread=change.spread)
    effect = change.mean - before
    known = not math.isnan(before)
    drifting = known and (
        lookout.against_baseline or (change.beyond_noise and bool(abs(effect) >= lookout.smallest_shift))
    )
    same = lanes.spread[lane] == change.spread and effect * (lanes.level[lane] - before) > 0.0
    if lanes.drifting[lane] and same:
        since = min(since, lanes.when(lane))  # it goes on: the lane began anew after its last alarm
    lanes.drifting[lane], lanes.suspected[lane] = drifting, known and not drifting
    lanes.since[lane], lanes.mixed[lane], lanes.spread[lane] = since, lookout.panes, change.spread
    lanes.level[lane], lanes.length[lane], lanes.relief[lane] = change.mean, change.values, 0.0
    if not known:
        said, reason = Level.UNDETERMINED, "baseline_too_small"
    else:
        calm = "small_effect" if change.beyond_noise else "within_noise"
        said, reason = (Level.DRIFT, _reason(lanes, lane)) if drifting else (Level.STABLE, calm)
    return Verdict(
        level=said,
        reason=reason,
        statistic=change.mean,
        threshold=math.nan if change.spread else before + math.copysign(lookout.smallest_shift, effect),
        effect=effect,
        direction=Direction.CHANGED if change.spread else direction_of(lookout.kind, effect),
        n=change.values,
        **(since._asdict() if said is Level.DRIFT else {}),
    )


def after_window(
    lanes: Lanes, lookout: Lookout, lane: tuple[int, int], window: Seen, usual: Usually
) -> tuple[Verdict, bool] | None:
    """Return what a window says of a lane in drift or suspected of it, and whether that alone decides.

    None while the window holds rows from before the alarm, and where a suspicion comes to nothing.
    """
    if lanes.mixed[lane] > 0:
        lanes.mixed[lane] -= 1
        return None
    if window.n == 0:
        return None
    spread = bool(lanes.spread[lane])
    before, variance = usual.of(spread=spread)
    now = window.square if spread else window.mean
    effect = now - before
    suspected = bool(lanes.suspected[lane])
    if suspected:
        beyond_noise = window.n * effect**2 >= 2.0 * variance * CONFIRMATION
        drifts = beyond_noise and bool(abs(effect) >= lookout.smallest_shift)
        lanes.level[lane], lanes.length[lane] = now, window.n
    else:
        drifts = not _over(lanes, lane, (now, window.n), (before, variance), 0.0 if spread else lookout.smallest_shift)
    lanes.drifting[lane], lanes.suspected[lane] = drifts, False
    if suspected and not drifts:
        return None
    verdict = Verdict(
        level=Level.DRIFT if drifts else Level.STABLE,
        reason=_reason(lanes, lane) if drifts else "back_to_baseline",
        statistic=now,
        threshold=math.nan if spread else before + math.copysign(lookout.smallest_shift, effect),
        effect=effect,
        direction=Direction.CHANGED if spread or not drifts else direction_of(lookout.kind, lanes.level[lane] - before),
        n=window.n,
        **(lanes.when(lane)._asdict() if drifts else {}),
    )
    return verdict, suspected or not drifts


def _over(
    lanes: Lanes, lane: tuple[int, int], window: tuple[float, int], usual: tuple[float, float], smallest: float
) -> bool:
    """Take a window into account, its mean and number of values; return whether the drift of a lane is over."""
    (mean, n), (before, variance) = window, usual
    variance, level, length = max(variance, VARIANCE), float(lanes.level[lane]), int(lanes.length[lane])
    size = max(abs(level - before), math.sqrt(2.0 * variance * CONFIRMATION / length))
    side = math.copysign(1.0, level - before)
    calm, half, beyond = min(smallest, size / 4.0), size / 2.0, side * (mean - before)
    if beyond > calm and n * (beyond - calm) ** 2 > 2.0 * variance * NOISE:
        lanes.level[lane] = (length * level + n * mean) / (length + n)
        lanes.length[lane], lanes.relief[lane] = length + n, 0.0
        return False
    evidence = n * (half - calm) * ((calm + half) / 2.0 - beyond) / variance
    lanes.relief[lane] = max(lanes.relief[lane] + evidence, 0.0)
    return bool(lanes.relief[lane] >= RELIEF)


def _reason(lanes: Lanes, lane: tuple[int, int]) -> str:
    return "spread" if lanes.spread[lane] else "changed"
