"""A model's monitors on simulated rows: the engine and the decisions themselves, from a baseline to the alerts.

Each stream has a baseline of its own, of as many simulated rows as the real one: that a baseline is a sample, too, is
part of what false alarms come from. After each alert the watch begins anew behind it, against the same baseline; so an
incident in which many columns ring together counts once.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from anchorwatch.decide.decision import Decisions, decide
from anchorwatch.decide.evidence import Evidence, Identity
from anchorwatch.engine.budget import at_level
from anchorwatch.engine.reference import Reference
from anchorwatch.engine.track import Track

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from anchorwatch.decide.notices import Notice
    from anchorwatch.decide.rules import Rules
    from anchorwatch.engine.baseline import Part
    from anchorwatch.engine.finding import Finding
    from anchorwatch.engine.reference import Block
    from anchorwatch.engine.simulated_rows import Rows
    from anchorwatch.engine.track import Plan

SHORTEST, LONGEST = 50, 3200
"""Rows taken at once, at first and at most: twice as many each time, so that little is done in vain behind an alert."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One track of a model, to be simulated.

    Attributes
    ----------
    plan
        What is watched.
    rules
        What the decisions go by.
    rows
        Where rows come from.
    sample
        Rows of a baseline.
    summary
        Makes a part of a baseline of rows.
    """

    plan: Plan
    rules: Rules
    rows: Rows
    sample: int
    summary: Callable[[Block], Part]

    @property
    def window(self) -> int:
        """Rows of a window; 1000 where it goes by time alone."""
        return (self.plan.span.size or 1000) * self.plan.span.panes

    def reference(self, rng: np.random.Generator) -> tuple[Part, Reference]:
        """Return a simulated baseline."""
        part = self.summary(self.rows.draw(self.sample, rng))
        return part, Reference.of("simulated", part, self.plan.columns, self.plan.segment_columns)


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert on a simulated stream.

    Attributes
    ----------
    row
        At which it was told.
    kind, subject, monitor
        Whose it is, as in `decide.evidence.Identity`.
    """

    row: int
    kind: str
    subject: str
    monitor: str


def false_alarms(scene: Scene, run_length: float, rows: int, rng: np.random.Generator) -> list[Alert]:
    """Return the alerts on a stream on which nothing changes.

    Parameters
    ----------
    scene
        What is watched.
    run_length
        The level: rows between two false alarms of one monitor.
    rows
        Length of the stream.
    rng
        Source of chance.
    """
    part, reference = scene.reference(rng)
    stream = scene.rows.draw(rows, rng)
    return list(alerts(at_level(scene.plan, part, run_length), reference, scene.rules, stream))


def delay(
    scene: Scene,
    run_length: float,
    change: Callable[[Block, Part, np.random.Generator], Block],
    rows: tuple[int, int],
    seed: list[int],
) -> float:
    """Return how many rows after a change an alert comes; NaN if none comes.

    Parameters
    ----------
    scene, run_length
        What is watched, and at which level.
    change
        Changes rows, told the baseline and given chance.
    rows
        Rows before the change, on which alerts do not count, and rows after it.
    seed
        Source of chance.
    """
    rng = np.random.default_rng(seed)
    before, after = rows
    part, reference = scene.reference(rng)
    stream = scene.rows.draw(before + after, rng)
    changed = change(stream.take(slice(before, None)), part, rng)
    stream = replace(
        stream,
        numeric=np.concatenate([stream.numeric[:, :before], changed.numeric], axis=1),
        category=np.concatenate([stream.category[:, :before], changed.category], axis=1),
    )
    for alert in alerts(at_level(scene.plan, part, run_length), reference, scene.rules, stream):
        if alert.row >= before:
            return float(alert.row - before + 1)
    return float("nan")


def alerts(plan: Plan, reference: Reference, rules: Rules, stream: Block) -> Iterator[Alert]:
    """Yield the alerts on a stream; behind each one the watch begins anew."""
    begin = 0
    while begin < len(stream):
        notice = _first(plan, reference, rules, stream, begin)
        if notice is None:
            return
        row = int(np.searchsorted(stream.time, notice.at))
        row = max(min(row, len(stream) - 1), begin)
        yield Alert(row, notice.identity.kind, notice.identity.subject, notice.identity.monitor)
        begin = row + 1


def _first(plan: Plan, reference: Reference, rules: Rules, stream: Block, begin: int) -> Notice | None:
    """Return the first alert from a row on."""
    track, decisions = Track.fresh(), Decisions()
    track.begin(plan, reference)
    start, size = begin, SHORTEST
    while start < len(stream):
        piece = stream.take(slice(start, start + size))
        piece = replace(piece, at=np.arange(len(piece)))
        findings = track.watch(plan, reference, piece, piece.time, int(piece.time[-1]))
        findings.sort(key=lambda f: (f.moment, f.kind, f.subject, f.monitor, f.segment))
        decisions, outcome = decide(rules, decisions, [_evidence(rules.model, f) for f in findings])
        for notice in outcome.notices:
            if notice.begins:
                return notice
        track.trim()
        start, size = start + size, min(2 * size, LONGEST)
    return None


def _evidence(model: str, finding: Finding) -> Evidence:
    identity = Identity(model, "", finding.segment, finding.kind, finding.subject, finding.monitor)
    return Evidence(
        at=finding.moment.time,
        identity=identity,
        verdict=finding.verdict,
        baseline=finding.baseline,
        decisive=finding.decisive,
        labelled=0,
        labelled_since=0,
    )
