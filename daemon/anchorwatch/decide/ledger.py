"""The incidents of one model while evidence is worked through: who belongs to which, and what is told of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from anchorwatch.decide.incident_notice import IncidentNotice
from anchorwatch.decide.incidents import Change, Incident, Incidents, Telling, Told
from anchorwatch.decide.labels import labels_of_alert
from anchorwatch.decide.notices import Status
from anchorwatch.decide.ranking import Child, carried, features, ranked, weight
from anchorwatch.decide.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from anchorwatch.decide.alerts import AlertState, Step
    from anchorwatch.decide.evidence import Evidence, Identity
    from anchorwatch.decide.incident_policy import IncidentPolicy
    from anchorwatch.decide.notices import Notice
    from anchorwatch.decide.orders import Standing

MOST_GONE: Final = 50
"""So many resolved alerts of an incident are remembered, those that weigh most."""
MOST_CHILDREN: Final = 50
"""So many alerts are listed in a message, the worst: it has a limit, a model with 10,000 segments none."""
NEVER: Final = 2**63 - 1
_GOES_ON: Final = {Reason.EVIDENCE_UPDATED, Reason.REPEATED, Reason.SILENCED, Reason.ACKNOWLEDGED}
"""Steps of an alert that was firing, in which trouble goes on."""
_ENDS: Final = {Reason.SUPERSEDED: Telling.SUPERSEDED, Reason.RETRAINED: Telling.RETRAINED}


class Ledger:
    """Keeps the incidents of a model.

    Parameters
    ----------
    model, policy
        Whose they are, and what they are made by.
    incidents
        Those there are so far.
    alerts
        The alerts of the model; its owner goes on changing it.
    """

    def __init__(
        self, model: str, policy: IncidentPolicy, incidents: Incidents, alerts: Mapping[Identity, AlertState]
    ) -> None:
        self.incidents = incidents
        self.notices: list[IncidentNotice] = []
        self._model, self._policy, self._alerts = model, policy, alerts
        self._due = self._next()

    def joining(self, evidence: Evidence, alert: AlertState | None) -> int:
        """Return the number of the incident that an alert would belong to, should it fire on this evidence."""
        since = evidence.at if evidence.verdict.since is None else int(evidence.verdict.since)
        if alert is not None and alert.pending is not None:
            since = min(since, alert.pending.since)
        return self.incidents.joining(self._policy, evidence.identity, since)

    def come_to(self, at: int) -> None:
        """Let event time come to `at`: tell what was due before."""
        while self._due < at:
            now = self._due
            for incident in self.incidents.open:
                if incident.due(self._policy) == now:
                    self._settle(incident, now)
            self._due = self._next()

    def follow(self, notice: Notice) -> tuple[Change | None, Telling | None]:
        """Take note of an alert that fired or resolved: what it did to its incident, and what of that is told."""
        if notice.reason is Reason.SILENCE_ENDED:
            self._hear(notice)
            return None, None
        who = notice.identity
        child = Child(who, notice.severity, notice.started_at, notice.ended_at, notice.trouble)
        incident = self.incidents.get(notice.incident)
        if notice.status is Status.FIRING:
            change = Change.OPENED if incident is None else Change.JOINED
            incident = incident or _fresh(notice)
            incident = (incident if notice.silenced else incident.heard(notice.at)).joined(self._policy, child)
            incident = incident.hushed() if notice.silenced else incident
        elif incident is None:
            raise RuntimeError(f"the alert {who} resolved in incident {notice.incident}, which is not open")
        else:
            incident = self._without(incident, child)
            change = Change.LEFT if incident.firing else Change.CLOSED
        if change is Change.CLOSED:
            telling = _ENDS.get(notice.reason, Telling.RESOLVED)
            if incident.told is None:
                incident = self._tell(incident, Telling.OPENED, notice.at)
            incident = self._tell(incident, telling, notice.at)
        else:
            telling = incident.news() if change is not Change.LEFT else Telling.NOTHING_NEW
        self.incidents = self.incidents.put(incident)
        self._due = self._next()
        due = incident.due(self._policy)
        late = telling is not Telling.NOTHING_NEW and incident.firing and due is not None and due > notice.at
        return change, Telling.TOO_SOON if late else telling

    def goes_on(self, step: Step, standing: Standing) -> Telling | None:
        """Take note of an alert in which trouble goes on: whether its incident is told again, None for not due."""
        state = step.state
        if state is None or state.episode is None or step.reason not in _GOES_ON:
            return None
        incident, at = self.incidents.get(state.episode.incident), state.seen.at
        if incident is None or not incident.repeats(self._policy, at):
            return None
        if standing.knows(incident.number):
            return Telling.ACKNOWLEDGED
        if standing.silenced(labels_of_alert(state.identity, state.episode.severity), at):
            return Telling.SILENCED
        self.incidents = self.incidents.put(msgspec.structs.replace(incident, repeat_at=at))
        self._due = self._next()
        return Telling.REPEATED

    def _hear(self, notice: Notice) -> None:
        """Take note that people are told of an alert whose silence has ended."""
        incident = self.incidents.get(notice.incident)
        if incident is not None:
            self.incidents = self.incidents.put(incident.heard(notice.at))
            self._due = self._next()

    def _next(self) -> int:
        due = (incident.due(self._policy) for incident in self.incidents.open)
        return min((at for at in due if at is not None), default=NEVER)

    def _settle(self, incident: Incident, now: int) -> None:
        """Tell what is due of an incident now, more severe where it has lasted for long."""
        after = self._policy.escalate_after
        if after is not None and now >= incident.opened_at + after:
            incident = incident.louder(self._policy, Telling.LASTS_LONG)
        self.incidents = self.incidents.put(self._tell(incident, incident.news(), now))

    def _without(self, incident: Incident, child: Child) -> Incident:
        others = [gone for gone in incident.gone if gone.identity != child.identity]
        if len(others) >= MOST_GONE:
            lightest = min((*others, child), key=lambda c: weight(c, self._policy.importance))
            others = [gone for gone in (*others, child) if gone is not lightest]
        else:
            others.append(child)
        return msgspec.structs.replace(incident, firing=incident.firing - 1, gone=tuple(others))

    def _tell(self, incident: Incident, reason: Telling, at: int) -> Incident:
        """Tell people of an incident; return it with what they know now."""
        importance = self._policy.importance
        firing = [
            Child(identity, alert.episode.severity, alert.episode.started_at, None, alert.episode.trouble)
            for identity, alert in self._alerts.items()
            if alert.episode is not None and alert.episode.incident == incident.number
        ]
        active = {child.identity for child in firing}
        gone = [child for child in incident.gone if child.identity not in active]
        everyone = [*firing, *gone]
        children = [*ranked(firing, importance), *ranked(gone, importance)]
        status = _status(reason)
        self.notices.append(
            IncidentNotice(
                at=at,
                status=status,
                reason=reason,
                model=self._model,
                version=incident.version,
                incident=incident.number,
                severity=incident.severity,
                number=incident.notices + 1,
                opened_at=incident.opened_at,
                ended_at=at if status == "resolved" else None,
                since=incident.since,
                firing=incident.firing,
                alerts=incident.alerts,
                joined=tuple(
                    kind for kind in incident.kinds if incident.told is None or kind not in incident.told.kinds
                ),
                drifted=len(incident.features),
                watched=max(self._policy.features, len(incident.features)),
                features=tuple(features(everyone, importance)[:MOST_CHILDREN]),
                segments=tuple(carried(firing or everyone)[:MOST_CHILDREN]),
                children=tuple(children[:MOST_CHILDREN]),
                silenced=incident.unheard,
            )
        )
        told = Told(at, incident.severity, incident.kinds, len(incident.features))
        return msgspec.structs.replace(incident, notices=incident.notices + 1, told=told, repeat_at=None)


def _fresh(notice: Notice) -> Incident:
    return Incident(
        number=notice.incident,
        version=notice.identity.version,
        opened_at=notice.at,
        joined_at=notice.at,
        since=notice.trouble.since,
        until=notice.trouble.since,
        severity=notice.severity,
        unheard=notice.silenced,
    )


def _status(reason: Telling) -> str:
    """Return what a message says: opened, updated or resolved."""
    if reason is Telling.OPENED:
        return "opened"
    return "resolved" if reason in {Telling.RESOLVED, *_ENDS.values()} else "updated"
