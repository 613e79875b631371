"""Sequential detectors over all columns and groups of one kind of trouble; `after_alarm` judges what they say."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from anchorwatch.engine import after_alarm, effects
from anchorwatch.engine.after_alarm import When
from anchorwatch.engine.change_point import Change, Usually, change_of, latest_change
from anchorwatch.engine.finding import Finding
from anchorwatch.engine.moments import Moments
from anchorwatch.engine.panes import Moment

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from anchorwatch.engine.lanes import Lanes, Lookout
    from anchorwatch.engine.marks import Marks
    from anchorwatch.engine.panes import Window
    from anchorwatch.engine.past import Tail
    from anchorwatch.engine.reference import Block, Reference
    from anchorwatch_detectors.base import Alarms, Verdict


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
    usual = Moments.of(reference, columns)
    events: list[tuple[Moment, int, _Alarm | Window]] = []
    for values, groups, rank in zip(seen.values, seen.members, seen.rank, strict=True):
        alarms = lanes.state.update(values, groups)
        events += [(a.moment, 0, a) for a in _alarms(alarms, lanes, (seen.block, values), groups, rank)]
        for group in np.unique(groups[groups >= 0]).tolist():
            lanes.past.add(group, values[:, groups == group])
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
            counts = effects.counts_of(reference, columns[event.subject], event.tail, found.rows)
            verdict = _measured(verdict, lanes, reference, (lane, columns[event.subject]), normal, counts)
            findings.append(_finding(lookout, reference, lane, moment, verdict, decisive=True))
            continue
        open_cases = lanes.drifting[event.group] | lanes.suspected[event.group]
        if not open_cases.any():
            continue
        levels = usual.window(event)
        for subject in np.flatnonzero(open_cases).tolist():
            lane = event.group, subject
            normal = usual.lane(lane)
            held = after_alarm.after_window(lanes, lookout, lane, levels[subject], normal)
            if held is not None:
                counts = effects.cells_of(reference, columns[subject], event.counts)
                verdict = _measured(held[0], lanes, reference, (lane, columns[subject]), normal, counts)
                findings.append(_finding(lookout, reference, lane, moment, verdict, decisive=held[1]))
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


def _measured(
    verdict: Verdict,
    lanes: Lanes,
    reference: Reference,
    where: tuple[tuple[int, int], int],
    usual: Usually,
    counts: NDArray[np.int64],
) -> Verdict:
    """Return a verdict of a lane, at (group, subject) and a column of the baseline, with the effect in its own unit."""
    lane, column = where
    spread = bool(lanes.spread[lane])
    levels = verdict.statistic, usual.of(spread=spread)[0]
    if math.isnan(levels[1]):
        return verdict
    size, unit = effects.of_lane(reference, (lane[0], column), levels, counts, spread=spread)
    return replace(verdict, effect=size, effect_unit=unit)


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
