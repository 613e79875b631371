"""An alert in one sentence, for somebody who was asleep a minute ago."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anchorwatch.decide.evidence import Kind
from anchorwatch.decide.instants import lasting, readable
from anchorwatch.decide.notices import Status
from anchorwatch.decide.reasons import Reason
from anchorwatch_detectors.base import Direction

if TYPE_CHECKING:
    from anchorwatch.decide.evidence import Identity
    from anchorwatch.decide.notices import Notice

_WORSE = {
    Kind.SCHEMA: "has lost a column of its input",
    Kind.QUALITY: "gets worse input data",
    Kind.DRIFT: "gets different input",
    Kind.PREDICTION: "predicts differently",
    Kind.ACCURACY: "has become less accurate",
    Kind.LATENCY: "has become slower",
}
_CHANGED = _WORSE | {
    Kind.QUALITY: "gets different input data",
    Kind.ACCURACY: "is wrong in a different way",
    Kind.LATENCY: "answers at a different speed",
}


def summary_of(notice: Notice) -> str:
    """Return what happened, to what, how bad it is, since when, and how much that rests on."""
    latest = notice.trouble.latest
    lasted = lasting(notice.at - notice.started_at)
    who, symptom = _who(notice.identity), f"{_symptom(notice)} since about {readable(notice.trouble.since)}"
    if notice.reason is Reason.SUPERSEDED:
        return f"Closed after {lasted}, another version took over: {who}, {symptom}."
    if notice.status is Status.RESOLVED:
        return f"Resolved after {lasted}: {who}, {symptom}."
    what = (_WORSE if latest.direction is Direction.WORSE else _CHANGED)[notice.identity.kind]
    still = f"Still firing after {lasted}: " if notice.reason is Reason.REPEATED else ""
    return f"{still}{who} {what}: {symptom}, seen by {notice.identity.monitor} over {latest.n:,} values."


def _who(identity: Identity) -> str:
    version = f" version {identity.version}" if identity.version else ""
    segment = f" where {identity.segment}" if identity.segment else ""
    return f"{identity.model}{version}{segment}"


def _symptom(notice: Notice) -> str:
    latest, subject = notice.trouble.latest, notice.identity.subject
    size = "" if latest.effect is None else f" by {abs(latest.effect):.3g}"
    if notice.identity.kind is Kind.SCHEMA:
        return f"no usable value of {subject}"
    if latest.direction is not Direction.WORSE:
        return f"{subject} away from the baseline{size}"
    if notice.identity.kind is Kind.QUALITY:
        return f"{subject} more often than in the baseline{size}"
    return f"{subject} worse than the baseline{size}"
