"""When a retraining is asked for: at most once per incident and policy, and each refusal has a name."""

from __future__ import annotations

import enum
import math
from typing import TYPE_CHECKING, NamedTuple, Self

import msgspec

from anchorwatch.decide.evidence import Identity, Kind
from anchorwatch.decide.findings import Trouble
from anchorwatch.decide.ids import trigger_id
from anchorwatch_detectors.base import Direction

if TYPE_CHECKING:
    from anchorwatch.settings.models import Retrain

MOST_CAUSES = 50
"""So many causes at most go into a trigger, the earliest: a message has a limit, a model with 10,000 segments none."""


class RetrainReason(enum.StrEnum):
    """Why a policy did or did not ask for a retraining; a closed set, fit for a metric's label.

    NO_INCIDENT
        No alert of that version is firing.
    ALREADY_TRIGGERED
        This incident has had its trigger; it never gets another.
    KIND_NOT_ASKED
        Alerts are firing, none of a kind that the policy asks for.
    DIRECTION_NOT_ASKED
        Alerts of such a kind are firing, none in the direction that the policy asks for.
    SCHEMA_BROKEN
        A schema alert of that version is firing: what would be trained on is broken. Not for a policy that asks for
        schema alerts.
    TOO_FEW_LABELS
        Not enough labelled predictions since the change to train on.
    COOLING_DOWN
        The policy's last trigger is too recent.
    SILENCED
        What fires is silenced, for retrainings too.
    TRIGGERED
        A retraining is asked for.
    """

    NO_INCIDENT = "no_incident"
    ALREADY_TRIGGERED = "already_triggered"
    KIND_NOT_ASKED = "kind_not_asked"
    DIRECTION_NOT_ASKED = "direction_not_asked"
    SCHEMA_BROKEN = "schema_broken"
    TOO_FEW_LABELS = "too_few_labels"
    COOLING_DOWN = "cooling_down"
    SILENCED = "silenced"
    TRIGGERED = "triggered"


class Asked(msgspec.Struct, frozen=True):
    """A kind of alert that asks for a retraining; a direction of None means any."""

    kind: Kind
    direction: Direction | None = None

    @classmethod
    def of_text(cls, text: str) -> Self:
        """Read "accuracy" or "accuracy worse"."""
        kind, _, direction = text.partition(" ")
        return cls(Kind(kind), Direction(direction) if direction else None)


class RetrainPolicy(msgspec.Struct, frozen=True):
    """When a retraining is asked for; durations in ns of event time.

    Attributes
    ----------
    name
        Part of the trigger's id.
    when
        Alerts that ask for it.
    min_labels
        Labelled predictions since the change that must be there.
    cooldown
        Time between two triggers of this policy.
    expires
        How long a trigger is worth acting on.
    dry_run
        Whether its triggers are marked as not to be acted on.
    """

    name: str
    when: tuple[Asked, ...]
    min_labels: int
    cooldown: int
    expires: int
    dry_run: bool

    @classmethod
    def of_settings(cls, retrain: Retrain) -> Self:
        """Return the policy that the configuration asks for."""
        return cls(
            name=retrain.name,
            when=tuple(Asked.of_text(text) for text in retrain.when),
            min_labels=retrain.min_labels,
            cooldown=retrain.cooldown,
            expires=retrain.expires,
            dry_run=retrain.dry_run,
        )

    def asks_for_kind(self, kind: Kind) -> bool:
        """Whether alerts of that kind ask for a retraining, in whichever direction."""
        return any(asked.kind is kind for asked in self.when)

    def asks_for(self, cause: Cause) -> bool:
        """Whether a firing alert asks for a retraining."""
        kind, direction = cause.identity.kind, cause.trouble.latest.direction
        return any(asked.kind is kind and asked.direction in {None, direction} for asked in self.when)


class RetrainState(msgspec.Struct, frozen=True):
    """What a policy remembers: the last incident it sent a trigger for, and when, in ns of event time."""

    incident: int = 0
    triggered_at: int | None = None


class Considered(msgspec.Struct, frozen=True):
    """What the retrain policies last looked at; nothing new in it, nothing new to decide."""

    version: str
    at: int
    labelled: int


