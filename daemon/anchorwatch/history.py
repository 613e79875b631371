"""What came of batches as rows of the history, and all of it that waits for a checkpoint."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from anchorwatch.decide.evidence import Kind
from anchorwatch.decide.ids import incident_id
from anchorwatch.decide.labels import fingerprint_of, id_of
from anchorwatch.decide.reasons import Reason
from anchorwatch.store.rows import AlertRow, BaselineRow, Checkpoint, IncidentRow, ScoreRow, TriggerRow
from anchorwatch.store.stages import StageRow
from anchorwatch_detectors.base import Level

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from anchorwatch.decide.evidence import Evidence
    from anchorwatch.engine.baseline import Baseline
    from anchorwatch.engine.step import Outcome
    from anchorwatch.events.records import Outgoing, Partition

MANY = 50_000
"""So many scores are written at once, however soon after the last checkpoint."""


@dataclass(slots=True)
class Unwritten:
    """What came since the last checkpoint."""

    positions: dict[Partition, int] = field(default_factory=dict)
    outbox: list[Outgoing] = field(default_factory=list)
    baselines: list[BaselineRow] = field(default_factory=list)
    scores: list[ScoreRow] = field(default_factory=list)
    alerts: list[AlertRow] = field(default_factory=list)
    incidents: list[IncidentRow] = field(default_factory=list)
    triggers: list[TriggerRow] = field(default_factory=list)
    stages: list[StageRow] = field(default_factory=list)

    def note(self, source: str, model: str, outcome: Outcome, told: Sequence[Outgoing], now: int) -> None:
        """Add what came of a batch.

        Parameters
        ----------
        source, model
            Who we are, and whose batch it was.
        outcome, told
            What came of it, and the messages that tell it.
        now
            Wall time, ns since the epoch.
        """
        self.outbox += heard(source, outcome, told)
        self.baselines += [baseline_row(baseline, now) for baseline in outcome.baselines]
        self.scores += score_rows(outcome)
        self.alerts += alert_rows(source, outcome, told)
        self.incidents += incident_rows(source, outcome, told)
        self.triggers += trigger_rows(outcome, told)
        self.stages += stage_rows(model, outcome)

    @property
    def urgent(self) -> bool:
        """Whether there is something to tell, or so much that it should be written now."""
        return bool(self.alerts or self.incidents or self.triggers or self.stages or len(self.scores) > MANY)

    def checkpoint(self, at: int, parts: Mapping[str, Mapping[str, bytes | None]]) -> Checkpoint:
        """Return all of it, with the parts of the states that changed, to be written at a wall time."""
        return Checkpoint(
            at=at,
            positions=self.positions,
            parts=parts,
            outbox=self.outbox,
            baselines=self.baselines,
            scores=self.scores,
            alerts=self.alerts,
            incidents=self.incidents,
            triggers=self.triggers,
            stages=self.stages,
        )


def score_rows(outcome: Outcome) -> list[ScoreRow]:
    """Return a row for every verdict worth keeping: all but shares of bad values that did not rise."""
    return [_score(evidence) for evidence in outcome.evidence if not _dull(evidence)]


def _dull(evidence: Evidence) -> bool:
    verdict = evidence.verdict
    return evidence.identity.kind is Kind.QUALITY and verdict.level is not Level.DRIFT and not verdict.effect > 0


def _score(evidence: Evidence) -> ScoreRow:
    who, verdict = evidence.identity, evidence.verdict
    return ScoreRow(
        model=who.model,
        version=who.version,
        segment=who.segment,
        kind=who.kind,
        subject=who.subject,
        monitor=who.monitor,
        at=evidence.at,
        level=verdict.level,
        reason=verdict.reason,
        statistic=verdict.statistic,
        threshold=verdict.threshold,
        effect=verdict.effect,
        direction=verdict.direction,
        n=verdict.n,
        since=verdict.since,
        baseline=evidence.baseline,
        low=math.nan if verdict.low is None else verdict.low,
        high=math.nan if verdict.high is None else verdict.high,
        coverage=math.nan if verdict.coverage is None else verdict.coverage,
    )


def baseline_row(baseline: Baseline, now: int) -> BaselineRow:
    """Return a baseline as the store keeps it; where it came from is that of the part it brought.

    A calibration brings no part: such a baseline comes from where the one did that it extends.
    """
    predictions, outcomes = baseline.predictions, baseline.outcomes
    added = bool(baseline.extends) and (predictions is None or predictions.calibration is None)
    part = outcomes if added else predictions or outcomes
    return BaselineRow(
        id=baseline.id,
        model=baseline.model,
        version=baseline.version,
        document=baseline.to_json(),
        created=now,
        rows=0 if part is None else part.rows,
        start=None if part is None else part.start,
        end=None if part is None else part.end,
        fingerprint="" if part is None else part.fingerprint,
        code=baseline.code,
        configuration=baseline.configuration,
    )


def alert_rows(source: str, outcome: Outcome, told: Sequence[Outgoing]) -> list[AlertRow]:
    """Return a row for every notice, with the message that tells it."""
    documents = {message.id: message.value for message in told}
    rows = []
    for notice in outcome.decision.notices:
        who = notice.identity
        ident = id_of(source, notice)
        rows.append(
            AlertRow(
                id=ident,
                fingerprint=fingerprint_of(notice),
                model=who.model,
                version=who.version,
                segment=who.segment,
                kind=who.kind,
                subject=who.subject,
                monitor=who.monitor,
                severity=notice.severity,
                status=notice.status,
                reason=Reason.SILENCED if notice.silenced else notice.reason,
                at=notice.at,
                starts_at=notice.started_at,
                ends_at=notice.ended_at,
                incident=notice.incident,
                document=documents[ident],
            )
        )
    return rows


def heard(source: str, outcome: Outcome, told: Sequence[Outgoing]) -> list[Outgoing]:
    """Return the messages that are published: all but those that are for the history alone."""
    alerts = {id_of(source, notice) for notice in outcome.decision.notices if notice.silenced}
    incidents = (notice for notice in outcome.decision.incidents if notice.silenced)
    silent = alerts | {incident_id(source, notice.model, notice.incident, notice.number) for notice in incidents}
    return [message for message in told if message.id not in silent] if silent else list(told)


def incident_rows(source: str, outcome: Outcome, told: Sequence[Outgoing]) -> list[IncidentRow]:
    """Return a row for every telling of an incident, with the message that tells it."""
    documents = {message.id: message.value for message in told}
    rows = []
    for notice in outcome.decision.incidents:
        ident = incident_id(source, notice.model, notice.incident, notice.number)
        rows.append(
            IncidentRow(
                id=ident,
                model=notice.model,
                incident=notice.incident,
                version=notice.version,
                notice=notice.number,
                severity=notice.severity,
                status=notice.status,
                reason=notice.reason,
                at=notice.at,
                opened_at=notice.opened_at,
                ended_at=notice.ended_at,
                document=documents[ident],
            )
        )
    return rows


def trigger_rows(outcome: Outcome, told: Sequence[Outgoing]) -> list[TriggerRow]:
    """Return a row for every trigger, with the message that asks for it."""
    documents = {message.id: message.value for message in told}
    return [
        TriggerRow(
            id=trigger.id,
            model=trigger.model,
            policy=trigger.policy,
            incident=trigger.incident,
            at=trigger.at,
            reason="triggered",
            document=documents[trigger.id],
        )
        for trigger in outcome.decision.triggers
    ]


def stage_rows(model: str, outcome: Outcome) -> list[StageRow]:
    """Return a row for every stage that retrainings of a model came to."""
    return [
        StageRow(
            trigger=stage.trigger,
            model=model,
            policy=stage.policy,
            incident=stage.incident,
            status=stage.status,
            at=stage.at,
            version=stage.version,
            by=stage.by,
        )
        for stage in outcome.decision.stages
    ]
