"""The incidents that are open, each with the alerts that fire in it, the worst first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from anchorwatch.store.reader import Reader
    from anchorwatch.store.rows import AlertRow, IncidentRow

SHOWN: Final = 5
"""So many alerts of an incident are shown to people; JSON has all of them."""


def open_incidents(reader: Reader, model: str) -> list[dict[str, Any]]:
    """Return the open incidents of a model, the newest telling first, ready for JSON.

    What an incident is stands in its last telling; the alerts are those that fire now, ranked as they were told, and
    after them those that have joined since.
    """
    firing: dict[int, list[AlertRow]] = {}
    for alert in reader.current_alerts(model=model, status="firing"):
        if alert.incident is not None:
            firing.setdefault(alert.incident, []).append(alert)
    return [_incident(row, firing.get(row.incident, [])) for row in reader.open_incidents(model=model)]


def _incident(row: IncidentRow, firing: Sequence[AlertRow]) -> dict[str, Any]:
    import msgspec

    data = msgspec.json.decode(row.document)["data"]
    places = {child["fingerprint"]: place for place, child in enumerate(data["children"])}
    ordered = sorted(firing, key=lambda a: (places.get(a.fingerprint, len(places)), a.starts_at, a.fingerprint))
    return {
        "incident": row.incident,
        "version": row.version,
        "severity": row.severity,
        "opened_at": data["startsAt"],
        "summary": data["annotations"]["summary"],
        "features": data["features"],
        "segments": data["segments"],
        "children": [_child(alert) for alert in ordered],
    }


def _child(alert: AlertRow) -> dict[str, Any]:
    import msgspec

    data = msgspec.json.decode(alert.document)["data"]
    return {
        "fingerprint": alert.fingerprint,
        "kind": alert.kind,
        "subject": alert.subject,
        "segment": alert.segment,
        "monitor": alert.monitor,
        "severity": alert.severity,
        "starts_at": data["startsAt"],
        "summary": data["annotations"]["summary"],
    }


def lines_of(incidents: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield what people read of incidents: a line for each, and one for each of its first alerts."""
    for incident in incidents:
        children = incident["children"]
        yield f"incident {incident['incident']} ({incident['severity']}, {len(children)} firing): {incident['summary']}"
        for child in children[:SHOWN]:
            yield f"  - {child['summary']}"
        if len(children) > SHOWN:
            yield f"  - and {len(children) - SHOWN} more"
