"""The retrain policies of one model while evidence is worked through, and what became of their triggers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from anchorwatch.decide import stages, unanswered
from anchorwatch.decide.evidence import Kind
from anchorwatch.decide.retrain import Considered, RetrainReason, RetrainState, consider
from anchorwatch.decide.retraining import Progress, Reported, Retraining, StatusReason, followed, remembered, served
from anchorwatch.decide.triggers import Cause, Occasion

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from anchorwatch.decide.alerts import AlertState
    from anchorwatch.decide.decision import Decisions
    from anchorwatch.decide.evidence import Evidence, Identity
    from anchorwatch.decide.incidents import Incidents
    from anchorwatch.decide.recovery import Estimator
    from anchorwatch.decide.retrain_policy import RetrainPolicy
    from anchorwatch.decide.retraining import StatusReport
    from anchorwatch.decide.rules import Rules
    from anchorwatch.decide.stages import Stage
    from anchorwatch.decide.triggers import Trigger


NEVER_LOOKED: Final = -(2**63)
"""When something is due for whoever has not looked yet."""


class Again(NamedTuple):
    """A trigger that is published once more, and the how-manieth time that is."""

    trigger: Trigger
    number: int


class Knowledge(NamedTuple):
    """What the engine knows beside the evidence.

    Attributes
    ----------
    estimator
        Tells what a retraining would recover; None where nobody does.
    data
        Fingerprints of the data by the id of the baseline that was made of it.
    """

    estimator: Estimator | None = None
    data: tuple[tuple[str, str], ...] = ()


class RetrainDesk:
    """What the retrain policies of a model remember, and what came of them so far.

    Parameters
    ----------
    rules, state, knowledge
        The model's.

    Attributes
    ----------
    hushed
        Alerts that fire and, silenced, ask for no retraining.
    """

    def __init__(self, rules: Rules, state: Decisions, knowledge: Knowledge) -> None:
        self._rules, self._knowledge = rules, knowledge
        self.states = dict(state.retrain)
        self.considered = state.considered
        self.retrainings = state.retrainings
        self.fresh_since = state.fresh_since
        self.triggers: list[Trigger] = []
        self.again: list[Again] = []
        self.reported: list[Reported] = []
        self.stages: list[Stage] = []
        self._due = NEVER_LOOKED
        self.hushed: Collection[Identity] = ()
        self._told = any(identity.kind is Kind.RETRAIN for identity in state.alerts)

    @property
    def told(self) -> tuple[tuple[Again, ...], tuple[Reported, ...], tuple[Stage, ...]]:
        """Return what was published again, what became of reports, and how far retrainings have come."""
        return tuple(self.again), tuple(self.reported), tuple(self.stages)

    def ask(
        self, evidence: Evidence, incidents: Incidents, alerts: Mapping[Identity, AlertState], *, begins: bool
    ) -> tuple[tuple[str, RetrainReason], ...]:
        """Consider the policies for each open incident of a version, if there is anything new for them."""
        if not (incidents.open and self._rules.retrain):
            return ()
        looked_at = Considered(evidence.identity.version, evidence.at, evidence.labelled)
        if looked_at == self.considered and not begins:
            return ()
        self.considered = looked_at
        numbers = [incident.number for incident in incidents.of_version(evidence.identity.version)]
        reasons = []
        for number in numbers or [incidents.number]:
            for policy in self._rules.retrain:
                occasion = self._occasion(evidence, number, incidents, alerts)
                reasons.append((policy.name, self._consider(policy, occasion)))
        return tuple(reasons)

    def _consider(self, policy: RetrainPolicy, occasion: Occasion) -> RetrainReason:
        found = consider(policy, self.states.get(policy.name, RetrainState()), occasion)
        if found.state != RetrainState():
            self.states[policy.name] = found.state
        if found.trigger is not None:
            self.triggers.append(found.trigger)
            if not policy.dry_run:
                asked = Retraining.of_trigger(found.trigger, again=policy.again)
                self.retrainings = remembered(self.retrainings, asked)
                self.stages.append(stages.requested(asked))
                self._due = NEVER_LOOKED
        unheard = found.reason is RetrainReason.NO_INCIDENT and bool(self.hushed)
        return RetrainReason.SILENCED if unheard else found.reason

    def take(self, report: StatusReport, at: int) -> Retraining | None:
        """Take a report that counts at an event time; return the retraining that ended well because of it."""
        before = self.retrainings
        self.retrainings, reason = followed(before, report, at)
        self.reported.append(Reported(at, report, reason))
        self._due = NEVER_LOOKED
        if reason is not StatusReason.ADVANCED:
            return None
        moved = next(new for old, new in zip(before, self.retrainings, strict=True) if new is not old)
        self.stages.append(stages.reported(moved, report))
        return moved if report.progress is Progress.SUCCEEDED else None

    def serves(self, version: str, at: int) -> None:
        """Take note that a version has taken over."""
        self.fresh_since = at
        before, self.retrainings = self.retrainings, served(self.retrainings, version, at)
        self.stages += stages.serving(before, self.retrainings)

    def retrained(self, version: str, at: int) -> bool:
        """Whether it is a retraining that brings a version which takes over at a time."""
        return any(r.becomes == version and (r.armed or r.served_at == at) for r in self.retrainings)

    def follow(
        self, alerts: Mapping[Identity, AlertState], at: int, replaced: frozenset[str], *, changed: bool
    ) -> Iterator[tuple[Evidence, int]]:
        """Publish again what nobody acknowledged, and yield the evidence about it, each with its incident.

        `changed` says whether an alert began or ended to fire; else there is nothing to do before something is due.
        """
        if not (self.retrainings or self._told) or (at < self._due and not changed):
            return
        policies = {policy.name: policy for policy in self._rules.retrain} if self._rules.answered else {}
        lasting = unanswered.lasting(self.retrainings, alerts)
        for retraining in lasting:
            policy = policies.get(retraining.policy)
            if policy is None or retraining.trigger is None or retraining.version in replaced:
                continue
            if at - retraining.published_at >= policy.acknowledge_within and at < retraining.trigger.expires_at:
                self._publish_again(retraining, at)
        self._due = unanswered.due(self.retrainings, policies, at)
        for told in unanswered.evidence_of(self._rules, lasting, alerts, at, replaced):
            self._told = True
            self.stages += stages.unanswered(lasting, *told)
            yield told

    def _publish_again(self, retraining: Retraining, at: int) -> None:
        if retraining.trigger is not None:
            number = retraining.published + 1
            self.again.append(Again(retraining.trigger, number))
            told = msgspec.structs.replace(retraining, published=number, published_at=at)
            self.retrainings = tuple(told if r is retraining else r for r in self.retrainings)

    def _occasion(
        self, evidence: Evidence, incident: int, incidents: Incidents, alerts: Mapping[Identity, AlertState]
    ) -> Occasion:
        version = evidence.identity.version
        underway = [r.requested_at for r in self.retrainings if r.underway] if self._rules.answered else []
        return Occasion(
            source=self._rules.source,
            model=self._rules.model,
            version=version,
            at=evidence.at,
            labelled=evidence.labelled,
            rows=evidence.rows,
            incident=incident,
            firing=tuple(
                Cause(identity, alert.episode.trouble, alert.episode.severity, alert.episode.started_at)
                for identity, alert in alerts.items()
                if alert.episode is not None
                and identity.version == version
                and alert.episode.incident == incident
                and identity.kind is not Kind.RETRAIN
                and identity not in self.hushed
            ),
            open=tuple(each.number for each in incidents.open),
            underway=tuple(underway),
            fresh_since=self.fresh_since,
            estimator=self._knowledge.estimator,
            made_with=self._rules.made_with,
            data=self._knowledge.data,
        )
