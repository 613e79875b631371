"""Everything the decisions about one model go by, out of its configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from anchorwatch.decide.alert_policy import AlertPolicy
from anchorwatch.decide.evidence import Kind
from anchorwatch.decide.incident_policy import IncidentPolicy
from anchorwatch.decide.retrain_policy import RetrainPolicy
from anchorwatch.decide.triggers import Fingerprints
from anchorwatch.decide.unanswered import ALERTING
from anchorwatch.settings.alerting import Alerting

if TYPE_CHECKING:
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
    incidents
        What incidents are made by.
    answered
        Whether anybody reports what becomes of triggers.
    made_with
        What is known of the program and the configuration, told in triggers.
    """

    source: str
    model: str
    alerts: dict[Kind, AlertPolicy]
    retrain: tuple[RetrainPolicy, ...] = ()
    incidents: IncidentPolicy = IncidentPolicy()
    answered: bool = False
    made_with: Fingerprints = Fingerprints()


def rules_of(
    source: str, name: str, model: Model, made_with: Fingerprints | None = None, *, answered: bool = False
) -> Rules:
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
        alerts={kind: AlertPolicy.of_settings(alert) for kind, alert in alerting.items()} | {Kind.RETRAIN: ALERTING},
        retrain=tuple(RetrainPolicy.of_settings(retrain) for retrain in model.retrain),
        incidents=IncidentPolicy.of_settings(model),
        answered=answered,
        made_with=made_with or Fingerprints(),
    )
