"""The path of a batch through the watch of one model, top to bottom.

`step` is pure: no input or output, no clock. Whoever calls it is a host; a host supplies batches and keeps state,
outcome and positions together. Cutting a stream into batches in any way gives the same outcomes and the same final
state.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from anchorwatch.decide.evidence import Evidence, Identity
from anchorwatch.engine import (
    building,
    estimate_monitor,
    feeds,
    performance_monitor,
    sampling,
    shadowing,
    statuses,
    succession,
    watermark,
)
from anchorwatch.engine.comparing import answered, challenger_of, together, twice
from anchorwatch.engine.join import Arrivals
from anchorwatch.engine.ranking import judged
from anchorwatch.engine.recovery import estimator
from anchorwatch.engine.revisions import Revisions
from anchorwatch.engine.rivals import compare
from anchorwatch.engine.rollouts import roll
from anchorwatch.engine.routing import outcome_block, prediction_block, route, takeovers

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from anchorwatch.decide.outcome import Outcome as Decision
    from anchorwatch.engine.baseline import Baseline
    from anchorwatch.engine.building import Made
    from anchorwatch.engine.finding import Finding
    from anchorwatch.engine.join import Outcomes
    from anchorwatch.engine.pending import Release
    from anchorwatch.engine.reference import Block
    from anchorwatch.engine.routing import Routed
    from anchorwatch.engine.state import State
    from anchorwatch.engine.track import Track
    from anchorwatch.engine.version import Version
    from anchorwatch.engine.watch import Watch
    from anchorwatch.events.columns import Batch


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a batch, in order of event time.

    Attributes
    ----------
    baselines
        Baselines that were completed.
    evidence
        Every verdict, with whose it is.
    decision
        What they led to and why, and what is to be told.
    """

    baselines: tuple[Baseline, ...]
    evidence: tuple[Evidence, ...]
    decision: Decision


def step(watch: Watch, state: State, batch: Batch) -> tuple[State, Outcome]:
    """Take a batch; return the new state and what came of it. `state` itself is unchanged."""
    state = state.copy()
    _account(state, batch)
    # 1. event time: late predictions are left out, late labels taken at once; the frontier moves on
    release = _released(watch, state, batch)
    # 2. routing: versions, segments; an id seen before is a duplicate
    routed = route(watch, state, release)
    # 3. labels find their predictions, or replace another one
    outcomes = _joined(watch, state, release, routed)
    # 4. tracks: baselines are completed, detectors take whole columns, windows close
    made: list[Made] = []
    findings: list[tuple[int, Finding]] = []
    reached = feeds.reached(state, batch, routed)
    tried = challenger_of(watch, state)  # what is said of it needs how far its outcomes have come
    for code, had in enumerate(state.versions):
        known = feeds.gather(watch, had, code, release, routed, outcomes)
        rows = prediction_block(release, routed, code)
        labelled = outcome_block(watch, known, outcomes, release, code)
        revised = outcome_block(watch, known, outcomes.revised, release, code)
        touched = code == tried or not _untouched(watch, rows, labelled, revised)
        touched = touched or performance_monitor.is_due(known, state.mark.frontier)
        if touched:
            known = known.copy()
            completed, found = _watched(watch, known, (rows, labelled, revised), release, state.mark.frontier)
            made += completed
            findings += [(code, f) for f in found]
        state.versions[code], found = feeds.follow(watch, known, code, release, routed, outcomes, reached)
        if found and not touched:
            state.versions[code] = state.versions[code].rested()
        findings += [(code, f) for f in found]
    if watch.keeping is not None and state.shadow is not None:
        theirs = answered(watch, state, routed, outcomes)
        state.shadow = shadowing.follow(watch.keeping, state.shadow, release, *theirs, state.versions)
    replaced = takeovers(watch, state, routed)
    findings += compare(watch, state, outcomes, release, made)
    findings += roll(watch, state, outcomes, release, replaced, made)
    # 5. decisions, in event-time order
    baselines = [m.baseline for m in sorted(made, key=lambda m: m.at)]
    arrivals = succession.Arrivals(replaced, statuses.due(state), release.time, routed.begun)
    return _decided(watch, state, baselines, findings, arrivals)


def _account(state: State, batch: Batch) -> None:
    state.count("predictions", len(batch.predictions))
    state.count("labels", len(batch.labels))
    for reason, n in batch.dead:
        state.count(f"dead_{reason}", n)
    for reason, n in batch.skipped:
        state.count(f"skipped_{reason}", n)


def _released(watch: Watch, state: State, batch: Batch) -> Release:
    predictions, labels = batch.predictions, batch.labels
    mark, late, earliest = watermark.admit(
        state.mark,
        batch.partitions,
        np.concatenate([predictions.partition, labels.partition]),
        np.concatenate([predictions.offset, labels.offset]),
        np.concatenate([predictions.time, labels.time]),
        watch.lateness,
    )
    n = len(predictions)
    state.count("late_predictions", int(late[:n].sum()))
    state.count("retimed_labels", int(late[n:].sum()))
    if late[n:].any():
        labels = replace(labels, time=np.where(late[n:], earliest[n:], labels.time))
    if late[:n].any():
        predictions = predictions.take(~late[:n])
    pending = state.pending.add(batch.partitions, predictions, labels)
    events = [name for name in batch.partitions if name not in batch.reporting]
    mark = watermark.advance(mark, events, batch.idle, watch.lateness, pending.newest)
    statuses.heard(state, batch, watch.lateness)
    state.mark = statuses.held(state, batch, mark, watch.lateness)
    state.pending, release = pending.release(state.mark.frontier)
    return release


