"""From evidence to what is told: alerts, the incident they share, and the retraining they ask for.

`decide` is pure: the same rules, state and evidence give the same state and outcome, however the evidence was cut into
calls.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

import msgspec

from anchorwatch.decide import alerts as life
from anchorwatch.decide.alerts import AlertPolicy, AlertState, Situation
from anchorwatch.decide.evidence import Identity, Kind
from anchorwatch.decide.findings import is_trouble
from anchorwatch.decide.hushing import ended, hushed, open_incidents, unfit
from anchorwatch.decide.incidents import Incident
from anchorwatch.decide.inhibition import inhibited
from anchorwatch.decide.orders import Standing
from anchorwatch.decide.outcome import Decided, Outcome
from anchorwatch.decide.reasons import Reason
from anchorwatch.decide.retrain import (
    Cause,
    Considered,
    Occasion,
    RetrainPolicy,
    RetrainReason,
    RetrainState,
    consider,
)
from anchorwatch.settings.monitors import Alerting

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anchorwatch.decide.evidence import Evidence
    from anchorwatch.decide.incidents import Change
    from anchorwatch.decide.notices import Notice
    from anchorwatch.decide.retrain import Trigger
    from anchorwatch.settings.models import Model


class Rules(msgspec.Struct, frozen=True):
    """Everything the decisions about one model go by.

    Attributes
    ----------
    source
        Who we are, in every id.
    model
        Whose rules they are.
    alerts
        A policy for each kind of trouble.
    retrain
        Retrain policies, by different names.
    """

    source: str
    model: str
    alerts: dict[Kind, AlertPolicy]
    retrain: tuple[RetrainPolicy, ...] = ()


def rules_of(source: str, name: str, model: Model) -> Rules:
    """Return the rules that the configuration of a model asks for."""
    monitors = model.monitors
    alerting = {
        Kind.SCHEMA: monitors.schema_.alert,
        Kind.QUALITY: monitors.quality.alert,
        Kind.DRIFT: monitors.drift.alert,
        Kind.PREDICTION: monitors.prediction.alert,
        Kind.ACCURACY: monitors.accuracy.alert,
        Kind.LATENCY: monitors.latency.alert,
        Kind.VOLUME: monitors.volume.alert,
        Kind.LABELS: monitors.labels.alert,
        Kind.COMPARISON: Alerting() if model.compare is None else model.compare.alert,
    }
    return Rules(
        source=source,
        model=name,
        alerts={kind: AlertPolicy.of_settings(alert) for kind, alert in alerting.items()},
        retrain=tuple(RetrainPolicy.of_settings(retrain) for retrain in model.retrain),
    )


class Decisions(msgspec.Struct, frozen=True):
    """What is remembered of the decisions about one model. Treat as a value: it is never changed in place.

    Attributes
    ----------
    alerts
        Alerts that have something to remember; all others are inactive.
    episodes
        How many times alerts of the model have fired, ever. Ids are made of it, so that an alert that was forgotten
        and fires again cannot repeat one.
    incident
        The present incident, or the last.
    retrain
        What each retrain policy remembers, by name.
    considered
        What those policies last looked at.
    replaced
        Versions that another took over from, sorted: what is found of them no longer matters.
    reached
        Event time reached, ns since the epoch. Evidence from before it counts as of it: time never goes back.
    standing
        Silences and acknowledgements in force.
    """

    alerts: dict[Identity, AlertState] = {}
    episodes: int = 0
    incident: Incident = Incident()
    retrain: dict[str, RetrainState] = {}
    considered: Considered | None = None
    replaced: tuple[str, ...] = ()
    reached: int = -(2**63)
    standing: Standing = Standing()

    def to_plain(self) -> dict[str, Any]:
        """Return the state as numbers, text, lists and dicts; equal states give equal plain data."""
        alerts = [self.alerts[identity] for identity in sorted(self.alerts)]
        ordered = {"alerts": alerts, "retrain": dict(sorted(self.retrain.items()))}
        plain: dict[str, Any] = msgspec.to_builtins(msgspec.structs.asdict(self) | ordered)
        return plain

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Self:
        """Return the state that `to_plain` described; raises msgspec.ValidationError if it is not one."""
        stored = msgspec.convert(plain, _Stored)
        alerts = {alert.identity: alert for alert in stored.alerts}
        return cls(**(msgspec.structs.asdict(stored) | {"alerts": alerts}))


class _Stored(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`Decisions` with alerts in a list: an identity cannot be a key in plain data."""

    alerts: tuple[AlertState, ...]
    episodes: int
    incident: Incident
    retrain: dict[str, RetrainState]
    considered: Considered | None
    replaced: tuple[str, ...]
    reached: int
    standing: Standing = Standing()


def decide(rules: Rules, state: Decisions, evidence: Sequence[Evidence]) -> tuple[Decisions, Outcome]:
    """Take evidence about one model, in order of event time, into its decisions."""
    desk = _Desk(rules, state)
    for each in evidence:
        desk.take(each)
    return desk.result()


