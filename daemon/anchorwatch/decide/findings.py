"""What the decisions keep of the evidence they are given."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Self

import msgspec

from anchorwatch_detectors.base import Direction, Level

if TYPE_CHECKING:
    from anchorwatch.decide.evidence import Evidence


class Finding(msgspec.Struct, frozen=True):
    """A piece of evidence as plain data: the fields of `Evidence` and `Verdict`, None where a number is not finite."""

    at: int
    level: Level
    reason: str
    statistic: float | None
    threshold: float | None
    effect: float | None
    direction: Direction
    n: int
    since: int | None
    baseline: str
    labelled: int
    labelled_since: int
    effect_unit: str = ""
    since_low: int | None = None
    since_high: int | None = None
    rows: int = 0
    rows_since: int = 0

    @classmethod
    def of_evidence(cls, evidence: Evidence) -> Self:
        """Keep a piece of evidence."""
        verdict = evidence.verdict
        return cls(
            at=int(evidence.at),
            level=verdict.level,
            reason=str(verdict.reason),
            statistic=_finite(verdict.statistic),
            threshold=_finite(verdict.threshold),
            effect=_finite(verdict.effect),
            direction=verdict.direction,
            n=int(verdict.n),
            since=None if verdict.since is None else int(verdict.since),
            baseline=evidence.baseline,
            labelled=int(evidence.labelled),
            labelled_since=int(evidence.labelled_since),
            effect_unit=verdict.effect_unit,
            since_low=None if verdict.since_low is None else int(verdict.since_low),
            since_high=None if verdict.since_high is None else int(verdict.since_high),
            rows=int(evidence.rows),
            rows_since=int(evidence.rows_since),
        )


class Trouble(msgspec.Struct, frozen=True):
    """A run of evidence of trouble, since the alert was last well.

    Attributes
    ----------
    latest
        The newest evidence of it.
    since
        When it began, in ns of event time: the earliest estimate so far.
    labelled
        How many labelled predictions the version had when it began.
    since_low, since_high
        The interval in which that beginning lies; None where it is not known.
    rows
        How many predictions of the version had been watched when it began.
    """

    latest: Finding
    since: int
    labelled: int
    since_low: int | None = None
    since_high: int | None = None
    rows: int = 0


def is_trouble(evidence: Evidence) -> bool:
    """Whether the evidence speaks for an alert: drift that is not a change for the better."""
    return evidence.verdict.level is Level.DRIFT and evidence.verdict.direction is not Direction.BETTER


def gathered(trouble: Trouble | None, finding: Finding) -> Trouble:
    """Add the newest evidence of trouble to what there was."""
    since = finding.at if finding.since is None else finding.since
    if trouble is not None and trouble.since <= since:
        return msgspec.structs.replace(trouble, latest=finding)
    return Trouble(
        latest=finding,
        since=since,
        labelled=finding.labelled - finding.labelled_since,
        since_low=finding.since_low,
        since_high=finding.since_high,
        rows=finding.rows - finding.rows_since,
    )


def _finite(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None
