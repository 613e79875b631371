"""What people are told about an alert."""

from __future__ import annotations

import enum

import msgspec

from anchorwatch.decide.evidence import Identity
from anchorwatch.decide.findings import Trouble
from anchorwatch.decide.reasons import Reason


class Status(enum.StrEnum):
    """What a notice tells."""

    FIRING = "firing"
    RESOLVED = "resolved"


class Notice(msgspec.Struct, frozen=True):
    """One telling of an alert.

    Attributes
    ----------
    at
        Event time of the decision, ns since the epoch.
    status, reason
        What is told, and why now.
    identity, severity
        The alert's labels.
    episode, number, incident
        Which firing of the model, the how-manieth notice of that firing, which incident.
    started_at, ended_at
        When it fired and when it resolved; `ended_at` is None while it fires.
    trouble
        What it is about; when resolved, the last there was.
    silenced
        Whether nobody is told: it is for the history alone.
    """

    at: int
    status: Status
    reason: Reason
    identity: Identity
    severity: str
    episode: int
    number: int
    incident: int
    started_at: int
    ended_at: int | None
    trouble: Trouble
    silenced: bool = False

    @property
    def begins(self) -> bool:
        """Whether it is the first notice of a firing."""
        return self.number == 1