def supersede(
    rules: Rules, state: Decisions, version: str, at: int, by: str | None = None
) -> tuple[Decisions, Outcome]:
    """End all alerts of a version that another has replaced, and forget them.

    Parameters
    ----------
    rules, state, version
        The model's, and the version that was replaced.
    at
        Event time in ns at which the other took over.
    by
        The version that took over. Evidence of `version` then counts for nothing, its late labels among it, until it
        takes over again itself. None: evidence of `version` goes on to count.
    """
    desk = _Desk(rules, state)
    for identity in sorted(state.alerts):
        if identity.version == version:
            desk.end(identity, at)
    if by is not None:
        desk.replaced = (desk.replaced | {version}) - {by}
    return desk.result()


class _Desk:
    """The state of one model while evidence is worked through."""

    def __init__(self, rules: Rules, state: Decisions) -> None:
        self._rules = rules
        self._alerts = dict(state.alerts)
        self._episodes = state.episodes
        self._incident = state.incident
        self._retrain = dict(state.retrain)
        self._considered = state.considered
        self._reached = state.reached
        self._standing = state.standing
        self.replaced = frozenset(state.replaced)
        self._notices: list[Notice] = []
        self._triggers: list[Trigger] = []
        self._decided: list[Decided] = []

    def take(self, evidence: Evidence) -> None:
        if evidence.at < self._reached:
            evidence = replace(evidence, at=self._reached)
        self._reached = evidence.at
        identity = evidence.identity
        if identity.version in self.replaced:
            self._decided.append(Decided(evidence.at, identity, Reason.SUPERSEDED))
            return
        situation = Situation(
            episode=self._episodes + 1,
            incident=self._incident.joining,
            inhibited=is_trouble(evidence) and inhibited(identity, self._alerts.values()),
        )
        known = self._alerts.get(identity)
        step = life.advance(self._rules.alerts[identity.kind], known, evidence, situation)
        fired = step.reason is Reason.FIRED
        step = hushed(step, known, self._standing, evidence.at)
        if step.state is not None:
            self._alerts[identity] = step.state
        else:
            self._alerts.pop(identity, None)
        change = self._tell(step.notice)
        retrain = self._ask(evidence, fired=fired)
        self._decided.append(Decided(evidence.at, identity, step.reason, change, retrain))

    def end(self, identity: Identity, at: int) -> None:
        self._reached = max(self._reached, at)
        alert = self._alerts.pop(identity)
        notice = life.supersede(alert, self._reached)
        notice = None if notice is None else ended(notice, alert.episode)
        self._decided.append(Decided(self._reached, identity, Reason.SUPERSEDED, self._tell(notice)))

    def result(self) -> tuple[Decisions, Outcome]:
        decisions = Decisions(
            alerts=self._alerts,
            episodes=self._episodes,
            incident=self._incident,
            retrain=self._retrain,
            considered=self._considered,
            replaced=tuple(sorted(self.replaced)),
            reached=self._reached,
            standing=self._standing.current(self._reached, open_incidents(self._alerts)),
        )
        return decisions, Outcome(tuple(self._notices), tuple(self._triggers), tuple(self._decided))

    def _tell(self, notice: Notice | None) -> Change | None:
        """Note what is told, and what it does to the incident."""
        if notice is None:
            return None
        self._notices.append(notice)
        if notice.reason in {Reason.REPEATED, Reason.SILENCE_ENDED}:
            return None
        if notice.reason is Reason.FIRED:
            self._episodes = notice.episode
            self._incident, change = self._incident.joined(notice.at)
        else:
            self._incident, change = self._incident.left()
        return change

    def _ask(self, evidence: Evidence, *, fired: bool) -> tuple[tuple[str, RetrainReason], ...]:
        """Consider the retrain policies, if there is anything new for them."""
        looked_at = Considered(evidence.identity.version, evidence.at, evidence.labelled)
        if not self._incident.open or (looked_at == self._considered and not fired):
            return ()
        self._considered = looked_at
        occasion = self._occasion(evidence)
        reasons = []
        for policy in self._rules.retrain:
            considered = consider(policy, self._retrain.get(policy.name, RetrainState()), occasion)
            unheard = considered.reason is RetrainReason.NO_INCIDENT and bool(
                unfit(self._alerts, self._standing, evidence.at)
            )
            reasons.append((policy.name, RetrainReason.SILENCED if unheard else considered.reason))
            if considered.trigger is not None:
                self._retrain[policy.name] = considered.state
                self._triggers.append(considered.trigger)
        return tuple(reasons)

    def _occasion(self, evidence: Evidence) -> Occasion:
        version, hushed_too = evidence.identity.version, unfit(self._alerts, self._standing, evidence.at)
        return Occasion(
            source=self._rules.source,
            model=self._rules.model,
            version=version,
            at=evidence.at,
            labelled=evidence.labelled,
            incident=self._incident.number,
            firing=tuple(
                Cause(identity, alert.episode.trouble)
                for identity, alert in self._alerts.items()
                if alert.episode is not None and identity.version == version and identity not in hushed_too
            ),
        )
