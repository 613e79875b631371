"""One cause, one alert: a schema break explains whatever else goes wrong with that version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anchorwatch.decide.evidence import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from anchorwatch.decide.alerts import AlertState
    from anchorwatch.decide.evidence import Identity


def schema_broken(version: str, alerts: Iterable[AlertState]) -> bool:
    """Whether a schema alert of that version is firing; all alerts are of one model."""
    return any(
        alert.episode is not None and alert.identity.kind is Kind.SCHEMA and alert.identity.version == version
        for alert in alerts
    )


def inhibited(identity: Identity, alerts: Iterable[AlertState]) -> bool:
    """Whether an alert must not begin to fire, in whichever segment it is; one that fires already is left alone."""
    return identity.kind not in {Kind.SCHEMA, Kind.RETRAIN} and schema_broken(identity.version, alerts)
