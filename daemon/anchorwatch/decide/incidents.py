"""Incidents: the alerts of one model that fire at the same time share a number."""

from __future__ import annotations

import enum

import msgspec


class Change(enum.StrEnum):
    """What an alert did to the incident of its model.

    OPENED
        It fired while nothing else did: a new incident, with the next number.
    JOINED
        It fired during an incident, of which it is a part.
    LEFT
        It resolved, others still fire.
    CLOSED
        It resolved as the last one that fired: the incident is over.
    """

    OPENED = "opened"
    JOINED = "joined"
    LEFT = "left"
    CLOSED = "closed"


class Incident(msgspec.Struct, frozen=True):
    """The incident of a model: the present one or, between two, the last.

    Attributes
    ----------
    number
        Counts from 1; 0 before the first.
    firing
        How many alerts of the model fire; the incident is open while there are any.
    opened_at
        Event time in ns at which it opened; None when none is open.
    """

    number: int = 0
    firing: int = 0
    opened_at: int | None = None

    @property
    def open(self) -> bool:
        """Whether any alert of the model is firing."""
        return self.firing > 0

    @property
    def joining(self) -> int:
        """The number of the incident that an alert would belong to, should it fire now."""
        return self.number if self.open else self.number + 1

    def joined(self, at: int) -> tuple[Incident, Change]:
        """Take in an alert that fired."""
        if self.open:
            return msgspec.structs.replace(self, firing=self.firing + 1), Change.JOINED
        return Incident(number=self.number + 1, firing=1, opened_at=at), Change.OPENED

    def left(self) -> tuple[Incident, Change]:
        """Let go of an alert that resolved; there must be one."""
        if self.firing == 1:
            return Incident(number=self.number), Change.CLOSED
        return msgspec.structs.replace(self, firing=self.firing - 1), Change.LEFT