class Cause(msgspec.Struct, frozen=True):
    """A firing alert and what it is about."""

    identity: Identity
    trouble: Trouble


class Occasion(NamedTuple):
    """What a policy looks at when it is considered.

    Attributes
    ----------
    source
        Who we are.
    model, version
        What would be retrained.
    at
        Event time in ns since the epoch.
    labelled
        Labelled predictions of that version so far.
    incident
        The number of the open incident.
    firing
        The alerts of that version that fire.
    """

    source: str
    model: str
    version: str
    at: int
    labelled: int
    incident: int
    firing: tuple[Cause, ...]


class Trigger(msgspec.Struct, frozen=True):
    """A request to retrain.

    Attributes
    ----------
    id
        The same for the same source, model, policy and incident, whatever happened in between.
    source, model, version, policy, incident
        Who asks, what is to be retrained, and because of what.
    at
        Event time of the decision, ns since the epoch; so are the other times.
    causes
        The alerts that asked, in the order in which their trouble began; at most `MOST_CAUSES`.
    baseline
        The baseline that the first of them was held against.
    start, end, labelled
        Suggested training window: from the first change until now, and the labelled predictions since that change.
    cooldown_until, expires_at
        No other trigger of this policy before; not worth acting on after.
    dry_run
        Nobody should act on it.
    """

    id: str
    source: str
    model: str
    version: str
    policy: str
    incident: int
    at: int
    causes: tuple[Cause, ...]
    baseline: str
    start: int
    end: int
    labelled: int
    cooldown_until: int
    expires_at: int
    dry_run: bool


class Consideration(NamedTuple):
    """What came of considering a policy."""

    state: RetrainState
    reason: RetrainReason
    trigger: Trigger | None = None


def consider(policy: RetrainPolicy, state: RetrainState, occasion: Occasion) -> Consideration:
    """Decide whether to ask for a retraining now."""
    causes = sorted(
        (cause for cause in occasion.firing if policy.asks_for(cause)),
        key=lambda cause: (cause.trouble.since, cause.identity),
    )
    refusal = _refusal(policy, state, occasion, causes)
    if refusal is not None:
        return Consideration(state, refusal)
    trigger = _trigger(policy, occasion, causes)
    return Consideration(RetrainState(occasion.incident, occasion.at), RetrainReason.TRIGGERED, trigger)


def _refusal(
    policy: RetrainPolicy, state: RetrainState, occasion: Occasion, causes: list[Cause]
) -> RetrainReason | None:
    """Return the first thing that speaks against it; None when nothing does."""
    kinds = {cause.identity.kind for cause in occasion.firing}
    broken = Kind.SCHEMA in kinds and not policy.asks_for_kind(Kind.SCHEMA)
    since_last = math.inf if state.triggered_at is None else occasion.at - state.triggered_at
    labels = occasion.labelled - causes[0].trouble.labelled if causes else 0
    objections = (
        (not kinds, RetrainReason.NO_INCIDENT),
        (state.incident == occasion.incident, RetrainReason.ALREADY_TRIGGERED),
        (not any(policy.asks_for_kind(kind) for kind in kinds), RetrainReason.KIND_NOT_ASKED),
        (not causes, RetrainReason.DIRECTION_NOT_ASKED),
        (broken, RetrainReason.SCHEMA_BROKEN),
        (since_last < policy.cooldown, RetrainReason.COOLING_DOWN),
        (labels < policy.min_labels, RetrainReason.TOO_FEW_LABELS),
    )
    return next((reason for holds, reason in objections if holds), None)


def _trigger(policy: RetrainPolicy, occasion: Occasion, causes: list[Cause]) -> Trigger:
    first = causes[0].trouble
    return Trigger(
        id=trigger_id(occasion.source, occasion.model, policy.name, occasion.incident),
        source=occasion.source,
        model=occasion.model,
        version=occasion.version,
        policy=policy.name,
        incident=occasion.incident,
        at=occasion.at,
        causes=tuple(causes[:MOST_CAUSES]),
        baseline=first.latest.baseline,
        start=first.since,
        end=occasion.at,
        labelled=occasion.labelled - first.labelled,
        cooldown_until=occasion.at + policy.cooldown,
        expires_at=occasion.at + policy.expires,
        dry_run=policy.dry_run,
    )
