"""Why an alert took the step it took."""

from __future__ import annotations

import enum


class Reason(enum.StrEnum):
    """Why an alert took the step it took; a closed set, fit for a metric's label.

    "Trouble" is a verdict of level DRIFT whose direction is not BETTER.

    STAYS_INACTIVE
        All is well, as before.
    STARTED_PENDING
        First trouble, not yet enough of it to fire.
    STILL_PENDING
        Some of the last windows show trouble, still too few to fire.
    FELL_BACK
        The trouble that was pending is gone; nobody was told, nobody is.
    FIRED
        Enough of the last windows show trouble, or one decisive verdict does: people are told.
    FLAPPING
        It fires yet again within a short time: told as flapping, once, and held firing until it has been quiet.
    EVIDENCE_UPDATED
        Trouble goes on in a firing alert; the newest evidence is kept, nobody is told again.
    REPEATED
        Trouble goes on and the repeat interval has passed: people are told again.
    KEEPS_FIRING
        It looks better, but not clearly or not for long enough to call it over.
    HELD
        The trouble seems over, but the alert flaps, and has not been quiet for long enough.
    RESOLVED
        The trouble is over: people are told.
    IN_COOLDOWN
        Trouble, but the alert resolved too short a time ago to fire again.
    INHIBITED
        Trouble, but another alert that fires explains it: a broken column, a drop of traffic, labels that do not come.
    UNDETERMINED
        The verdict says nothing either way, so nothing changes.
    WARNED
        A warning neither starts an alert nor ends one.
    IMPROVED
        A change for the better pages nobody.
    ALREADY_SEEN
        The very evidence that was seen last, again; nothing changes.
    SUPERSEDED
        Another version took over: what is found of this one no longer matters.
    RETRAINED
        A retraining succeeded, and what came of it took over: people are told that it is over.
    SILENCED
        It fires, or would be told again, but somebody has silenced it: nobody is told.
    SILENCE_ENDED
        Trouble goes on in an alert that nobody was told of, and it is not silenced any more: people are told.
    ACKNOWLEDGED
        It would be told again, but somebody is at work on its incident: nobody is told.
    """

    STAYS_INACTIVE = "stays_inactive"
    STARTED_PENDING = "started_pending"
    STILL_PENDING = "still_pending"
    FELL_BACK = "fell_back"
    FIRED = "fired"
    FLAPPING = "flapping"
    EVIDENCE_UPDATED = "evidence_updated"
    REPEATED = "repeated"
    KEEPS_FIRING = "keeps_firing"
    HELD = "held"
    RESOLVED = "resolved"
    IN_COOLDOWN = "in_cooldown"
    INHIBITED = "inhibited"
    UNDETERMINED = "undetermined"
    WARNED = "warned"
    IMPROVED = "improved"
    ALREADY_SEEN = "already_seen"
    SUPERSEDED = "superseded"
    RETRAINED = "retrained"
    SILENCED = "silenced"
    SILENCE_ENDED = "silence_ended"
    ACKNOWLEDGED = "acknowledged"
