"""Sequential detectors over all columns and groups of one kind of trouble; `after_alarm` judges what they say."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from anchorwatch.decide.evidence import VARIATION, Kind
from anchorwatch.engine import after_alarm, effects
from anchorwatch.engine.after_alarm import When
from anchorwatch.engine.change_point import Change, Usually, change_of, latest_change
from anchorwatch.engine.finding import Finding
from anchorwatch.engine.grouping import grouped
from anchorwatch.engine.moments import Moments
from anchorwatch.engine.panes import Moment

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from anchorwatch.engine.lanes import Lanes, Lookout
    from anchorwatch.engine.marks import Marks
    from anchorwatch.engine.panes import Window
    from anchorwatch.engine.past import Tail
    from anchorwatch.engine.reference import Block, Reference
    from anchorwatch_detectors.base import Alarms, Verdict


AGAIN = 256  # rows of a lane between two alarms against the baseline that are looked into


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
    usual = Moments.of(reference, list(lookout.columns))
    events: list[tuple[Moment, int, _Alarm | Window]] = []
    members = list(map(_Members._make, zip(seen.values, seen.members, seen.rank, strict=True)))
    members = members[: None if lookout.every_group else 1]
    for each in members:
        alarms = lanes.state.update(each.values, each.groups)
        events += [(a.moment, 0, a) for a in _alarms(alarms, lanes, lookout, seen.block, each)]
    if events or lanes.drifting.any() or lanes.suspected.any():
        events += [(w.moment, 1, w) for w in seen.windows if w.group < len(lanes.drifting)]
    events.sort(key=lambda e: (e[0], e[1], e[2].group))
    findings = []
    for moment, _, event in events:
        told: Sequence[tuple[int, Verdict | None, bool]]
        if isinstance(event, _Alarm):
            told = [(event.subject, _at_alarm(lanes, lookout, usual, marks, event), True)]
        else:
            told = _at_window(lanes, lookout, usual, event)
        for subject, verdict, decisive in told:
            if verdict is not None:
                found = _finding(lookout, reference, (event.group, subject), moment, verdict, decisive=decisive)
                findings.append(found)
    for values, groups, _ in members:
        for group, rows in grouped(groups, groups >= 0):
            lanes.past.add(group, values if len(rows) == len(groups) else values[:, rows])
    return findings


class _Members(NamedTuple):
    """Values of rows, the group of each, and its number within it: for all rows, or for one segment column."""

    values: NDArray[np.float64]
    groups: NDArray[np.int64]
    rank: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class _Alarm:
    """An alarm: of which lane, at which row of its group, with the lane's values of the batch up to it."""

    moment: Moment
    group: int
    subject: int
    row: int
    values: Callable[[], NDArray[np.float64]]
    since: int
    after: float


def _alarms(alarms: Alarms, lanes: Lanes, lookout: Lookout, block: Block, members: _Members) -> list[_Alarm]:
    """Return the alarms that are looked into: of a lane that is rung for every few rows one in `AGAIN` rows."""

    def values(event: int, group: int, subject: int) -> NDArray[np.float64]:
        mine: NDArray[np.float64] = members.values[subject, : event + 1][members.groups[: event + 1] == group]
        return mine

    out = []
    places = zip(alarms.event.tolist(), alarms.group.tolist(), alarms.subject.tolist(), strict=True)
    rows = members.rank[alarms.event].tolist()
    for k, (event, group, subject) in enumerate(places):
        if lookout.against_baseline and rows[k] < lanes.rung[group, subject] + AGAIN:
            continue
        lanes.rung[group, subject] = rows[k]
        out.append(
            _Alarm(
                moment=Moment(int(block.at[event]), 1, int(block.time[event])),
                group=group,
                subject=subject,
                row=rows[k],
                values=partial(values, event, group, subject),
                since=int(alarms.since[k]),
                after=float(alarms.after[k]),
            )
        )
    return out


def _at_alarm(lanes: Lanes, lookout: Lookout, usual: Moments, marks: Sequence[Marks], alarm: _Alarm) -> Verdict | None:
    """Return what an alarm says of its lane; None where that is known.

    A detector that compares with the baseline rings again and again while a drift lasts. That keeps it from being over,
    and is told of accuracy alone, whose labels since the change retraining waits for; of the rest windows tell.
    """
    lane = alarm.group, alarm.subject
    if lookout.against_baseline and lanes.drifting[lane]:
        lanes.relief[lane] = 0.0
        if lookout.kind is not Kind.ACCURACY:
            return None
    normal, tail = usual.lane(lane), lanes.past.tail(*lane, alarm.values())
    if lanes.over[lane]:
        behind = marks[alarm.group].rows_since(int(lanes.over[lane]), alarm.row + 1)
        tail = tail._replace(reach=max(behind, 1))
    change = _change(lookout, alarm, tail, normal)
    since = _when(marks[alarm.group], alarm.row, change)
    verdict = after_alarm.after_alarm(lanes, lookout, lane, change, normal, since)
    counts = effects.counts_of(usual.reference, usual.columns[alarm.subject], tail, change.rows)
    return _measured(verdict, lanes, usual, lane, counts)


def _at_window(
    lanes: Lanes, lookout: Lookout, usual: Moments, window: Window
) -> Sequence[tuple[int, Verdict | None, bool]]:
    """Return what a window says of each lane of its group that is in drift or suspected of it."""
    open_cases = np.flatnonzero(lanes.drifting[window.group] | lanes.suspected[window.group]).tolist()
    if not open_cases:
        return []
    levels, told = usual.window(window), []
    for subject in open_cases:
        lane = window.group, subject
        drifted = bool(lanes.drifting[lane])
        held = after_alarm.after_window(lanes, lookout, lane, levels[subject], usual.lane(lane))
        if drifted and not lanes.drifting[lane]:
            lanes.over[lane] = window.start
        if held is not None:
            counts = effects.cells_of(usual.reference, usual.columns[subject], window.counts)
            told.append((subject, _measured(held[0], lanes, usual, lane, counts), held[1]))
    return told


def _when(marks: Marks, row: int, change: Change) -> When:
    """Return the event times of a change that was found at a row."""
    rows = change.rows, change.farthest, change.nearest
    return When(*(marks.time_of(max(row - back + 1, 0), row + 1) for back in rows))


def _change(lookout: Lookout, alarm: _Alarm, tail: Tail, usual: Usually) -> Change:
    """Return the change that an alarm is about.

    A detector that compares with the baseline knows of values from before the recent ones, and of changes that the mean
    does not show. One that compares a stream with itself often reaches back far before the change.
    """
    if lookout.against_baseline:
        return change_of(tail, alarm.since, alarm.after, usual)
    return latest_change(tail, usual.mean, usual.variance)


def _measured(
    verdict: Verdict, lanes: Lanes, usual: Moments, lane: tuple[int, int], counts: NDArray[np.int64]
) -> Verdict:
    """Return a verdict of a lane with the effect in its own unit; `counts` are those of its good cells."""
    spread = bool(lanes.spread[lane])
    levels = verdict.statistic, usual.lane(lane).of(spread=spread)[0]
    if math.isnan(levels[1]):
        return verdict
    column = usual.columns[lane[1]]
    size, unit = effects.of_lane(usual.reference, (lane[0], column), levels, counts, spread=spread)
    named = "changed" if verdict.reason == "spread" and unit == VARIATION else verdict.reason  # words have no width
    return verdict._replace(reason=named, effect=size, effect_unit=unit)


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
