"""What goes into the store and comes out of it: plain values, no connection.

Times are nanoseconds since the epoch. `at` is event time where it belongs to a verdict, wall time where it belongs to a
checkpoint. Documents are JSON as UTF-8 bytes and come back byte for byte.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from anchorwatch.events.records import Outgoing, Partition
    from anchorwatch.store.stages import StageRow


class ScoreRow(msgspec.Struct, frozen=True):
    """One verdict of one monitor, as history keeps it.

    Attributes
    ----------
    model, version, segment, kind, subject, monitor
        Whose verdict it is, as in `decide.evidence.Identity`.
    at
        Event time at which it became known.
    level, reason, direction
        What was said, in the words of `anchorwatch_detectors.base`.
    statistic, threshold, effect
        NaN where undefined.
    n
        Sample size.
    since
        Event time since which it holds; None where nothing changed.
    baseline
        Id of the baseline it was held against; "" where there was none.
    low, high, coverage
        Confidence interval of the statistic, and the share of predictions that have a label; NaN where it has none.
    """

    model: str
    version: str
    segment: str
    kind: str
    subject: str
    monitor: str
    at: int
    level: str
    reason: str
    statistic: float
    threshold: float
    effect: float
    direction: str
    n: int
    since: int | None
    baseline: str
    low: float = math.nan
    high: float = math.nan
    coverage: float = math.nan


@dataclass(frozen=True, slots=True)
class AlertRow:
    """One transition of one alert.

    Attributes
    ----------
    id
        Of the transition: the same id is kept once.
    fingerprint
        Of the alert: all its transitions share it.
    status
        The state it went to (pending, firing, resolved).
    reason
        The named reason of the transition.
    at, starts_at, ends_at
        Event time of the transition, of the alert's beginning, of its end (None while it lasts).
    incident
        Number of the incident in its model; None while there is none.
    document
        The alert as it is published, JSON.
    """

    id: str
    fingerprint: str
    model: str
    version: str
    segment: str
    kind: str
    subject: str
    monitor: str
    severity: str
    status: str
    reason: str
    at: int
    starts_at: int
    ends_at: int | None
    incident: int | None
    document: bytes


@dataclass(frozen=True, slots=True)
class IncidentRow:
    """One telling of one incident.

    Attributes
    ----------
    id
        Of the telling: the same id is kept once.
    model, incident, version
        The incident: its number within the model, and the version it is about.
    notice
        The how-manieth telling of the incident it is.
    severity, status, reason
        How severe it had become; "opened", "updated" or "resolved"; why it was told.
    at, opened_at, ended_at
        Event time of the telling, of the incident's beginning, of its end (None while it lasts).
    document
        The incident as it is published, JSON.
    """

    id: str
    model: str
    incident: int
    version: str
    notice: int
    severity: str
    status: str
    reason: str
    at: int
    opened_at: int
    ended_at: int | None
    document: bytes


@dataclass(frozen=True, slots=True)
class TriggerRow:
    """One request to retrain. `document` is the trigger as it is published, JSON."""

    id: str
    model: str
    policy: str
    incident: int
    at: int
    reason: str
    document: bytes


@dataclass(frozen=True, slots=True)
class BaselineRow:
    """One immutable baseline: its document and, for searching, where it came from.

    Attributes
    ----------
    id
        Content address of the profile.
    document
        The whole baseline, JSON.
    created
        When it was first put into a store.
    rows
        How many events it was made of.
    start, end
        Event time of the first and the last of them; None where unknown.
    fingerprint
        Of the data it was made of.
    code, configuration
        Version of the program that made it, hash of the configuration it was made with.
    """

    id: str
    model: str
    version: str
    document: bytes
    created: int
    rows: int = 0
    start: int | None = None
    end: int | None = None
    fingerprint: str = ""
    code: str = ""
    configuration: str = ""


@dataclass(frozen=True, slots=True)
class BaselineEntry:
    """One line of the list of baselines: `BaselineRow` without its document, with its size and current names."""

    id: str
    model: str
    version: str
    created: int
    rows: int
    start: int | None
    end: int | None
    fingerprint: str
    code: str
    configuration: str
    size: int
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Promotion:
    """A name of a model was given to a baseline at that time; the newest one counts."""

    model: str
    name: str
    id: str
    at: int


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """All that one batch changed, to be written together or not at all.

    Attributes
    ----------
    at
        Wall time, given by the caller.
    positions
        Next offset to read of each partition that moved.
    parts
        Model -> the parts of its state that changed; None deletes a part.
    outbox
        Messages to publish, with deterministic ids; an id that the store already knows is not taken again.
    baselines
        Baselines that were finished.
    scores, alerts, incidents, triggers, stages
        History; a row that is already there is not taken again.
    """

    at: int
    positions: Mapping[Partition, int] = field(default_factory=dict)
    parts: Mapping[str, Mapping[str, bytes | None]] = field(default_factory=dict)
    outbox: Sequence[Outgoing] = ()
    baselines: Sequence[BaselineRow] = ()
    scores: Sequence[ScoreRow] = ()
    alerts: Sequence[AlertRow] = ()
    incidents: Sequence[IncidentRow] = ()
    triggers: Sequence[TriggerRow] = ()
    stages: Sequence[StageRow] = ()


@dataclass(frozen=True, slots=True)
class StateSize:
    """How big the state of a model is; `digest` (hex) is equal where two states are equal byte for byte."""

    model: str
    parts: int
    size: int
    digest: str
    at: int


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the store has come.

    Attributes
    ----------
    epoch
        How often it was opened for writing.
    number
        Checkpoints ever written.
    checkpoint, heartbeat
        Wall time of the last one; None where there was none.
    holder, host, pid, since
        Who opened it last for writing, and when.
    created
        When the store was made.
    """

    epoch: int
    number: int
    checkpoint: int | None
    heartbeat: int | None
    holder: str
    host: str
    pid: int
    since: int
    created: int

    @property
    def alive(self) -> int:
        """Wall time of the last sign of life: heartbeat, checkpoint or opening."""
        return max(self.since, self.checkpoint or 0, self.heartbeat or 0)
