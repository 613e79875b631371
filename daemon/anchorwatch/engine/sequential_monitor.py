"""Sequential detectors over all columns and groups of one kind of trouble, and what follows an alarm.

A detector says *that* something changed. Whether it is trouble is judged against the baseline: the mean since the most
likely change must lie further from the baseline's than the smallest shift worth knowing. From then on the subject stays
in drift until a whole window that began after the last alarm is back within that shift.
A change that seems too small, or may be noise, is judged once more by the first whole window after the alarm.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

from anchorwatch.engine.change_point import CONFIRMATION, RECENT, Change, latest_change
from anchorwatch.engine.finding import Finding
from anchorwatch.engine.panes import Moment
from anchorwatch.engine.window_monitor import direction_of
from anchorwatch_detectors.base import Direction, Level, Verdict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from anchorwatch.decide.evidence import Kind
    from anchorwatch.engine.marks import Marks
    from anchorwatch.engine.panes import Window
    from anchorwatch.engine.reference import Block, Reference
    from anchorwatch_detectors.base import Alarms, SequentialDetector, SequentialState


@dataclass(frozen=True, slots=True)
class Lookout:
    """Columns watched by one sequential detector.

    Attributes
    ----------
    kind, detector
        What sort of trouble, and by which detector.
    columns
        Positions of the columns in the reference.
    every_group
        Whether segments have lanes of their own, or all rows only.
    smallest_shift
        Shift of the mean worth knowing.
    panes
        Panes of a window: so many windows after an alarm still hold rows from before it.
    """

    kind: Kind
    detector: SequentialDetector
    columns: tuple[int, ...]
    every_group: bool
    smallest_shift: float
    panes: int


@dataclass(slots=True)
class Lanes:
    """State of a lookout: the detector's, and which lanes are in drift since when.

    Attributes
    ----------
    state
        The detector's lanes, (groups, columns).
    recent
        (groups, columns, `RECENT`) the last values, newest last; NaN for none.
    drifting, suspected
        (groups, columns) whether the lane is in drift, or has changed by what seemed too little.
    since
        (groups, columns) estimated event time of the change, ns.
    mixed
        (groups, columns) windows still to close that hold rows from before the alarm.
    """

    state: SequentialState
    recent: NDArray[np.float32]
    drifting: NDArray[np.bool_]
    suspected: NDArray[np.bool_]
    since: NDArray[np.int64]
    mixed: NDArray[np.int64]

    @classmethod
    def fresh(cls, lookout: Lookout, groups: int) -> Self:
        """Return lanes that have seen nothing."""
        shape = (groups if lookout.every_group else 1, len(lookout.columns))
        return cls(
            state=lookout.detector.start(*shape),
            recent=np.full((*shape, RECENT), np.nan, np.float32),
            drifting=np.zeros(shape, np.bool_),
            suspected=np.zeros(shape, np.bool_),
            since=np.zeros(shape, np.int64),
            mixed=np.zeros(shape, np.int64),
        )

    def copy(self) -> Self:
        """Return an independent copy."""
        arrays = {name: getattr(self, name).copy() for name in _ARRAYS}
        return type(self)(state=self.state.copy(), **arrays)

    def to_plain(self) -> dict[str, Any]:
        """Return the lanes as plain data."""
        return {"state": self.state.to_plain(), **{name: getattr(self, name) for name in _ARRAYS}}

    @classmethod
    def from_plain(cls, lookout: Lookout, plain: dict[str, Any]) -> Self:
        """Return the lanes that `to_plain` described."""
        return cls(state=lookout.detector.restore(plain["state"]), **{name: plain[name] for name in _ARRAYS})


_ARRAYS = ("recent", "drifting", "suspected", "since", "mixed")


class Seen(NamedTuple):
    """What a lookout is shown of a batch.

    Attributes
    ----------
    block
        The rows.
    values
        Per entry of `members`, (columns of the lookout, n) the number of each value; NaN for a fault.
    members
        Group of each row, once for all rows and once per segment column.
    windows
        Windows that closed, in order of their moments.
    rank
        Per entry of `members`, (n,) the row's number within its group, counted from the group's very first row.
    """

    block: Block
    values: Sequence[NDArray[np.float64]]
    members: Sequence[NDArray[np.int64]]
    windows: Sequence[Window]
    rank: Sequence[NDArray[np.int64]]


def follow(lanes: Lanes, lookout: Lookout, reference: Reference, marks: Sequence[Marks], seen: Seen) -> list[Finding]:
    """Take rows and windows in order; return what was found. `lanes` is updated in place."""
    columns = list(lookout.columns)
    usual, variance = reference.means[:, columns], reference.variances[:, columns] * reference.inflation[columns]
    events: list[tuple[Moment, int, _Alarm | Window]] = []
    for values, groups, rank in zip(seen.values, seen.members, seen.rank, strict=True):
        alarms = lanes.state.update(values, groups)
        events += [(a.moment, 0, a) for a in _alarms(alarms, lanes, (seen.block, values), groups, rank)]
        _remember(lanes, values, groups)
        if not lookout.every_group:
            break
    if events or lanes.drifting.any() or lanes.suspected.any():
        events += [(w.moment, 1, w) for w in seen.windows if w.group < len(lanes.drifting)]
    events.sort(key=lambda e: (e[0], e[1], e[2].group))
    findings = []
    for moment, _, event in events:
        if isinstance(event, _Alarm):
            lane = event.group, event.subject
            change = latest_change(event.recent, float(usual[lane]), float(variance[lane]))
            since = marks[event.group].time_of(max(event.row - change.rows + 1, 0), event.row + 1)
            verdict = _after_alarm(lanes, lookout, lane, change, (since, float(usual[lane])))
            findings.append(_finding(lookout, reference, lane, moment, verdict, decisive=True))
            continue
        means = reference.mean_of(event.counts)[columns]
        sizes = reference.valid(event.counts)[columns]
        open_cases = lanes.drifting[event.group] | lanes.suspected[event.group]
        for subject in np.flatnonzero(open_cases).tolist():
            lane = event.group, subject
            window = _Level(float(means[subject]), float(usual[lane]), float(variance[lane]), int(sizes[subject]))
            held = _after_window(lanes, lookout, lane, window)
            if held is not None:
                findings.append(_finding(lookout, reference, lane, moment, held[0], decisive=held[1]))
    return findings


@dataclass(frozen=True, slots=True)
class _Alarm:
    moment: Moment
    group: int
    subject: int
    row: int
    recent: NDArray[np.float32]


def _alarms(
    alarms: Alarms,
    lanes: Lanes,
    rows: tuple[Block, NDArray[np.float64]],
    groups: NDArray[np.int64],
    rank: NDArray[np.int64],
) -> list[_Alarm]:
    block, values = rows
    out = []
    for k, event in enumerate(alarms.event.tolist()):
        group, subject = int(alarms.group[k]), int(alarms.subject[k])
        mine = values[subject, : event + 1][groups[: event + 1] == group]
        out.append(
            _Alarm(
                moment=Moment(int(block.at[event]), 1, int(block.time[event])),
                group=group,
                subject=subject,
                row=int(rank[event]),
                recent=np.concatenate([lanes.recent[group, subject], mine.astype(np.float32)])[-RECENT:],
            )
        )
    return out


def _remember(lanes: Lanes, values: NDArray[np.float64], groups: NDArray[np.int64]) -> None:
    """Keep the last values of each group."""
    for group in np.unique(groups[groups >= 0]).tolist():
        mine = values[:, np.flatnonzero(groups == group)[-RECENT:]].astype(np.float32)
        lanes.recent[group] = np.concatenate([lanes.recent[group], mine], axis=1)[:, -RECENT:]


def _after_alarm(
    lanes: Lanes, lookout: Lookout, lane: tuple[int, int], change: Change, level: tuple[int, float]
) -> Verdict:
    """Return what an alarm says of a lane; `level` is the event time of the change and the baseline's mean."""
    since, usual = level
    effect = change.mean - usual
    drifting = change.beyond_noise and bool(abs(effect) >= lookout.smallest_shift)
    lanes.drifting[lane], lanes.suspected[lane] = drifting, not drifting and not math.isnan(usual)
    lanes.since[lane], lanes.mixed[lane] = since, lookout.panes
    if math.isnan(usual):
        said, reason = Level.UNDETERMINED, "baseline_too_small"
    else:
        calm = "small_effect" if change.beyond_noise else "within_noise"
        said, reason = (Level.DRIFT, "changed") if drifting else (Level.STABLE, calm)
    return Verdict(
        level=said,
        reason=reason,
        statistic=change.mean,
        threshold=_threshold(lookout, usual, effect),
        effect=effect,
        direction=direction_of(lookout.kind, effect),
        n=change.values,
        since=since if said is Level.DRIFT else None,
    )


