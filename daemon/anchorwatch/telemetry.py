"""What the daemon says about itself: one JSON object a line on standard error, by structlog."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import structlog

from anchorwatch.decide.labels import labels_of

if TYPE_CHECKING:
    from typing import TextIO

    from anchorwatch.engine.step import Outcome


class Log:
    """Writes events with named fields.

    Parameters
    ----------
    stream
        Where to.
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._logger: Any = structlog.wrap_logger(
            structlog.PrintLogger(stream or sys.stderr),
            processors=[
                structlog.processors.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True),
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )

    def say(self, event: str, **fields: Any) -> None:
        """Write an event that is as it should be."""
        self._logger.info(event, **fields)

    def warning(self, event: str, **fields: Any) -> None:
        """Write an event that somebody should look at."""
        self._logger.warning(event, **fields)

    def outcome(self, outcome: Outcome) -> None:
        """Write what came of a batch: baselines, alerts, triggers."""
        for baseline in outcome.baselines:
            self.say("baseline", id=baseline.id, model=baseline.model, version=baseline.version)
        for notice in outcome.decision.notices:
            self.say("alert", status=notice.status, reason=notice.reason, incident=notice.incident, **labels_of(notice))
        for trigger in outcome.decision.triggers:
            self.say("retrain", id=trigger.id, model=trigger.model, policy=trigger.policy, incident=trigger.incident)
