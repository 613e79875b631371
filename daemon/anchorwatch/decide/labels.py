"""What an alert is called: labels tell alerts apart and never change while one fires."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anchorwatch.decide.evidence import Kind
from anchorwatch.decide.ids import alert_id, fingerprint

if TYPE_CHECKING:
    from anchorwatch.decide.evidence import Identity
    from anchorwatch.decide.notices import Notice
    from anchorwatch.decide.ranking import Child

ALERT_NAMES = {
    Kind.SCHEMA: "ModelSchemaBroken",
    Kind.QUALITY: "ModelDataQuality",
    Kind.DRIFT: "ModelFeatureDrift",
    Kind.PREDICTION: "ModelPredictionDrift",
    Kind.ACCURACY: "ModelAccuracy",
    Kind.LATENCY: "ModelLatency",
    Kind.VOLUME: "ModelVolume",
    Kind.LABELS: "ModelLabelFeed",
    Kind.COMPARISON: "ModelWorseThanRival",
    Kind.RETRAIN: "ModelRetrainUnanswered",
}


def labels_of(notice: Notice) -> dict[str, str]:
    """Return the labels of an alert. An empty one is left out: to Alertmanager that is the same."""
    return labels_of_alert(notice.identity, notice.severity)


def labels_of_child(child: Child) -> dict[str, str]:
    """Return the labels of an alert of an incident: those of its own messages."""
    return labels_of_alert(child.identity, child.severity)


def labels_of_alert(identity: Identity, severity: str) -> dict[str, str]:
    """Return the labels of an alert of that severity, empty ones left out."""
    labels = {
        "alertname": ALERT_NAMES[identity.kind],
        "model": identity.model,
        "version": identity.version,
        "segment": identity.segment,
        "kind": str(identity.kind),
        "subject": identity.subject,
        "monitor": identity.monitor,
        "severity": severity,
    }
    return {name: value for name, value in labels.items() if value}


def fingerprint_of(notice: Notice) -> str:
    """Return what all notices of an alert share."""
    return fingerprint(labels_of(notice))


def id_of(source: str, notice: Notice) -> str:
    """Return the id of a notice: the same whenever and wherever the same thing is told."""
    return alert_id(source, fingerprint_of(notice), notice.episode, notice.status, notice.number)
