"""From evidence to what is told: alerts, the incident they share, and the retraining they ask for.

`decide` is pure: the same rules, state and evidence give the same state and outcome, however the evidence was cut into
calls.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import msgspec

from anchorwatch.decide import alerts as life
from anchorwatch.decide.alerts import AlertState, Situation
from anchorwatch.decide.evidence import Identity
from anchorwatch.decide.findings import is_trouble
from anchorwatch.decide.hushing import ended, hushed, open_incidents, unfit
from anchorwatch.decide.incidents import Incidents
from anchorwatch.decide.inhibition import Causes
from anchorwatch.decide.ledger import Ledger
from anchorwatch.decide.orders import Standing
from anchorwatch.decide.outcome import Decided, Outcome
from anchorwatch.decide.reasons import Reason
from anchorwatch.decide.retrain import Considered, RetrainState
from anchorwatch.decide.retrain_desk import Knowledge, RetrainDesk
from anchorwatch.decide.retraining import Retraining

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anchorwatch.decide.evidence import Evidence
    from anchorwatch.decide.incidents import Change, Telling
    from anchorwatch.decide.notices import Notice
    from anchorwatch.decide.recovery import Estimator
    from anchorwatch.decide.retraining import StatusReport
    from anchorwatch.decide.rules import Rules


class Decisions(msgspec.Struct, frozen=True):
    """What is remembered of the decisions about one model. Treat as a value: it is never changed in place.

    Attributes
    ----------
    alerts
        Alerts that have something to remember; all others are inactive.
    episodes
        How many times alerts of the model have fired, ever. Ids are made of it, so that an alert that was forgotten
        and fires again cannot repeat one.
    incidents
        How many there were, and those that are open.
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
    retrainings
        Those that were asked for, the newest last.
    fresh_since
        When a version last took over, ns; None for never.
    """

    alerts: dict[Identity, AlertState] = {}
    episodes: int = 0
    incidents: Incidents = Incidents()
    retrain: dict[str, RetrainState] = {}
    considered: Considered | None = None
    replaced: tuple[str, ...] = ()
    reached: int = -(2**63)
    standing: Standing = Standing()
    retrainings: tuple[Retraining, ...] = ()
    fresh_since: int | None = None

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
    incidents: Incidents
    retrain: dict[str, RetrainState]
    considered: Considered | None
    replaced: tuple[str, ...]
    reached: int
    standing: Standing = Standing()
    retrainings: tuple[Retraining, ...] = ()
    fresh_since: int | None = None


def decide(
    rules: Rules,
    state: Decisions,
    evidence: Sequence[Evidence],
    estimator: Estimator | None = None,
    data: tuple[tuple[str, str], ...] = (),
) -> tuple[Decisions, Outcome]:
    """Take evidence about one model, in order of event time, into its decisions.

    Parameters
    ----------
    rules, state, evidence
        The model's.
    estimator
        Tells what a retraining would recover; asked only where everything else speaks for a trigger.
    data
        Fingerprints of the data that baselines were made of, by the baseline's id.
    """
    desk = _Desk(rules, state, Knowledge(estimator, data))
    for each in evidence:
        desk.take(each)
    return desk.result()


def report(rules: Rules, state: Decisions, status: StatusReport) -> tuple[Decisions, Outcome]:
    """Take what is reported of a retraining; without a new version, its success ends the old one's alerts at once."""
    desk = _Desk(rules, state)
    desk.report(status)
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
    desk.end_all(version, at, by)
    if by is not None:
        desk.replaced_by(version, by)
    return desk.result()


def settle(rules: Rules, state: Decisions, at: int) -> tuple[Decisions, Outcome]:
    """Let event time come to `at` without evidence: incidents that were to be told before are told.

    All evidence from before `at` has been decided on; so it does not matter how often this is called.
    """
    desk = _Desk(rules, state)
    desk.come_to(at)
    return desk.result()


