"""The stages that a retraining goes through once it was asked for, as history keeps them: each comes once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from anchorwatch.decide.unanswered import UNANSWERED
from anchorwatch_detectors.base import Level

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from anchorwatch.decide.evidence import Evidence
    from anchorwatch.decide.retraining import Retraining, StatusReport

SERVING: Final = "serving"
"""The version that came of it has taken over."""

OURSELVES: Final = "anchorwatch"
"""Who says what nobody has to report: that it is asked for, not acknowledged, and that its version has taken over."""


class Stage(NamedTuple):
    """A retraining has come so far.

    Attributes
    ----------
    trigger, policy, incident
        The id of the trigger that asked for it, and whose it is.
    status
        `requested`, what was reported of it, `unanswered` or `serving`.
    at
        Event time at which that counts, ns since the epoch.
    version
        The model version that came of it; "" for none yet, or not said.
    by
        Who says so; "" where the report does not tell.
    """

    trigger: str
    policy: str
    incident: int
    status: str
    at: int
    version: str = ""
    by: str = ""


def requested(retraining: Retraining) -> Stage:
    """Return the stage of a retraining that was just asked for."""
    who, at = retraining, retraining.requested_at
    return Stage(who.id, who.policy, who.incident, who.progress, at, by=OURSELVES)


def reported(retraining: Retraining, report: StatusReport) -> Stage:
    """Return the stage that a report brought a retraining to; `retraining` is as it is then."""
    by, at = report.by, retraining.changed_at
    return Stage(retraining.id, retraining.policy, retraining.incident, retraining.progress, at, retraining.becomes, by)


def serving(before: Sequence[Retraining], after: Sequence[Retraining]) -> Iterator[Stage]:
    """Yield a stage for each retraining whose version has taken over meanwhile."""
    for old, new in zip(before, after, strict=True):
        if new.served_at is not None and old.served_at is None:
            yield Stage(new.id, new.policy, new.incident, SERVING, new.served_at, new.becomes, OURSELVES)


def unanswered(retrainings: Sequence[Retraining], evidence: Evidence, incident: int) -> Iterator[Stage]:
    """Yield the stage of the retraining of which evidence says that nobody acknowledged it; none for other evidence."""
    who = evidence.identity
    if who.monitor != UNANSWERED or evidence.verdict.level is not Level.DRIFT:
        return
    for each in retrainings:
        if (each.policy, each.version, each.incident) == (who.subject, who.version, incident):
            yield Stage(each.id, each.policy, incident, UNANSWERED, evidence.at, by=OURSELVES)