def _joined(watch: Watch, state: State, release: Release, routed: Routed) -> Outcomes:
    labels = release.labels
    arrivals = Arrivals(labels.ident, labels.time, labels.token, labels.number, labels.items)
    arrivals, label_at = twice(watch, state, routed, arrivals, release.label_at)
    return judged(together(watch, state, sampling.match(watch, state, routed.records, routed.at, arrivals, label_at)))


def _untouched(watch: Watch, *blocks: Block | None) -> bool:
    """Whether a batch leaves a version as it is: no rows, and no window that event time could close."""
    return not any(block is not None and len(block) for block in blocks) and watch.predictions.span.time is None


def _watched(
    watch: Watch,
    version: Version,
    blocks: tuple[Block, Block | None, Block | None],
    release: Release,
    frontier: int,
) -> tuple[list[Made], list[Finding]]:
    """Run both tracks of a version."""
    rows, labelled, revised = blocks
    baselines: list[Made] = []
    findings: list[Finding] = []
    if len(rows):
        version.seen = int(rows.time[-1])
    rows, done = building.predictions(watch, version, rows, baselines)
    plan, reference = version.predictions_plan, version.predictions_reference
    if plan is not None and reference is not None:
        findings += version.predictions.watch(plan, reference, rows, release.time, frontier)
    if version.outcomes is None or watch.outcomes is None or labelled is None:
        return baselines, findings + estimate_monitor.follow(watch, version, baselines)
    labelled = building.outcomes(watch, version, (labelled, revised), done, baselines)
    plan, reference = version.outcomes_plan, version.outcomes_reference
    if plan is not None and reference is not None:
        findings += version.outcomes.watch(plan, reference, labelled, release.time, frontier)
    findings += estimate_monitor.follow(watch, version, baselines)
    findings += performance_monitor.follow(
        watch, version, rows, (labelled, Revisions.of(revised)), release.time, frontier
    )
    return baselines, findings


def _decided(
    watch: Watch,
    state: State,
    baselines: list[Baseline],
    findings: list[tuple[int, Finding]],
    arrivals: succession.Arrivals,
) -> tuple[State, Outcome]:
    """Turn findings into evidence and decide, with whatever else came in its place among them."""
    findings.sort(key=lambda f: (f[1].moment, f[1].kind, f[1].subject, f[1].monitor, f[1].segment, f[0]))
    moments = [finding.moment for _, finding in findings]
    evidence = _evidence(watch, state.versions, findings)
    decision = succession.decided(watch, state, evidence, moments, arrivals, estimator(watch, state))
    for version in state.versions:
        for track in (version.predictions, version.outcomes):
            if track is not None:
                track.trim()
    if watch.keeping is not None and state.shadow is not None:
        state.shadow = state.shadow.trim(watch.keeping)
    return state, Outcome(baselines=tuple(baselines), evidence=tuple(evidence), decision=decision)


def _evidence(watch: Watch, versions: Sequence[Version], findings: Sequence[tuple[int, Finding]]) -> list[Evidence]:
    """Return findings as evidence, in their order, with the labelled predictions of their version by then."""
    labelled = _counted(versions, findings, lambda version: version.outcomes)
    rows = _counted(versions, findings, lambda version: version.predictions)
    return [
        Evidence(
            at=finding.moment.time,
            identity=Identity(
                watch.name,
                versions[code].name,
                finding.segment,
                finding.kind,
                finding.subject,
                finding.monitor,
            ),
            verdict=finding.verdict,
            baseline=finding.baseline,
            decisive=finding.decisive,
            labelled=known,
            labelled_since=_since(versions[code].outcomes, finding, known),
            rows=seen,
            rows_since=_since(versions[code].predictions, finding, seen),
        )
        for (code, finding), known, seen in zip(findings, labelled, rows, strict=True)
    ]


def _counted(
    versions: Sequence[Version], findings: Sequence[tuple[int, Finding]], track_of: Callable[[Version], Track | None]
) -> list[int]:
    """Return how many rows of a track had been watched at each finding about its version."""
    counted = np.zeros(len(findings), np.int64)
    codes = np.array([code for code, _ in findings], np.int64)
    for code, version in enumerate(versions):
        mine, track = np.flatnonzero(codes == code), track_of(version)
        if len(mine) and track is not None and track.marks:
            counted[mine] = track.watched_at([findings[i][1].moment for i in mine.tolist()])
    rows: list[int] = counted.tolist()
    return rows


def _since(track: Track | None, finding: Finding, rows: int) -> int:
    """Return how many of the rows of a track came since a change; 0 where nothing changed."""
    if finding.verdict.since is None or track is None or not track.marks:
        return 0
    return track.marks[0].rows_since(finding.verdict.since, rows)
