"""Sequential detectors over all columns and groups of one kind of trouble; `after_alarm` judges what they say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

from anchorwatch.engine import after_alarm
from anchorwatch.engine.after_alarm import When
from anchorwatch.engine.change_point import Change, Usually, change_of, latest_change
from anchorwatch.engine.finding import Finding
from anchorwatch.engine.moments import Moments
from anchorwatch.engine.panes import Moment
from anchorwatch.engine.past import Past
from anchorwatch_detectors.against_baseline import AgainstBaseline
from anchorwatch_detectors.base import Usual

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from anchorwatch.decide.evidence import Kind
    from anchorwatch.engine.marks import Marks
    from anchorwatch.engine.panes import Window
    from anchorwatch.engine.past import Tail
    from anchorwatch.engine.reference import Block, Reference
    from anchorwatch_detectors.base import Alarms, SequentialDetector, SequentialState, Verdict


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
    budgeted
        Whether the detector's average run length follows the budget of false alarms.
    """

    kind: Kind
    detector: SequentialDetector
    columns: tuple[int, ...]
    every_group: bool
    smallest_shift: float
    panes: int
    budgeted: bool = False

    @property
    def against_baseline(self) -> bool:
        """Whether the detector compares with the baseline; otherwise it compares a stream with itself."""
        return isinstance(self.detector, AgainstBaseline)

    def shape(self, reference: Reference) -> tuple[int, int]:
        """Return how many (groups, columns) of a baseline have a lane."""
        return len(reference.groups) if self.every_group else 1, len(self.columns)


@dataclass(slots=True)
class Lanes:
    """State of a lookout: the detector's, and which lanes are in drift since when.

    Attributes
    ----------
    state
        The detector's lanes, (groups, columns).
    past
        The last values of the lanes.
    drifting, suspected
        (groups, columns) whether the lane is in drift, or has changed by what seemed too little.
    since
        (groups, columns, 3) estimated event time of the change, and the interval it lies in, ns.
    mixed
        (groups, columns) windows still to close that hold rows from before the alarm.
    level, length
        (groups, columns) mean since the change as the last alarm told it, and the number of values it was taken of.
    spread
        (groups, columns) whether that is a change of how wide the values spread: then a mean of squared distances.
    relief
        (groups, columns) nats by which windows since then speak for the baseline.
    """

    state: SequentialState
    past: Past
    drifting: NDArray[np.bool_]
    suspected: NDArray[np.bool_]
    since: NDArray[np.int64]
    mixed: NDArray[np.int64]
    level: NDArray[np.float64]
    length: NDArray[np.int64]
    spread: NDArray[np.bool_]
    relief: NDArray[np.float64]

    @classmethod
    def fresh(cls, lookout: Lookout, reference: Reference) -> Self:
        """Return lanes that have seen nothing but their baseline."""
        shape = lookout.shape(reference)
        return cls(
            state=lookout.detector.start(*shape, usual_of(lookout, reference)),
            past=Past.fresh(shape),
            drifting=np.zeros(shape, np.bool_),
            suspected=np.zeros(shape, np.bool_),
            since=np.zeros((*shape, 3), np.int64),
            mixed=np.zeros(shape, np.int64),
            level=np.zeros(shape),
            length=np.zeros(shape, np.int64),
            spread=np.zeros(shape, np.bool_),
            relief=np.zeros(shape),
        )

    def when(self, lane: tuple[int, int]) -> When:
        """Return since when a lane is in drift."""
        return When(*self.since[lane].tolist())

    def copy(self) -> Self:
        """Return an independent copy."""
        arrays = {name: getattr(self, name).copy() for name in _ARRAYS}
        return type(self)(state=self.state.copy(), past=self.past.copy(), **arrays)

    def to_plain(self) -> dict[str, Any]:
        """Return the lanes as plain data."""
        arrays = {name: getattr(self, name) for name in _ARRAYS}
        return {"state": self.state.to_plain(), "past": self.past.to_plain(), **arrays}

    @classmethod
    def from_plain(cls, lookout: Lookout, plain: dict[str, Any]) -> Self:
        """Return the lanes that `to_plain` described."""
        arrays = {name: plain[name] for name in _ARRAYS}
        return cls(state=lookout.detector.restore(plain["state"]), past=Past.from_plain(plain["past"]), **arrays)