class _Desk:
    """The state of one model while evidence is worked through."""

    def __init__(self, rules: Rules, state: Decisions, knowledge: Knowledge | None = None) -> None:
        self._rules = rules
        self._alerts = dict(state.alerts)
        self._episodes = state.episodes
        self._ledger = Ledger(rules.model, rules.incidents, state.incidents, self._alerts)
        self._causes = Causes(self._alerts)
        self._retrain = RetrainDesk(rules, state, knowledge or Knowledge())
        self._reached = state.reached
        self._standing = state.standing
        self._replaced = frozenset(state.replaced)
        self._notices: list[Notice] = []
        self._decided: list[Decided] = []

    def take(self, evidence: Evidence) -> None:
        if evidence.at < self._reached:
            evidence = msgspec.structs.replace(evidence, at=self._reached)
        self._reach(evidence.at)
        identity = evidence.identity
        if identity.version in self._replaced:
            self._decided.append(Decided(evidence.at, identity, Reason.SUPERSEDED))
            return
        known = self._alerts.get(identity)
        if known is None and not is_trouble(evidence):
            decided = Decided(evidence.at, identity, life.calm(evidence.verdict.level))
        else:
            decided = self._advance(evidence, self._situation(evidence, known))
        begins = decided.reason in {Reason.FIRED, Reason.FLAPPING, Reason.SILENCED}
        self._retrain.hushed = unfit(self._alerts, self._standing, evidence.at)
        retrain = self._retrain.ask(evidence, self._ledger.incidents, self._alerts, begins=begins)
        self._decided.append(decided._replace(retrain=retrain) if retrain else decided)
        self._follow(changed=decided.change is not None)

    def come_to(self, at: int) -> None:
        self._ledger.come_to(at)

    def _reach(self, at: int) -> None:
        self._reached = max(self._reached, at)
        self._ledger.come_to(self._reached)

    def report(self, status: StatusReport) -> None:
        self._reach(status.at)
        done = self._retrain.take(status, self._reached)
        if done is not None and not done.armed:
            self.end_all(done.version, self._reached, done.becomes)
            self._retrain.serves(done.becomes, self._reached)
        self._follow(changed=True)

    def end_all(self, version: str, at: int, by: str | None) -> None:
        """End the alerts of a version, because another took over, or because a retraining that brought none ended."""
        self._reach(at)
        retrained = by is not None and (by in {"", version} or self._retrain.retrained(by, self._reached))
        reason = Reason.RETRAINED if retrained else Reason.SUPERSEDED
        for identity in sorted(identity for identity in self._alerts if identity.version == version):
            alert = self._alerts.pop(identity)
            notice = ended(life.supersede(alert, self._reached, reason), alert.episode)
            self._causes.note(identity, None)
            change, telling = self._tell(notice)
            self._decided.append(Decided(self._reached, identity, reason, change, telling=telling))

    def replaced_by(self, version: str, by: str) -> None:
        """Let evidence of a version count for nothing, because another took over."""
        if version not in self._replaced or self._retrain.retrained(by, self._reached):
            self._retrain.serves(by, self._reached)
        self._replaced = (self._replaced | {version}) - {by}

    def _situation(self, evidence: Evidence, alert: AlertState | None) -> Situation:
        return Situation(
            episode=self._episodes + 1,
            incident=self._ledger.joining(evidence, alert),
            inhibited=self._causes.explain(evidence.identity),
        )

    def _advance(self, evidence: Evidence, situation: Situation) -> Decided:
        """Take evidence into its alert; return the step that took and what that did to the incident."""
        identity = evidence.identity
        known = self._alerts.get(identity)
        step = life.advance(self._rules.alerts[identity.kind], known, evidence, situation)
        step = hushed(step, known, self._standing, evidence.at)
        if step.state is not None:
            self._alerts[identity] = step.state
        else:
            self._alerts.pop(identity, None)
        self._causes.note(identity, step.state)
        change, telling = self._tell(step.notice)
        telling = telling or self._ledger.goes_on(step, self._standing)
        return Decided(evidence.at, identity, step.reason, change, telling=telling)

    def _follow(self, *, changed: bool) -> None:
        """Look after retrainings that nobody acknowledged, or that failed."""
        found = self._retrain.follow(self._alerts, self._reached, self._replaced, changed=changed)
        for evidence, incident in found:
            self._advance(evidence, Situation(self._episodes + 1, incident))

    def result(self) -> tuple[Decisions, Outcome]:
        retrain = self._retrain
        decisions = Decisions(
            alerts=self._alerts,
            episodes=self._episodes,
            incidents=self._ledger.incidents,
            retrain=retrain.states,
            considered=retrain.considered,
            replaced=tuple(sorted(self._replaced)),
            reached=self._reached,
            standing=self._standing.current(self._reached, open_incidents(self._alerts)),
            retrainings=retrain.retrainings,
            fresh_since=retrain.fresh_since,
        )
        return decisions, Outcome(
            tuple(self._notices),
            tuple(retrain.triggers),
            tuple(self._decided),
            tuple(self._ledger.notices),
            *retrain.told,
        )

    def _tell(self, notice: Notice | None) -> tuple[Change | None, Telling | None]:
        """Note what is told, and what it does to the incident."""
        if notice is None:
            return None, None
        self._notices.append(notice)
        if notice.reason is Reason.REPEATED:
            return None, None
        self._episodes = max(self._episodes, notice.episode)
        return self._ledger.follow(notice)
