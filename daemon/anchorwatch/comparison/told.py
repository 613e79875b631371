"""What a run told, read back from its messages: alerts, incidents and triggers, each with its span of event time."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_ALERT: Final = "io.anchorwatch.alert."


class What(enum.StrEnum):
    """What was told."""

    ALERT = "alert"
    INCIDENT = "incident"
    TRIGGER = "trigger"


@dataclass(frozen=True, slots=True)
class Told:
    """One alert from firing to resolved, one incident from its first alert to its last, or one trigger.

    Attributes
    ----------
    what, model
        What was told, and of which model.
    identity
        What tells it from others of its kind: the labels of an alert but for its severity, sorted; empty for incidents
        and triggers.
    since
        Event time at which the trouble is estimated to have begun; not after `at`.
    at
        Event time at which it was told.
    until
        Event time at which it was over; None where the log ended before. Of a trigger: the end of its incident.
    severity
        Of an alert; empty for the others.
    summary
        A line for people.
    """

    what: What
    model: str
    identity: tuple[tuple[str, str], ...]
    since: datetime
    at: datetime
    until: datetime | None
    severity: str
    summary: str

    def overlaps(self, other: Told) -> bool:
        """Whether there was a time at which both went on."""
        return _not_after(self.since, other.until) and _not_after(other.since, self.until)


def told_by(alerts: Sequence[dict[str, Any]], triggers: Sequence[dict[str, Any]]) -> list[Told]:
    """Return what was told, in the order of time.

    Parameters
    ----------
    alerts
        What was written to the topic of alerts, as in `Report.alerts`; what is no alert is left out.
    triggers
        What was written to the topic of triggers.
    """
    firings = [_Firing.of(group) for group in _firings(alerts)]
    incidents: dict[tuple[str, int], list[_Firing]] = {}
    for firing in firings:
        incidents.setdefault((firing.told.model, firing.incident), []).append(firing)
    spans = {key: _incident(key[1], [firing.told for firing in group]) for key, group in incidents.items()}
    asked = [_trigger(document, spans) for document in triggers]
    return sorted([*(firing.told for firing in firings), *spans.values(), *asked], key=lambda told: told.at)


@dataclass(frozen=True, slots=True)
class _Firing:
    """An alert with the incident that it belonged to."""

    told: Told
    incident: int

    @classmethod
    def of(cls, messages: Sequence[dict[str, Any]]) -> _Firing:
        """Read the messages of one firing: the first that tells it, and perhaps one that resolves it."""
        first = messages[0]
        data, last = first["data"], messages[-1]["data"]
        at = _time(first["time"])
        labels = {name: value for name, value in data["labels"].items() if name != "severity"}
        told = Told(
            what=What.ALERT,
            model=labels["model"],
            identity=tuple(sorted(labels.items())),
            since=min(_time(data["since"]), at),
            at=at,
            until=_time(last["endsAt"]) if last["status"] == "resolved" else None,
            severity=data["labels"]["severity"],
            summary=data["annotations"]["summary"],
        )
        return cls(told, data["incident"])


def _firings(alerts: Sequence[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Yield the messages of each firing of each alert, in their order."""
    groups: dict[tuple[str, int], list[dict[str, Any]]] = {}
    for message in alerts:
        if message["type"].startswith(_ALERT):
            data = message["data"]
            groups.setdefault((data["fingerprint"], data["episode"]), []).append(message)
    yield from groups.values()


def _incident(number: int, alerts: Sequence[Told]) -> Told:
    first = min(alerts, key=lambda told: told.at)
    ends = [told.until for told in alerts if told.until is not None]
    return Told(
        what=What.INCIDENT,
        model=first.model,
        identity=(),
        since=min(told.since for told in alerts),
        at=first.at,
        until=max(ends) if len(ends) == len(alerts) else None,
        severity="",
        summary=f"incident {number}, {len(alerts)} alert{'s' * (len(alerts) > 1)}, the first: {first.summary}",
    )


def _trigger(document: dict[str, Any], incidents: dict[tuple[str, int], Told]) -> Told:
    data = document["data"]
    model, number, at = data["model"], data["incident"], _time(document["time"])
    incident = incidents.get((model, number))
    return Told(
        what=What.TRIGGER,
        model=model,
        identity=(),
        since=min(_time(data["window"]["start"]), at),
        at=at,
        until=None if incident is None else incident.until,
        severity="",
        summary=f"retrain {model}, policy {data['policy']}, incident {number}",
    )


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _not_after(start: datetime, end: datetime | None) -> bool:
    return end is None or start <= end
