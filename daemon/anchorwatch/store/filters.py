"""What history can be asked for: the columns that can be named, and the period."""

from __future__ import annotations

from typing import TypedDict


class Period(TypedDict, total=False):
    """Event time from `since` (included) to `until` (left out); None or absent: no bound."""

    since: int | None
    until: int | None


class ScoreFilter(Period, total=False):
    """Which scores: those whose columns have these values; None or absent: any."""

    model: str | None
    version: str | None
    segment: str | None
    kind: str | None
    subject: str | None
    monitor: str | None
    level: str | None
    baseline: str | None


class AlertFilter(Period, total=False):
    """Which transitions of alerts: those whose columns have these values; None or absent: any."""

    id: str | None
    fingerprint: str | None
    model: str | None
    version: str | None
    segment: str | None
    kind: str | None
    subject: str | None
    monitor: str | None
    severity: str | None
    status: str | None
    reason: str | None


class TriggerFilter(Period, total=False):
    """Which triggers: those whose columns have these values; None or absent: any."""

    id: str | None
    model: str | None
    policy: str | None
