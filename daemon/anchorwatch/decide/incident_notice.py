"""What people are told about an incident."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from anchorwatch.decide.evidence import Kind
    from anchorwatch.decide.incidents import Telling
    from anchorwatch.decide.ranking import Carried, Child, Feature


class IncidentNotice(NamedTuple):
    """One telling of an incident.

    Attributes
    ----------
    at
        Event time of the decision, ns since the epoch; so are the other times.
    status, reason
        "opened", "updated" or "resolved", and why now.
    model, version, incident
        Whose it is, and its number in the model.
    severity
        How severe it has become.
    number
        The how-manieth notice of the incident it is.
    opened_at, ended_at
        When it opened and when it was over; `ended_at` is None while it lasts.
    since
        The earliest estimate of when any of its trouble began.
    firing, alerts
        How many of its alerts fire now, and how many firings there were in all.
    joined
        Kinds of alerts that were not told before.
    drifted, watched
        How many features drifted since it opened, out of how many.
    features, segments
        The drifted features and the segments, by how much each contributes.
    children
        Its alerts, those that fire first, then the worst; the list is cut where it is long.
    silenced
        Whether nobody is told: it is for the history alone.
    """

    at: int
    status: str
    reason: Telling
    model: str
    version: str
    incident: int
    severity: str
    number: int
    opened_at: int
    ended_at: int | None
    since: int
    firing: int
    alerts: int
    joined: tuple[Kind, ...]
    drifted: int
    watched: int
    features: tuple[Feature, ...]
    segments: tuple[Carried, ...]
    children: tuple[Child, ...]
    silenced: bool = False
