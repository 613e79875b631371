"""An incident as data: what its message carries beside the envelope."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from anchorwatch.decide.ids import fingerprint
from anchorwatch.decide.incident_summary import incident_summary
from anchorwatch.decide.instants import rfc3339
from anchorwatch.decide.labels import labels_of_child

if TYPE_CHECKING:
    from anchorwatch.decide.incident_notice import IncidentNotice
    from anchorwatch.decide.ranking import Child


def identity_of(notice: IncidentNotice) -> dict[str, str]:
    """Return the labels that tell an incident apart; they stay the same from its first notice to its last."""
    labels = {
        "alertname": "ModelIncident",
        "model": notice.model,
        "incident": str(notice.incident),
    }
    return {name: value for name, value in labels.items() if value}


def incident_data(notice: IncidentNotice) -> dict[str, Any]:
    """Return what a message tells of an incident.

    It can be posted to Alertmanager's `/api/v2/alerts` as it is, in a list. The fingerprint is that of the identity,
    without the severity: that may rise.
    """
    identity = identity_of(notice)
    summary = incident_summary(notice)
    typed = {
        "status": notice.status,
        "reason": notice.reason.value,
        "fingerprint": fingerprint(identity),
        "incident": notice.incident,
        "notice": notice.number,
        "model_version": notice.version,
        "since": rfc3339(notice.since),
        "firing": notice.firing,
        "alerts": notice.alerts,
        "features_drifted": notice.drifted,
        "features_watched": notice.watched,
    }
    data: dict[str, Any] = {
        "labels": identity | {"severity": notice.severity},
        "annotations": {"summary": summary, **{name: str(value) for name, value in typed.items() if value != ""}},
        "startsAt": rfc3339(notice.opened_at),
    }
    if notice.ended_at is not None:
        data["endsAt"] = rfc3339(notice.ended_at)
    return {
        **data,
        **typed,
        "features": [
            {"feature": f.name, "contribution": round(f.weight, 4), "since": rfc3339(f.since)} for f in notice.features
        ],
        "segments": [
            {
                "segment": s.segment,
                "kind": s.kind.value,
                "subject": s.subject,
                "share": round(s.share, 4),
                "traffic": round(s.traffic, 4),
            }
            for s in notice.segments
        ],
        "children": [_child(child) for child in notice.children],
    }


def _child(child: Child) -> dict[str, Any]:
    latest, labels = child.trouble.latest, labels_of_child(child)
    return {
        "fingerprint": fingerprint(labels),
        "status": "firing" if child.ended_at is None else "resolved",
        "severity": child.severity,
        "kind": child.identity.kind.value,
        "subject": child.identity.subject,
        "segment": child.identity.segment,
        "monitor": child.identity.monitor,
        "version": child.identity.version,
        "startsAt": rfc3339(child.started_at),
        "since": rfc3339(child.trouble.since),
        "statistic": latest.statistic,
        "effect": latest.effect,
        "effect_unit": latest.effect_unit or None,
        "direction": latest.direction.value,
        "n": latest.n,
    }