_ARRAYS = ("drifting", "suspected", "since", "mixed", "level", "length", "spread", "relief")


def usual_of(lookout: Lookout, reference: Reference) -> Usual:
    """Return what is usual for the lanes of a lookout: the baseline's groups and columns by their moments."""
    columns, shape = list(lookout.columns), lookout.shape(reference)
    mean = reference.means[: shape[0], columns]
    return Usual(
        mean=mean,
        variance=reference.variances[: shape[0], columns],
        rows=np.where(np.isfinite(mean), reference.valid(reference.counts)[: shape[0], columns], 0),
        smallest=np.full(shape, lookout.smallest_shift),
        memory=np.broadcast_to(reference.inflation[columns], shape),
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
    columns = list(lookout.columns)
    usual = Moments.of(reference, columns)
    events: list[tuple[Moment, int, _Alarm | Window]] = []
    for groups, rank in zip(seen.members, seen.rank, strict=True):
        alarms = lanes.state.update(seen.values, groups)
        events += [(a.moment, 0, a) for a in _alarms(alarms, lanes, seen, groups, rank)]
        for group in np.unique(groups[groups >= 0]).tolist():
            lanes.past.add(group, seen.values[:, groups == group])
        if not lookout.every_group:
            break
    if events or lanes.drifting.any() or lanes.suspected.any():
        events += [(w.moment, 1, w) for w in seen.windows if w.group < len(lanes.drifting)]
    events.sort(key=lambda e: (e[0], e[1], e[2].group))
    findings = []
    for moment, _, event in events:
        if isinstance(event, _Alarm):
            lane = event.group, event.subject
            normal = usual.lane(lane)
            found = _change(lookout, event, normal)
            since = _when(marks[event.group], event.row, found)
            verdict = after_alarm.after_alarm(lanes, lookout, lane, found, normal, since)
            findings.append(_finding(lookout, reference, lane, moment, verdict, decisive=True))
            continue
        open_cases = lanes.drifting[event.group] | lanes.suspected[event.group]
        if not open_cases.any():
            continue
        levels = usual.window(event)
        for subject in np.flatnonzero(open_cases).tolist():
            lane = event.group, subject
            held = after_alarm.after_window(lanes, lookout, lane, levels[subject], usual.lane(lane))
            if held is not None:
                findings.append(_finding(lookout, reference, lane, moment, held[0], decisive=held[1]))
    return findings


@dataclass(frozen=True, slots=True)
class _Alarm:
    moment: Moment
    group: int
    subject: int
    row: int
    tail: Tail
    since: int
    after: float


def _alarms(
    alarms: Alarms, lanes: Lanes, seen: Seen, groups: NDArray[np.int64], rank: NDArray[np.int64]
) -> list[_Alarm]:
    out = []
    for k, event in enumerate(alarms.event.tolist()):
        group, subject = int(alarms.group[k]), int(alarms.subject[k])
        mine = seen.values[subject, : event + 1][groups[: event + 1] == group]
        out.append(
            _Alarm(
                moment=Moment(int(seen.block.at[event]), 1, int(seen.block.time[event])),
                group=group,
                subject=subject,
                row=int(rank[event]),
                tail=lanes.past.tail(group, subject, mine),
                since=int(alarms.since[k]),
                after=float(alarms.after[k]),
            )
        )
    return out


def _when(marks: Marks, row: int, change: Change) -> When:
    """Return the event times of a change that was found at a row."""
    rows = change.rows, change.farthest, change.nearest
    return When(*(marks.time_of(max(row - back + 1, 0), row + 1) for back in rows))


def _change(lookout: Lookout, alarm: _Alarm, usual: Usually) -> Change:
    """Return the change that an alarm is about.

    A detector that compares with the baseline knows of values from before the recent ones, and of changes that the mean
    does not show. One that compares a stream with itself often reaches back far before the change.
    """
    if lookout.against_baseline:
        return change_of(alarm.tail, alarm.since, alarm.after, usual)
    return latest_change(alarm.tail, usual.mean, usual.variance)


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
