"""How far a retraining has come that was asked for: what is reported of it moves it forward, never back."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, NamedTuple, Self

import msgspec

from anchorwatch.decide.ids import idempotency_key
from anchorwatch.decide.triggers import Trigger

if TYPE_CHECKING:
    from collections.abc import Sequence

REMEMBERED = 20
"""So many retrainings of a model are remembered, the newest."""


class Progress(enum.StrEnum):
    """How far a retraining has come, in this order."""

    REQUESTED = "requested"
    ACKNOWLEDGED = "acknowledged"
    RUNNING = "running"
    FAILED = "failed"
    CANCELLED = "cancelled"
    SUCCEEDED = "succeeded"

    @property
    def rank(self) -> int:
        """Return its place: only a higher one counts. A run that failed may be repeated and succeed."""
        return _RANK[self]


_RANK = {
    Progress.REQUESTED: 0,
    Progress.ACKNOWLEDGED: 1,
    Progress.RUNNING: 2,
    Progress.FAILED: 3,
    Progress.CANCELLED: 3,
    Progress.SUCCEEDED: 4,
}


class StatusReason(enum.StrEnum):
    """What became of a status; a closed set, fit for a metric's label.

    ADVANCED
        It moved a retraining forward.
    REPEATED
        It says what was known already.
    OUTDATED
        Something later was reported before it.
    UNKNOWN
        No trigger of this model that is remembered has that id.
    """

    ADVANCED = "advanced"
    REPEATED = "repeated"
    OUTDATED = "outdated"
    UNKNOWN = "unknown"


class StatusReport(NamedTuple):
    """What somebody reports of a retraining.

    Attributes
    ----------
    at
        Event time, ns since the epoch.
    retraining
        The trigger's id or its idempotency key.
    progress
        How far it has come.
    version
        The model version that came of it; "" where none did, or where it is not said.
    by
        Who reports it; "" where it is not said.
    """

    at: int
    retraining: str
    progress: Progress
    version: str = ""
    by: str = ""


class Reported(NamedTuple):
    """What became of a report, and the event time at which it counted."""

    at: int
    report: StatusReport
    reason: StatusReason


class Retraining(msgspec.Struct, frozen=True):
    """A retraining that was asked for; times in ns of event time.

    Attributes
    ----------
    id, key
        The trigger's id, and its idempotency key.
    policy, incident, version, baseline
        Who asked for it and why, what is to be retrained, and the baseline it was held against.
    requested_at
        When it was asked for.
    progress, changed_at
        How far it has come, and since when.
    becomes
        The version that came of it; "" for none yet, or not said.
    served_at
        When that version took over; None where it has not.
    published, published_at
        How often the trigger was published, and when last.
    trigger
        The trigger, where it may have to be published again.
    """

    id: str
    key: str
    policy: str
    incident: int
    version: str
    baseline: str
    requested_at: int
    changed_at: int
    published_at: int
    progress: Progress = Progress.REQUESTED
    becomes: str = ""
    served_at: int | None = None
    published: int = 1
    trigger: Trigger | None = None

    @classmethod
    def of_trigger(cls, trigger: Trigger, *, again: bool) -> Self:
        """Return the retraining that a trigger asks for; `again` keeps the trigger, to publish it again."""
        return cls(
            id=trigger.id,
            key=idempotency_key(trigger.id, trigger.model, trigger.policy, trigger.incident),
            policy=trigger.policy,
            incident=trigger.incident,
            version=trigger.version,
            baseline=trigger.baseline,
            requested_at=trigger.at,
            changed_at=trigger.at,
            published_at=trigger.at,
            trigger=trigger if again else None,
        )

    @property
    def armed(self) -> bool:
        """Whether a new version came of it that has not taken over yet."""
        new = self.becomes not in {"", self.version}
        return self.progress is Progress.SUCCEEDED and new and self.served_at is None

    @property
    def underway(self) -> bool:
        """Whether its end is awaited, or that its new version takes over."""
        return self.progress.rank < Progress.FAILED.rank or self.armed


def remembered(retrainings: Sequence[Retraining], new: Retraining) -> tuple[Retraining, ...]:
    """Return the retrainings with a new one; the oldest is forgotten where there are too many."""
    return (*retrainings, new)[-REMEMBERED:]


def followed(
    retrainings: Sequence[Retraining], report: StatusReport, at: int
) -> tuple[tuple[Retraining, ...], StatusReason]:
    """Take a report; `at` is the event time at which it counts."""
    for i, known in enumerate(retrainings):
        if report.retraining not in {known.id, known.key}:
            continue
        if report.progress.rank <= known.progress.rank:
            same = report.progress is known.progress
            return tuple(retrainings), StatusReason.REPEATED if same else StatusReason.OUTDATED
        moved = msgspec.structs.replace(
            known,
            progress=report.progress,
            changed_at=at,
            becomes=report.version if report.progress is Progress.SUCCEEDED else "",
            trigger=None,
        )
        return (*retrainings[:i], moved, *retrainings[i + 1 :]), StatusReason.ADVANCED
    return tuple(retrainings), StatusReason.UNKNOWN


def served(retrainings: Sequence[Retraining], version: str, at: int) -> tuple[Retraining, ...]:
    """Take note that a version has taken over."""
    return tuple(
        msgspec.structs.replace(r, served_at=at) if r.armed and r.becomes == version else r for r in retrainings
    )
