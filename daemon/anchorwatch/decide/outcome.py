"""What came of deciding."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from anchorwatch.decide.evidence import Identity
    from anchorwatch.decide.incident_notice import IncidentNotice
    from anchorwatch.decide.incidents import Change, Telling
    from anchorwatch.decide.notices import Notice
    from anchorwatch.decide.reasons import Reason
    from anchorwatch.decide.retrain import RetrainReason
    from anchorwatch.decide.retrain_desk import Again
    from anchorwatch.decide.retraining import Reported
    from anchorwatch.decide.stages import Stage
    from anchorwatch.decide.triggers import Trigger


class Decided(NamedTuple):
    """What one piece of evidence led to.

    Attributes
    ----------
    at, identity
        Its event time, and whose it was.
    reason
        The step that its alert took.
    change
        What that did to the incident of the model; None for nothing.
    retrain
        (policy, reason) for each retrain policy that was considered.
    telling
        Why that incident is told, or not; None where nothing changed and nothing is to be repeated.
    """

    at: int
    identity: Identity
    reason: Reason
    change: Change | None = None
    retrain: tuple[tuple[str, RetrainReason], ...] = ()
    telling: Telling | None = None


class Outcome(NamedTuple):
    """What is to be told, in order, and why.

    Attributes
    ----------
    notices
        Tellings of alerts.
    triggers
        Requests to retrain.
    decided
        One for each piece of evidence, in order; of `supersede` one for each alert that was ended.
    incidents
        Tellings of incidents.
    again
        Triggers that are published once more, because nobody acknowledged them.
    reported
        What became of each report on a retraining.
    stages
        How far retrainings have come.
    """

    notices: tuple[Notice, ...]
    triggers: tuple[Trigger, ...]
    decided: tuple[Decided, ...]
    incidents: tuple[IncidentNotice, ...] = ()
    again: tuple[Again, ...] = ()
    reported: tuple[Reported, ...] = ()
    stages: tuple[Stage, ...] = ()
