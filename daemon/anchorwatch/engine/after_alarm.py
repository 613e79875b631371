"""What follows the alarm of a sequential detector: whether the lane is in drift, and when it is over.

A detector that compares with the baseline has its own false-alarm guarantee and has taken the smallest shift worth
knowing into its null hypothesis, so its alarm is drift. One that compares a stream with itself (river's) says *that*
something changed: the mean since the most likely change must lie beyond noise and further from the baseline's than
the smallest shift. A change that seems too small, or may be noise, is judged once more by the first whole window after
the alarm.

Drift is over when windows that began after the last alarm say so: by the likelihood of their mean under the baseline
against that under the mean since the change, added up as by a CUSUM. A large change back ends it with one window, a
small one needs several, and noise about a small change does not make it come and go.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from anchorwatch.engine.change_point import CONFIRMATION, RARE, Change
from anchorwatch.engine.window_monitor import direction_of
from anchorwatch_detectors.base import Direction, Level, Verdict

if TYPE_CHECKING:
    from anchorwatch.engine.sequential_monitor import Lanes, Lookout

RELIEF = 7.0  # nats by which the baseline must beat the change before drift is over: once in 1000 it is not
SILENCE = 4.0  # where the mean does not show the change: so many times the values of the alarm without another one


class Usually(NamedTuple):
    """Mean of a lane in the baseline, and its variance times what successive values have in common."""

    mean: float
    variance: float


class Seen(NamedTuple):
    """Mean of a window and its number of values."""

    mean: float
    n: int


def after_alarm(
    lanes: Lanes, lookout: Lookout, lane: tuple[int, int], change: Change, usual: Usually, since: int
) -> Verdict:
    """Return what an alarm says of a lane; `since` is the event time of the change, ns."""
    effect = change.mean - usual.mean
    known = not math.isnan(usual.mean)
    drifting = known and (
        lookout.against_baseline or (change.beyond_noise and bool(abs(effect) >= lookout.smallest_shift))
    )
    if lanes.drifting[lane] and effect * (lanes.level[lane] - usual.mean) > 0.0:
        since = min(since, int(lanes.since[lane]))  # it goes on: the lane began anew after its last alarm
    lanes.drifting[lane], lanes.suspected[lane] = drifting, known and not drifting
    lanes.since[lane], lanes.mixed[lane] = since, lookout.panes
    lanes.level[lane], lanes.length[lane], lanes.relief[lane] = change.mean, change.values, 0.0
    if not known:
        said, reason = Level.UNDETERMINED, "baseline_too_small"
    else:
        calm = "small_effect" if change.beyond_noise else "within_noise"
        said, reason = (Level.DRIFT, "changed") if drifting else (Level.STABLE, calm)
    return Verdict(
        level=said,
        reason=reason,
        statistic=change.mean,
        threshold=_threshold(lookout, usual.mean, effect),
        effect=effect,
        direction=direction_of(lookout.kind, effect),
        n=change.values,
        since=since if said is Level.DRIFT else None,
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
    effect = window.mean - usual.mean
    suspected = bool(lanes.suspected[lane])
    if suspected:
        beyond_noise = window.n * effect**2 >= 2.0 * usual.variance * CONFIRMATION
        drifts = beyond_noise and bool(abs(effect) >= lookout.smallest_shift)
        lanes.level[lane], lanes.length[lane] = window.mean, window.n
    else:
        lanes.relief[lane] = max(lanes.relief[lane] + _relief(lanes, lookout, lane, window, usual), 0.0)
        drifts = bool(lanes.relief[lane] < RELIEF)
    lanes.drifting[lane], lanes.suspected[lane] = drifts, False
    if suspected and not drifts:
        return None
    side = lanes.level[lane] - usual.mean
    verdict = Verdict(
        level=Level.DRIFT if drifts else Level.STABLE,
        reason="changed" if drifts else "back_to_baseline",
        statistic=window.mean,
        threshold=_threshold(lookout, usual.mean, effect),
        effect=effect,
        direction=direction_of(lookout.kind, side) if drifts else Direction.CHANGED,
        n=window.n,
        since=int(lanes.since[lane]) if drifts else None,
    )
    return verdict, suspected or not drifts


def _relief(lanes: Lanes, lookout: Lookout, lane: tuple[int, int], window: Seen, usual: Usually) -> float:
    """Return the nats by which a window speaks for the baseline and against the change."""
    variance = max(usual.variance, RARE)
    change = float(lanes.level[lane]) - usual.mean
    length = int(lanes.length[lane])
    if length * change**2 < 2.0 * variance * CONFIRMATION:  # a change of spread
        return RELIEF * window.n / (SILENCE * length)
    calm = usual.mean + math.copysign(min(lookout.smallest_shift, abs(change) / 2.0), change)
    changed = usual.mean + change
    return window.n * (calm - changed) * (window.mean - (calm + changed) / 2.0) / variance


def _threshold(lookout: Lookout, usual: float, effect: float) -> float:
    return usual + math.copysign(lookout.smallest_shift, effect)
