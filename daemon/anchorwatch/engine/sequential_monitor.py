"""Sequential detectors over all columns and groups of one kind of trouble, and what follows an alarm.

A detector says *when* something changed. Whether that is trouble is judged against the baseline: the mean since the
change must lie further from the baseline's than the smallest shift worth knowing. From then on the subject stays in
drift until a whole window that began after the alarm is back within that shift, or the detector finds a change back.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

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
    drifting
        (groups, columns) whether the lane is in drift.
    since, row
        (groups, columns) estimated event time of the change, ns, and the row of the group it falls on.
    mixed
        (groups, columns) windows still to close that hold rows from before the alarm.
    """

    state: SequentialState
    drifting: NDArray[np.bool_]
    since: NDArray[np.int64]
    row: NDArray[np.int64]
    mixed: NDArray[np.int64]

    @classmethod
    def fresh(cls, lookout: Lookout, groups: int) -> Self:
        """Return lanes that have seen nothing."""
        shape = (groups if lookout.every_group else 1, len(lookout.columns))
        zero = np.zeros(shape, np.int64)
        return cls(lookout.detector.start(*shape), np.zeros(shape, np.bool_), zero, zero.copy(), zero.copy())

    def copy(self) -> Self:
        """Return an independent copy."""
        return type(self)(
            self.state.copy(), self.drifting.copy(), self.since.copy(), self.row.copy(), self.mixed.copy()
        )

    def to_plain(self) -> dict[str, Any]:
        """Return the lanes as plain data."""
        return {
            "state": self.state.to_plain(),
            "drifting": self.drifting,
            "since": self.since,
            "row": self.row,
            "mixed": self.mixed,
        }

    @classmethod
    def from_plain(cls, lookout: Lookout, plain: dict[str, Any]) -> Self:
        """Return the lanes that `to_plain` described."""
        return cls(
            lookout.detector.restore(plain["state"]), plain["drifting"], plain["since"], plain["row"], plain["mixed"]
        )


class Seen(NamedTuple):
    """What a lookout is shown of a batch.

    Attributes
    ----------
    block
        The rows.
    values
        (columns of the lookout, n) the number of each value; NaN for a fault.
    members
        Group of each row, once for all rows and once per segment column.
    windows
        Windows that closed, in order of their moments.
    rank
        Per entry of `members`, (n,) the row's number within its group, counted from the group's very first row.
    """

    block: Block
    values: NDArray[np.float64]
    members: Sequence[NDArray[np.int64]]
    windows: Sequence[Window]
    rank: Sequence[NDArray[np.int64]]


def follow(lanes: Lanes, lookout: Lookout, reference: Reference, marks: Sequence[Marks], seen: Seen) -> list[Finding]:
    """Take rows and windows in order; return what was found. `lanes` is updated in place."""
    usual = reference.means()[:, list(lookout.columns)]
    events: list[tuple[Moment, int, _Alarm | Window]] = []
    for which, groups in enumerate(seen.members if lookout.every_group else seen.members[:1]):
        alarms = lanes.state.update(seen.values, groups)
        events += [(a.moment, 0, a) for a in _alarms(alarms, seen, seen.rank[which])]
    if events or lanes.drifting.any():
        events += [(w.moment, 1, w) for w in seen.windows if w.group < len(lanes.drifting)]
    events.sort(key=lambda e: (e[0], e[1], e[2].group))
    findings = []
    for moment, _, event in events:
        if isinstance(event, _Alarm):
            since = marks[event.group].time_of(event.row, event.rows)
            verdict = _after_alarm(lanes, lookout, event, since, float(usual[event.group, event.subject]))
            findings.append(_finding(lookout, reference, event.group, event.subject, moment, verdict, decisive=True))
            continue
        means = reference.mean_of(event.counts)[list(lookout.columns)]
        sizes = reference.valid(event.counts)[list(lookout.columns)]
        for subject in np.flatnonzero(lanes.drifting[event.group]).tolist():
            level = float(means[subject]), float(usual[event.group, subject])
            held = _after_window(lanes, lookout, (event.group, subject), level, int(sizes[subject]))
            if held is not None:
                over = held.level is Level.STABLE
                findings.append(_finding(lookout, reference, event.group, subject, moment, held, decisive=over))
    return findings


@dataclass(frozen=True, slots=True)
class _Alarm:
    moment: Moment
    group: int
    subject: int
    row: int
    rows: int
    n: int
    mean: float
    statistic: float
    threshold: float


def _alarms(alarms: Alarms, seen: Seen, rank: NDArray[np.int64]) -> list[_Alarm]:
    out = []
    for k, event in enumerate(alarms.event.tolist()):
        row = int(rank[event])
        out.append(
            _Alarm(
                moment=Moment(int(seen.block.at[event]), 1, int(seen.block.time[event])),
                group=int(alarms.group[k]),
                subject=int(alarms.subject[k]),
                row=max(row - int(alarms.since[k]) + 1, 0),
                rows=row + 1,
                n=int(alarms.since[k]),
                mean=float(alarms.after[k]),
                statistic=float(alarms.statistic[k]),
                threshold=float(alarms.threshold[k]),
            )
        )
    return out


def _after_alarm(lanes: Lanes, lookout: Lookout, alarm: _Alarm, since: int, usual: float) -> Verdict:
    lane = alarm.group, alarm.subject
    effect = alarm.mean - usual
    drifting = bool(abs(effect) >= lookout.smallest_shift)
    lanes.drifting[lane] = drifting
    lanes.since[lane], lanes.row[lane], lanes.mixed[lane] = since, alarm.row, lookout.panes
    if math.isnan(effect):
        level, reason = Level.UNDETERMINED, "baseline_too_small"
        lanes.drifting[lane] = False
    else:
        level, reason = (Level.DRIFT, "changed") if drifting else (Level.STABLE, "small_effect")
    return Verdict(
        level=level,
        reason=reason,
        statistic=alarm.mean,
        threshold=_threshold(lookout, usual, effect),
        effect=effect,
        direction=direction_of(lookout.kind, effect),
        n=alarm.n,
        since=since if level is Level.DRIFT else None,
    )


def _after_window(
    lanes: Lanes, lookout: Lookout, lane: tuple[int, int], level: tuple[float, float], n: int
) -> Verdict | None:
    """Return what a window says of a lane in drift: still, or no longer; None while it holds rows from before.

    `level` is the mean of the window and that of the baseline.
    """
    if lanes.mixed[lane] > 0:
        lanes.mixed[lane] -= 1
        return None
    if n == 0:
        return None
    mean, usual = level
    effect = mean - usual
    still = bool(abs(effect) >= lookout.smallest_shift)
    lanes.drifting[lane] = still
    return Verdict(
        level=Level.DRIFT if still else Level.STABLE,
        reason="changed" if still else "back_to_baseline",
        statistic=mean,
        threshold=_threshold(lookout, usual, effect),
        effect=effect,
        direction=direction_of(lookout.kind, effect) if still else Direction.CHANGED,
        n=n,
        since=int(lanes.since[lane]) if still else None,
    )


def _threshold(lookout: Lookout, usual: float, effect: float) -> float:
    return usual + math.copysign(lookout.smallest_shift, effect)


def _finding(
    lookout: Lookout,
    reference: Reference,
    group: int,
    subject: int,
    moment: Moment,
    verdict: Verdict,
    *,
    decisive: bool,
) -> Finding:
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
