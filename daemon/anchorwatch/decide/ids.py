"""Ids that a replay, a restart and a second publication give again: made of names and counts alone.

No statistic and no wall clock goes into an id. A statistic may differ in its last bit on another machine, and a clock
differs always; either would make one event look like two.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

NAMESPACE = uuid.UUID("6b0f9c3e-5d0a-5f43-9a57-0e7a4c1d8b21")
"""Under which all our uuid5 are made; changing it changes every id ever published."""

_KEY_LENGTH = 63
_KEY_HASH = 8


def _joined(*parts: object) -> str:
    """Join with a bar; bars inside a part are escaped, so that no two lists of parts read the same."""
    return "|".join(str(part).replace("\\", "\\\\").replace("|", "\\|") for part in parts)


def fingerprint(labels: Mapping[str, str]) -> str:
    """Return 16 hex digits that stand for a set of labels, whatever their order."""
    text = _joined(*(part for name in sorted(labels) for part in (name, labels[name])))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def alert_id(source: str, alert: str, episode: int, status: str, number: int) -> str:
    """Return the id of one notice of an alert.

    Parameters
    ----------
    source
        Who we are.
    alert
        Fingerprint of the alert's labels.
    episode
        The how-manieth firing of the model it belongs to.
    status
        "firing" or "resolved".
    number
        The how-manieth notice of the episode.
    """
    return str(uuid.uuid5(NAMESPACE, _joined(source, alert, episode, status, number)))


def incident_id(source: str, model: str, incident: int, number: int) -> str:
    """Return the id of one notice of an incident; `number` is the how-manieth of the incident it is."""
    return str(uuid.uuid5(NAMESPACE, _joined(source, model, "incident", incident, number)))


def trigger_id(source: str, model: str, policy: str, incident: int) -> str:
    """Return the id of the one trigger that a policy may send for an incident."""
    return str(uuid.uuid5(NAMESPACE, _joined(source, model, policy, incident)))


def idempotency_key(trigger: str, model: str, policy: str, incident: int) -> str:
    """Return a name for the run that a trigger asks for, fit for Kubernetes, Airflow and Dagster alike.

    An RFC 1123 label: at most 63 of a-z, 0-9 and "-". It reads like the trigger and ends in the first digits of the
    trigger's id, because "a-b" of policy "c" and "a" of policy "b-c", or two sources, would otherwise share a name.
    """
    words = [re.sub(r"[^a-z0-9]+", "-", word.lower()).strip("-") for word in ("retrain", model, policy, str(incident))]
    readable = "-".join(word for word in words if word)[: _KEY_LENGTH - _KEY_HASH - 1].rstrip("-")
    return f"{readable}-{trigger[:_KEY_HASH]}"
