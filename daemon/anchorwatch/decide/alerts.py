"""The life of one alert: inactive, pending, firing, resolved; every step with a named reason.

Time is the event time of the evidence. Nothing happens between two pieces of evidence, so a replay takes every step
at the same place as the live run did.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from anchorwatch.decide.evidence import Identity
from anchorwatch.decide.findings import Finding, Trouble, gathered, is_trouble
from anchorwatch.decide.notices import Notice, Status
from anchorwatch.decide.reasons import Reason
from anchorwatch_detectors.base import Level

if TYPE_CHECKING:
    from anchorwatch.decide.alert_policy import AlertPolicy
    from anchorwatch.decide.evidence import Evidence


class Phase(enum.StrEnum):
    """Where an alert stands."""

    INACTIVE = "inactive"
    PENDING = "pending"
    FIRING = "firing"


class Situation(msgspec.Struct, frozen=True):
    """What the model's other alerts mean for this one, should it begin to fire now.

    Attributes
    ----------
    episode, incident
        The numbers that the firing would bear.
    inhibited
        Whether it must not fire, because another alert explains the trouble.
    """

    episode: int
    incident: int
    inhibited: bool = False


class Episode(msgspec.Struct, frozen=True):
    """One firing, from the first notice to the last.

    Attributes
    ----------
    number
        The how-manieth firing of the model it is.
    incident
        The incident it belongs to.
    severity
        That of the first notice: labels stay the same when the configuration changes meanwhile.
    started_at, told_at
        When the first and the latest notice were given.
    notices
        How many were given.
    trouble
        What it is about.
    untold
        Whether nobody was told of it, because it was silenced when it began.
    flapping
        Whether it is held until it has been quiet for long enough, because the alert came and went.
    """

    number: int
    incident: int
    severity: str
    started_at: int
    told_at: int
    notices: int
    trouble: Trouble
    untold: bool = False
    flapping: bool = False


class AlertState(msgspec.Struct, frozen=True):
    """What is remembered of one alert.

    Attributes
    ----------
    identity
        Whose it is.
    seen
        The last evidence that counted.
    history
        Trouble or not in the last verdicts, one bit each, bit 0 the newest.
    pending
        The trouble that is pending; None when none is, or when it fires.
    episode
        The present firing; None when it does not fire.
    resolved_at
        When it last resolved; None when it never did, or when that was forgotten.
    fired
        When it fired lately, the present firing included: what flapping is told by.
    """

    identity: Identity
    seen: Finding
    history: int = 0
    pending: Trouble | None = None
    episode: Episode | None = None
    resolved_at: int | None = None
    fired: tuple[int, ...] = ()

    @property
    def phase(self) -> Phase:
        """Where it stands."""
        if self.episode is not None:
            return Phase.FIRING
        return Phase.INACTIVE if self.pending is None else Phase.PENDING


class Step(NamedTuple):
    """What a piece of evidence did to an alert; a state of None has nothing to remember."""

    state: AlertState | None
    reason: Reason
    notice: Notice | None = None


def advance(policy: AlertPolicy, state: AlertState | None, evidence: Evidence, situation: Situation) -> Step:
    """Take one piece of evidence into an alert.

    Parameters
    ----------
    policy
        When verdicts become an alert.
    state
        What is remembered of the alert; None when nothing is.
    evidence
        The verdict, in order of event time.
    situation
        What the model's other alerts mean for it. An inhibited verdict leaves no trace: its cause is told elsewhere.
    """
    trouble = is_trouble(evidence)
    if evidence.verdict.level is Level.UNDETERMINED or (state is None and not trouble):
        return Step(state, calm(evidence.verdict.level))
    finding = Finding.of_evidence(evidence)
    if state is None:
        state = AlertState(identity=evidence.identity, seen=finding)
    elif state.seen == finding:
        return Step(state, Reason.ALREADY_SEEN)
    if trouble and situation.inhibited and state.episode is None:
        return Step(_kept(policy, state), Reason.INHIBITED)
    state = msgspec.structs.replace(state, seen=finding, history=policy.shifted(state.history, trouble=trouble))
    if state.episode is None:
        return _worry(policy, state, evidence, situation) if trouble else _calm(policy, state)
    episode = state.episode
    return _worry_on(policy, state, episode) if trouble else _ease(policy, state, episode, decisive=evidence.decisive)


def supersede(state: AlertState, at: int, reason: Reason = Reason.SUPERSEDED) -> Notice | None:
    """End an alert because another version took over; None when it was not firing, so nobody knows of it."""
    if state.episode is None:
        return None
    return _told(state, state.episode, Status.RESOLVED, reason, at)


def _kept(policy: AlertPolicy, state: AlertState) -> AlertState | None:
    """Return the state, or None when it holds nothing that a later step would ask for."""
    idle = state.phase is Phase.INACTIVE and not _cooling(policy, state)
    return None if idle and not policy.recent(state.fired, state.seen.at) else state


def _cooling(policy: AlertPolicy, state: AlertState) -> bool:
    return state.resolved_at is not None and state.seen.at - state.resolved_at < policy.cooldown


def _calm(policy: AlertPolicy, state: AlertState) -> Step:
    """No trouble, and it was not firing."""
    if state.history:
        return Step(state, Reason.STILL_PENDING)
    reason = Reason.FELL_BACK if state.pending is not None else calm(state.seen.level)
    return Step(_kept(policy, msgspec.structs.replace(state, pending=None)), reason)


def calm(level: Level) -> Reason:
    """Return why a verdict that is no trouble changes nothing for an alert that is inactive."""
    if level is Level.UNDETERMINED:
        return Reason.UNDETERMINED
    if level is Level.WARNING:
        return Reason.WARNED
    return Reason.IMPROVED if level is Level.DRIFT else Reason.STAYS_INACTIVE


def _worry(policy: AlertPolicy, state: AlertState, evidence: Evidence, situation: Situation) -> Step:
    """Trouble, and it was not firing."""
    trouble = gathered(state.pending, state.seen)
    waiting = msgspec.structs.replace(state, pending=trouble)
    if _cooling(policy, state):
        return Step(waiting, Reason.IN_COOLDOWN)
    if not (evidence.decisive or policy.enough(state.history)):
        return Step(waiting, Reason.STARTED_PENDING if state.pending is None else Reason.STILL_PENDING)
    now = state.seen.at
    fired = (*policy.recent(state.fired, now), now) if policy.flaps else ()
    flapping = policy.flaps > 0 and len(fired) >= policy.flaps
    episode = Episode(
        number=situation.episode,
        incident=situation.incident,
        severity=policy.severity,
        started_at=now,
        told_at=now,
        notices=0,
        trouble=trouble,
        flapping=flapping,
    )
    begun = msgspec.structs.replace(state, pending=None, fired=fired)
    return tell(begun, episode, Reason.FLAPPING if flapping else Reason.FIRED)


def _worry_on(policy: AlertPolicy, state: AlertState, episode: Episode) -> Step:
    """Trouble, and it was firing already; when it began stays as it was first told."""
    trouble = msgspec.structs.replace(episode.trouble, latest=state.seen)
    episode = msgspec.structs.replace(episode, trouble=trouble)
    if policy.repeat and state.seen.at - episode.told_at >= policy.repeat:
        return tell(state, episode, Reason.REPEATED)
    return Step(msgspec.structs.replace(state, episode=episode), Reason.EVIDENCE_UPDATED)


def _ease(policy: AlertPolicy, state: AlertState, episode: Episode, *, decisive: bool) -> Step:
    """No trouble, and it was firing."""
    now = state.seen.at
    over = decisive or not state.history  # as many calm windows to end it as were looked at to begin it: no flapping
    quiet = now - episode.trouble.latest.at
    if state.seen.level is Level.WARNING or not (over and quiet >= policy.keep_firing_for):
        return Step(state, Reason.KEEPS_FIRING)
    if episode.flapping and quiet < policy.flaps_quiet:
        return Step(state, Reason.HELD)
    notice = _told(state, episode, Status.RESOLVED, Reason.RESOLVED, now)
    fired = () if episode.flapping else state.fired
    ended = AlertState(identity=state.identity, seen=state.seen, resolved_at=now, fired=fired)
    return Step(_kept(policy, ended), Reason.RESOLVED, notice)


def tell(state: AlertState, episode: Episode, reason: Reason) -> Step:
    """Tell people of a firing alert now."""
    now = state.seen.at
    notice = _told(state, episode, Status.FIRING, reason, now)
    episode = msgspec.structs.replace(episode, told_at=now, notices=notice.number)
    return Step(msgspec.structs.replace(state, episode=episode), reason, notice)


def _told(state: AlertState, episode: Episode, status: Status, reason: Reason, at: int) -> Notice:
    return Notice(
        at=at,
        status=status,
        reason=reason,
        identity=state.identity,
        severity=episode.severity,
        episode=episode.number,
        number=episode.notices + 1,
        incident=episode.incident,
        started_at=episode.started_at,
        ended_at=at if status is Status.RESOLVED else None,
        trouble=episode.trouble,
    )
