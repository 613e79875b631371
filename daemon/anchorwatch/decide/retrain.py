"""When a retraining is asked for: at most once per incident and policy, and each refusal has a name."""

from __future__ import annotations

import enum
import math
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from anchorwatch.decide.evidence import Kind
from anchorwatch.decide.triggers import Trigger, onset, trigger_of

if TYPE_CHECKING:
    from anchorwatch.decide.recovery import Recovery
    from anchorwatch.decide.retrain_policy import RetrainPolicy
    from anchorwatch.decide.triggers import Cause, Occasion


class RetrainReason(enum.StrEnum):
    """Why a policy did or did not ask for a retraining; a closed set, fit for a metric's label.

    NO_INCIDENT
        No alert of that version is firing.
    ALREADY_TRIGGERED
        This incident, or one that opened after it, has had its trigger; it never gets another.
    KIND_NOT_ASKED
        Alerts are firing, none of a kind that the policy asks for.
    DIRECTION_NOT_ASKED
        Alerts of such a kind are firing, none in the direction that the policy asks for.
    SEVERITY_NOT_ASKED
        Such alerts are firing, none as severe as the policy asks for.
    FIRING_TOO_SHORT
        Such alerts are firing, none for as long as the policy asks for.
    SCHEMA_BROKEN
        A schema alert of that version is firing: what would be trained on is broken. Not for a policy that asks for
        schema alerts.
    RETRAINING_UNDERWAY
        A retraining of this model was asked for and has not ended, nor has its time run out.
    FRESH_VERSION
        A version took over too short a time ago.
    COOLING_DOWN
        The policy's last trigger is too recent.
    OVER_BUDGET
        The policy has had as many triggers as it may have in that time.
    TOO_FEW_LABELS
        Not enough labelled predictions since the change to train on.
    RECOVERY_UNKNOWN
        Too few labels to tell what a retraining would gain; looked at again when there are twice as many.
    RECOVERS_TOO_LITTLE
        A retraining would gain too little; looked at again when there are twice as many labels.
    SILENCED
        What fires is silenced, for retrainings too.
    TRIGGERED
        A retraining is asked for.
    """

    NO_INCIDENT = "no_incident"
    ALREADY_TRIGGERED = "already_triggered"
    KIND_NOT_ASKED = "kind_not_asked"
    DIRECTION_NOT_ASKED = "direction_not_asked"
    SEVERITY_NOT_ASKED = "severity_not_asked"
    FIRING_TOO_SHORT = "firing_too_short"
    SCHEMA_BROKEN = "schema_broken"
    RETRAINING_UNDERWAY = "retraining_underway"
    FRESH_VERSION = "fresh_version"
    COOLING_DOWN = "cooling_down"
    OVER_BUDGET = "over_budget"
    TOO_FEW_LABELS = "too_few_labels"
    RECOVERY_UNKNOWN = "recovery_unknown"
    RECOVERS_TOO_LITTLE = "recovers_too_little"
    SILENCED = "silenced"
    TRIGGERED = "triggered"


class Held(msgspec.Struct, frozen=True):
    """An estimate that held a trigger back.

    Attributes
    ----------
    incident
        Of which incident.
    labelled
        From how many labels since the change.
    reason
        Why it was held back.
    """

    incident: int
    labelled: int
    reason: RetrainReason


class RetrainState(msgspec.Struct, frozen=True):
    """What a policy remembers.

    Attributes
    ----------
    incident, triggered_at
        The last incident it sent a trigger for, and when, in ns of event time.
    recent
        When its triggers within the time of its budget were sent.
    held
        The last estimate that held one back, of each incident that may be open still.
    """

    incident: int = 0
    triggered_at: int | None = None
    recent: tuple[int, ...] = ()
    held: tuple[Held, ...] = ()

    def held_back(self, incident: int) -> Held | None:
        """Return the last estimate that held a trigger for an incident back."""
        return next((held for held in self.held if held.incident == incident), None)


class Considered(msgspec.Struct, frozen=True):
    """What the retrain policies last looked at; nothing new in it, nothing new to decide."""

    version: str
    at: int
    labelled: int


class Consideration(NamedTuple):
    """What came of considering a policy."""

    state: RetrainState
    reason: RetrainReason
    trigger: Trigger | None = None