class _Level(NamedTuple):
    """Mean of a window, mean and variance in the baseline, and the number of values of the window."""

    mean: float
    usual: float
    variance: float
    n: int


def _after_window(lanes: Lanes, lookout: Lookout, lane: tuple[int, int], window: _Level) -> tuple[Verdict, bool] | None:
    """Return what a window says of a lane in drift or suspected of it, and whether that alone decides.

    None while the window holds rows from before the alarm, and where a suspicion comes to nothing.
    """
    if lanes.mixed[lane] > 0:
        lanes.mixed[lane] -= 1
        return None
    mean, usual, variance, n = window
    if n == 0:
        return None
    effect = mean - usual
    confirmed = bool(lanes.suspected[lane])
    beyond_noise = not confirmed or n * effect**2 >= 2.0 * variance * CONFIRMATION
    drifts = beyond_noise and bool(abs(effect) >= lookout.smallest_shift)
    lanes.drifting[lane], lanes.suspected[lane] = drifts, False
    if confirmed and not drifts:
        return None
    verdict = Verdict(
        level=Level.DRIFT if drifts else Level.STABLE,
        reason="changed" if drifts else "back_to_baseline",
        statistic=mean,
        threshold=_threshold(lookout, usual, effect),
        effect=effect,
        direction=direction_of(lookout.kind, effect) if drifts else Direction.CHANGED,
        n=n,
        since=int(lanes.since[lane]) if drifts else None,
    )
    return verdict, confirmed or not drifts


def _threshold(lookout: Lookout, usual: float, effect: float) -> float:
    return usual + math.copysign(lookout.smallest_shift, effect)


def _finding(
    lookout: Lookout, reference: Reference, lane: tuple[int, int], moment: Moment, verdict: Verdict, *, decisive: bool
) -> Finding:
    group, subject = lane
    return Finding(
        moment=moment,
        segment=reference.groups[group],
        kind=lookout.kind,
        subject=reference.columns[lookout.columns[subject]].name,
        monitor=lookout.detector.name,
        verdict=verdict,
        baseline=reference.baseline,
        decisive=decisive,
    )
