"""Incidents: the alerts of one model version that share a time and a cause, and when people are told of them.

An alert that fires belongs to the newest open incident of its version which it is close to in time: it began, as far as
can be told, no later than `together` after that incident's last alert fired. A broken column, another amount of traffic
and labels that do not come are causes of their own: their first alert belongs only to trouble that began no more than
`gather` before. Otherwise an alert opens an incident of its own, with the next number. One without a version belongs to
any version's.

Everything is told at the end of an instant of event time, when all that happened in it is known. An incident that
became louder is told at once; other news waits until `gather` after the last telling. Where trouble goes on and people
were told long ago, they are told again.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

import msgspec

from anchorwatch.decide.evidence import Identity, Kind
from anchorwatch.decide.inhibition import EXPLAINS
from anchorwatch.decide.ranking import Child, loudness

if TYPE_CHECKING:
    from anchorwatch.decide.incident_policy import IncidentPolicy


class Change(enum.StrEnum):
    """What an alert did to the incidents of its model.

    OPENED
        It fired and was close to no open incident: a new one, with the next number.
    JOINED
        It fired during an incident, of which it is a part.
    LEFT
        It resolved, others of its incident still fire.
    CLOSED
        It resolved as the last of its incident that fired: the incident is over.
    """

    OPENED = "opened"
    JOINED = "joined"
    LEFT = "left"
    CLOSED = "closed"


class Telling(enum.StrEnum):
    """Why an incident is told, or not; a closed set, fit for a metric's label.

    OPENED
        Its first alert fired.
    SEVERITY_ROSE
        An alert joined that is more severe than all before: told at once.
    LASTS_LONG
        It has been open for as long as `escalate.after` says, so it became more severe: told at once.
    SPREAD_FAR
        As many features drifted as `escalate.features` says, so it became more severe: told at once.
    KIND_JOINED
        An alert joined of a kind that was not told yet, such as accuracy after drift.
    FEATURES_DOUBLED
        At least twice as many features drifted as were told.
    REPEATED
        Nothing is new, trouble goes on, and people were told so long ago as `repeat` says: they are told again.
    ACKNOWLEDGED
        It would be repeated, but somebody is at work on it.
    SILENCED
        It would be repeated, but what goes on has been silenced.
    TOO_SOON
        There is something new, and people were told too short a time ago: it waits.
    NOTHING_NEW
        What changed is nothing that people must know now.
    RESOLVED
        The last of its alerts resolved.
    SUPERSEDED
        Another version took over, and with the last of its alerts it ended.
    RETRAINED
        A retraining succeeded, and with the last of the old alerts it ended.
    """

    OPENED = "opened"
    SEVERITY_ROSE = "severity_rose"
    LASTS_LONG = "lasts_long"
    SPREAD_FAR = "spread_far"
    KIND_JOINED = "kind_joined"
    FEATURES_DOUBLED = "features_doubled"
    REPEATED = "repeated"
    ACKNOWLEDGED = "acknowledged"
    SILENCED = "silenced"
    TOO_SOON = "too_soon"
    NOTHING_NEW = "nothing_new"
    RESOLVED = "resolved"
    SUPERSEDED = "superseded"
    RETRAINED = "retrained"


URGENT = frozenset({Telling.OPENED, Telling.SEVERITY_ROSE, Telling.LASTS_LONG, Telling.SPREAD_FAR})
"""What waits for nothing but the end of its instant."""


class Told(msgspec.Struct, frozen=True):
    """What people know of an incident: when they were told last, how severe, which kinds, how many features."""

    at: int
    severity: str
    kinds: tuple[Kind, ...]
    features: int


class Incident(msgspec.Struct, frozen=True):
    """One incident.

    Attributes
    ----------
    number
        Counts from 1 over all incidents of the model.
    version
        Of its alerts; "" until one has a version.
    opened_at, joined_at
        Event time in ns at which its first and its newest alert fired.
    since, until
        The earliest and the latest estimate of when any of its trouble began.
    severity
        That of its most severe alert so far, or what it was raised to; it never falls.
    kinds, features
        Kinds of alerts, and features that drifted, since it opened; sorted.
    firing, alerts
        How many of its alerts fire, and how many firings there were.
    gone
        Alerts that resolved, at most `MOST_GONE`.
    notices
        How many times it was told.
    told
        What was told last; None before the first time.
    raised
        Why it is more severe than its alerts; None where it is not.
    unheard
        Whether all its alerts were silenced when they fired: what is told of it is for the history alone.
    repeat_at
        Event time at whose end people are told again, because trouble goes on; None for not so far.
    """

    number: int
    version: str
    opened_at: int
    joined_at: int
    since: int
    until: int
    severity: str
    kinds: tuple[Kind, ...] = ()
    features: tuple[str, ...] = ()
    firing: int = 0
    alerts: int = 0
    gone: tuple[Child, ...] = ()
    notices: int = 0
    told: Told | None = None
    raised: Telling | None = None
    unheard: bool = False
    repeat_at: int | None = None

    def takes(self, policy: IncidentPolicy, identity: Identity, since: int) -> bool:
        """Whether an alert that fires now, of trouble that began at `since`, belongs to it."""
        another = identity.kind in EXPLAINS and identity.kind not in self.kinds
        last = self.until + policy.gather if another else self.joined_at + policy.together
        return since <= last and (self.version == identity.version or "" in {self.version, identity.version})

    def joined(self, policy: IncidentPolicy, child: Child) -> Incident:
        """Take in an alert that fired."""
        who, features = child.identity, self.features
        if who.kind is Kind.DRIFT and who.subject not in features:
            features = tuple(sorted((*features, who.subject)))
        rose = loudness(child.severity) > loudness(self.severity)
        grown = msgspec.structs.replace(
            self,
            version=self.version or who.version,
            joined_at=child.started_at,
            since=min(self.since, child.trouble.since),
            until=max(self.until, child.trouble.since),
            severity=child.severity if rose else self.severity,
            kinds=self.kinds if who.kind in self.kinds else tuple(sorted((*self.kinds, who.kind))),
            features=features,
            firing=self.firing + 1,
            alerts=self.alerts + 1,
            raised=None if rose else self.raised,
        )
        share = policy.escalate_features
        spread = share is not None and policy.features > 0 and len(features) >= share * policy.features
        return grown.louder(policy, Telling.SPREAD_FAR) if spread else grown

    def heard(self, at: int) -> Incident:
        """Return it as one that people are to hear of from an event time on, if they did not."""
        return msgspec.structs.replace(self, unheard=False, told=None, joined_at=at) if self.unheard else self

    def hushed(self) -> Incident:
        """Return it without news: what a silenced alert brought is told nobody."""
        if self.told is None or self.unheard:
            return self
        return msgspec.structs.replace(self, told=Told(self.told.at, self.severity, self.kinds, len(self.features)))

    def louder(self, policy: IncidentPolicy, why: Telling) -> Incident:
        """Return it as severe as the policy says, if it is less so."""
        if loudness(policy.escalate_to) <= loudness(self.severity):
            return self
        return msgspec.structs.replace(self, severity=policy.escalate_to, raised=why)

    def news(self) -> Telling:
        """Return the first thing that people must know and do not; NOTHING_NEW where there is none."""
        told = self.told
        if told is None:
            return Telling.OPENED
        if loudness(self.severity) > loudness(told.severity):
            return self.raised or Telling.SEVERITY_ROSE
        if set(self.kinds) - set(told.kinds):
            return Telling.KIND_JOINED
        if told.features and len(self.features) >= 2 * told.features:
            return Telling.FEATURES_DOUBLED
        return Telling.NOTHING_NEW if self.repeat_at is None else Telling.REPEATED

    def repeats(self, policy: IncidentPolicy, at: int) -> bool:
        """Whether people are to be told again, now that trouble goes on in it at an event time."""
        known = None if self.unheard or self.repeat_at is not None else self.told
        return known is not None and policy.repeat is not None and at - known.at >= policy.repeat

    def due(self, policy: IncidentPolicy) -> int | None:
        """Return the event time at whose end it is to be told, or becomes more severe; None for neither."""
        news = self.news()
        times = [] if self.repeat_at is None else [self.repeat_at]
        if news not in {Telling.NOTHING_NEW, Telling.REPEATED}:
            gathered = self.joined_at if self.told is None or news in URGENT else self.told.at + policy.gather
            times.append(max(self.joined_at, gathered))
        if policy.escalate_after is not None and loudness(self.severity) < loudness(policy.escalate_to):
            times.append(self.opened_at + policy.escalate_after)
        return min(times, default=None)


class Incidents(msgspec.Struct, frozen=True):
    """The incidents of a model: how many there were, and those that are open, by number."""

    number: int = 0
    open: tuple[Incident, ...] = ()

    def of_version(self, version: str) -> tuple[Incident, ...]:
        """Return the open incidents that a retraining of a version may be about."""
        return tuple(incident for incident in self.open if incident.version in {"", version})

    def joining(self, policy: IncidentPolicy, identity: Identity, since: int) -> int:
        """Return the number of the incident that an alert would belong to, should it fire now."""
        fits = (i.number for i in reversed(self.open) if i.takes(policy, identity, since))
        return next(fits, self.number + 1)

    def get(self, number: int) -> Incident | None:
        """Return an open incident; None where there is none of that number."""
        return next((incident for incident in self.open if incident.number == number), None)

    def put(self, incident: Incident) -> Incidents:
        """Return them with one put in its place; one that no alert fires in is left out."""
        others = tuple(i for i in self.open if i.number != incident.number)
        mine = (incident,) if incident.firing else ()
        opened = tuple(sorted((*others, *mine), key=lambda i: i.number))
        return Incidents(max(self.number, incident.number), opened)