def consider(policy: RetrainPolicy, state: RetrainState, occasion: Occasion) -> Consideration:
    """Decide whether to ask for a retraining now.

    What it would recover is estimated only where nothing else speaks against it.
    """
    asked = [cause for cause in occasion.firing if policy.asks_for(cause)]
    loud = [cause for cause in asked if policy.loud_enough(cause)]
    causes = sorted(
        (cause for cause in loud if occasion.at - cause.fired_at >= policy.firing_for),
        key=lambda cause: (cause.trouble.since, cause.identity),
    )
    refusal = _no_cause(policy, state, occasion, (asked, loud, causes)) or _too_early(policy, state, occasion)
    if refusal is not None:
        return Consideration(state, refusal)
    first = onset(causes)
    labels = occasion.labelled - first.labelled
    if labels < policy.min_labels:
        return Consideration(state, RetrainReason.TOO_FEW_LABELS)
    held = state.held_back(occasion.incident) if policy.least_gain is not None else None
    if held is not None and labels < 2 * max(held.labelled, 1):
        return Consideration(state, held.reason)
    estimator = occasion.estimator
    estimate = None if estimator is None else estimator(occasion.version, first.since, occasion.labelled)
    refusal = _too_little(policy, estimate)
    others = tuple(h for h in state.held if h.incident in occasion.open and h.incident != occasion.incident)
    if refusal is not None:
        held = Held(occasion.incident, labels, refusal)
        return Consideration(msgspec.structs.replace(state, held=(*others, held)), refusal)
    trigger = trigger_of(policy, occasion, causes, estimate)
    recent = _within_budget(policy, (*state.recent, occasion.at), occasion)
    sent = RetrainState(occasion.incident, occasion.at, recent, others)
    return Consideration(sent, RetrainReason.TRIGGERED, trigger)


def _no_cause(
    policy: RetrainPolicy,
    state: RetrainState,
    occasion: Occasion,
    narrowed: tuple[list[Cause], list[Cause], list[Cause]],
) -> RetrainReason | None:
    """Return why there is nothing to ask for a retraining for; None where there is.

    `narrowed` holds the alerts of the kinds and directions asked for, those severe enough among them, and those that
    fire for long enough among these.
    """
    kinds = {cause.identity.kind for cause in occasion.firing}
    asked, loud, causes = narrowed
    objections = (
        (not kinds, RetrainReason.NO_INCIDENT),
        (state.incident >= occasion.incident, RetrainReason.ALREADY_TRIGGERED),
        (not any(policy.asks_for_kind(kind) for kind in kinds), RetrainReason.KIND_NOT_ASKED),
        (not asked, RetrainReason.DIRECTION_NOT_ASKED),
        (not loud, RetrainReason.SEVERITY_NOT_ASKED),
        (not causes, RetrainReason.FIRING_TOO_SHORT),
        (Kind.SCHEMA in kinds and not policy.asks_for_kind(Kind.SCHEMA), RetrainReason.SCHEMA_BROKEN),
    )
    return next((reason for holds, reason in objections if holds), None)


def _too_early(policy: RetrainPolicy, state: RetrainState, occasion: Occasion) -> RetrainReason | None:
    """Return what was so short a time ago that nothing is asked for yet; None for nothing."""
    at = occasion.at
    since_last = math.inf if state.triggered_at is None else at - state.triggered_at
    since_version = math.inf if occasion.fresh_since is None else at - occasion.fresh_since
    spent = policy.most is not None and len(_within_budget(policy, state.recent, occasion)) >= policy.most
    objections = (
        (any(at - began < policy.timeout for began in occasion.underway), RetrainReason.RETRAINING_UNDERWAY),
        (since_version < policy.quiet_after_version, RetrainReason.FRESH_VERSION),
        (since_last < policy.cooldown, RetrainReason.COOLING_DOWN),
        (spent, RetrainReason.OVER_BUDGET),
    )
    return next((reason for holds, reason in objections if holds), None)


def _too_little(policy: RetrainPolicy, estimate: Recovery | None) -> RetrainReason | None:
    """Return why an estimate holds a trigger back; None where it does not."""
    if policy.least_gain is None:
        return None
    if estimate is None:
        return RetrainReason.RECOVERY_UNKNOWN
    return RetrainReason.RECOVERS_TOO_LITTLE if estimate.sure_gain < policy.least_gain else None


def _within_budget(policy: RetrainPolicy, times: tuple[int, ...], occasion: Occasion) -> tuple[int, ...]:
    """Return those times of triggers that count against the budget; none where there is no budget."""
    if policy.most is None:
        return ()
    return tuple(time for time in times if occasion.at - time < policy.most_in)
