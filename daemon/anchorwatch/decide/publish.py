"""Notices and triggers as messages: CloudEvents in structured JSON, with the attributes repeated in `ce_` headers.

A message is made of the decision alone, so publishing it again, after a crash or in a replay, gives the same bytes.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import msgspec

from anchorwatch.decide.ids import fingerprint, idempotency_key, incident_id
from anchorwatch.decide.incident_message import incident_data
from anchorwatch.decide.instants import instant, rfc3339
from anchorwatch.decide.labels import id_of, labels_of
from anchorwatch.decide.summary import summary_of
from anchorwatch.events.records import Outgoing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from anchorwatch.decide.findings import Trouble
    from anchorwatch.decide.incident_notice import IncidentNotice
    from anchorwatch.decide.notices import Notice
    from anchorwatch.decide.outcome import Outcome
    from anchorwatch.decide.recovery import Recovery
    from anchorwatch.decide.triggers import Cause, Trigger
    from anchorwatch.settings.models import Outputs

ALERT_TYPE = "io.anchorwatch.alert.{status}.v1"
INCIDENT_TYPE = "io.anchorwatch.incident.{status}.v1"
TRIGGER_TYPE = "io.anchorwatch.retrain.requested.v1"


def messages(source: str, outputs: Outputs, outcome: Outcome) -> tuple[Outgoing, ...]:
    """Return everything an outcome tells, alerts, incidents, triggers, and those published again, each in order.

    A trigger that is published again is the same message, byte for byte; only the outbox counts it as another one.
    """
    alerts = [alert_message(source, outputs.alerts, notice) for notice in outcome.notices]
    incidents = [incident_message(source, outputs.alerts, notice) for notice in outcome.incidents]
    triggers = [trigger_message(outputs.retrain, trigger) for trigger in outcome.triggers]
    again = [
        replace(trigger_message(outputs.retrain, trigger), id=f"{trigger.id}/{number}")
        for trigger, number in outcome.again
    ]
    return (*alerts, *incidents, *triggers, *again)


def alert_message(source: str, topic: str, notice: Notice) -> Outgoing:
    """Return the message that tells of an alert.

    Its data can be posted to Alertmanager's `/api/v2/alerts` as it is, in a list: labels, annotations, startsAt and,
    once resolved, endsAt. Beside them stand the same findings with their types, null where there is no number.

    Parameters
    ----------
    source
        Who we are.
    topic
        Where it goes.
    notice
        What is told.
    """
    labels = labels_of(notice)
    typed = {
        "status": notice.status.value,
        "reason": notice.reason.value,
        "fingerprint": fingerprint(labels),
        "episode": notice.episode,
        "notice": notice.number,
        "incident": notice.incident,
        "baseline_id": notice.trouble.latest.baseline,
        **_typed(notice.trouble),
    }
    data: dict[str, Any] = {
        "labels": labels,
        "annotations": {"summary": summary_of(notice), **_annotations(typed)},
        "startsAt": rfc3339(notice.started_at),
    }
    if notice.ended_at is not None:
        data["endsAt"] = rfc3339(notice.ended_at)
    attributes = {
        "id": id_of(source, notice),
        "source": source,
        "type": ALERT_TYPE.format(status=notice.status.value),
        "time": instant(notice.at),
    }
    return _message(topic, notice.identity.model, attributes, data | typed)


def incident_message(source: str, topic: str, notice: IncidentNotice) -> Outgoing:
    """Return the message that tells of an incident, on the topic of the alerts.

    Parameters
    ----------
    source
        Who we are.
    topic
        Where it goes.
    notice
        What is told.
    """
    attributes = {
        "id": incident_id(source, notice.model, notice.incident, notice.number),
        "source": source,
        "type": INCIDENT_TYPE.format(status=notice.status),
        "time": instant(notice.at),
    }
    return _message(topic, notice.model, attributes, incident_data(notice))


def trigger_message(topic: str, trigger: Trigger) -> Outgoing:
    """Return the message that asks for a retraining.

    Its data has at most ten properties at its top, as many as GitHub's `repository_dispatch` takes; `idempotency_key`
    may name a Kubernetes object, an Airflow run or a Dagster run, so that a second delivery starts no second one.
    """
    data = {
        "idempotency_key": idempotency_key(trigger.id, trigger.model, trigger.policy, trigger.incident),
        "model": trigger.model,
        "model_version": trigger.version,
        "policy": trigger.policy,
        "incident": trigger.incident,
        "reason": [_reason(cause) for cause in trigger.causes],
        "window": {
            "start": rfc3339(trigger.start),
            "end": rfc3339(trigger.end),
            "rows": trigger.rows,
            "labelled": trigger.labelled,
            "estimate": _estimate(trigger.estimate),
            "fingerprints": {
                "data": trigger.fingerprints.data or None,
                "configuration": trigger.fingerprints.configuration or None,
                "code": trigger.fingerprints.code or None,
            },
        },
        "baseline_id": trigger.baseline,
        "cooldown_until": rfc3339(trigger.cooldown_until),
        "dry_run": trigger.dry_run,
    }
    attributes = {
        "id": trigger.id,
        "source": trigger.source,
        "type": TRIGGER_TYPE,
        "time": instant(trigger.at),
        "expirytime": rfc3339(trigger.expires_at),
    }
    return _message(topic, trigger.model, attributes, data)


def _estimate(estimate: Recovery | None) -> dict[str, Any] | str:
    if estimate is None:
        return "not enough labels"
    return {**msgspec.structs.asdict(estimate), "gain": round(estimate.gain, 6)}


def _reason(cause: Cause) -> dict[str, Any]:
    identity = cause.identity
    return {
        "kind": identity.kind.value,
        "subject": identity.subject,
        "segment": identity.segment,
        "monitor": identity.monitor,
        **_typed(cause.trouble),
    }


def _typed(trouble: Trouble) -> dict[str, Any]:
    latest = trouble.latest
    interval = {"low": latest.low, "high": latest.high, "coverage": latest.coverage}
    return {
        "finding": latest.reason,
        "statistic": latest.statistic,
        **{name: value for name, value in interval.items() if value is not None},
        "threshold": latest.threshold,
        "effect": latest.effect,
        "effect_unit": latest.effect_unit or None,
        "direction": latest.direction.value,
        "since": rfc3339(trouble.since),
        "since_low": None if trouble.since_low is None else rfc3339(trouble.since_low),
        "since_high": None if trouble.since_high is None else rfc3339(trouble.since_high),
        "n": latest.n,
    }


def _annotations(typed: Mapping[str, Any]) -> dict[str, str]:
    """Return what a template may show; Alertmanager takes text alone."""
    shown = [
        "reason",
        "finding",
        "statistic",
        "low",
        "high",
        "coverage",
        "threshold",
        "effect",
        "effect_unit",
        "direction",
        "since",
        "since_low",
        "since_high",
        "n",
        "baseline_id",
        "incident",
    ]
    return {name: str(typed[name]) for name in shown if typed.get(name) is not None}


def _message(topic: str, model: str, attributes: dict[str, Any], data: dict[str, Any]) -> Outgoing:
    from cloudevents.core.bindings.kafka import to_binary_event, to_structured_event
    from cloudevents.core.v1.event import CloudEvent

    event = CloudEvent(
        {
            "specversion": "1.0",
            **attributes,
            "subject": f"models/{model}",
            "datacontenttype": "application/json",
            "partitionkey": model,
        },
        data,
    )
    structured = to_structured_event(event)
    repeated = to_binary_event(event).headers
    headers = structured.headers | {name: value for name, value in repeated.items() if name.startswith("ce_")}
    return Outgoing(
        id=attributes["id"],
        topic=topic,
        key=model.encode(),
        value=structured.value,
        headers=tuple(headers.items()),
    )
