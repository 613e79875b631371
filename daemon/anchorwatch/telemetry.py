"""What the daemon says about itself: one JSON object a line on standard error, by structlog."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import structlog

from anchorwatch.decide.incident_summary import incident_summary
from anchorwatch.decide.instants import rfc3339
from anchorwatch.decide.labels import labels_of
from anchorwatch.decide.summary import summary_of

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping, Sequence
    from typing import TextIO

    from anchorwatch.clock import Clock
    from anchorwatch.decide.orders import Obeyed
    from anchorwatch.engine.step import Outcome
    from anchorwatch.events.records import Outgoing


def _in_order(_logger: Any, _method: str, fields: MutableMapping[str, Any]) -> dict[str, Any]:
    """Put first what an eye looks for first."""
    return {name: fields.pop(name) for name in ("timestamp", "level", "event")} | dict(fields)


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
                _in_order,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
        )

    def say(self, event: str, **fields: Any) -> None:
        """Write an event that is as it should be."""
        self._logger.info(event, **fields)

    def warning(self, event: str, **fields: Any) -> None:
        """Write an event that somebody should look at."""
        self._logger.warning(event, **fields)

    def failure(self, event: str, **fields: Any) -> None:
        """Write an event after which nothing goes on."""
        self._logger.error(event, **fields)

    def outcome(self, outcome: Outcome, _told: Sequence[Outgoing]) -> None:
        """Write what came of a batch: baselines, alerts, incidents, triggers."""
        for baseline in outcome.baselines:
            self.say("baseline", id=baseline.id, model=baseline.model, version=baseline.version)
        for notice in outcome.decision.notices:
            self.say(
                "alert",
                status=notice.status,
                reason=notice.reason,
                **({"silenced": True} if notice.silenced else {}),
                incident=notice.incident,
                at=rfc3339(notice.at),
                summary=summary_of(notice),
                **labels_of(notice),
            )
        for incident in outcome.decision.incidents:
            self.say(
                "incident",
                status=incident.status,
                reason=incident.reason,
                model=incident.model,
                incident=incident.incident,
                severity=incident.severity,
                at=rfc3339(incident.at),
                summary=incident_summary(incident),
                **({"silenced": True} if incident.silenced else {}),
            )
        for trigger in outcome.decision.triggers:
            self.say("retrain", id=trigger.id, model=trigger.model, policy=trigger.policy, incident=trigger.incident)

    def obeyed(self, model: str, obeyed: Sequence[Obeyed]) -> None:
        """Write what became of people's orders to a model."""
        for order in obeyed:
            self.say("order", model=model, number=order.number, reason=order.reason)


class Troubles:
    """Tells of each trouble once when it begins, and once when it is over.

    Parameters
    ----------
    log
        Where it is told.
    clock
        Measures how long it lasted.
    """

    def __init__(self, log: Log, clock: Clock) -> None:
        self._log, self._clock = log, clock
        self._since: dict[tuple[str, str], float] = {}

    def note(self, event: str, trouble: Mapping[str, Any] | None, where: str = "") -> None:
        """Take note of how it stands with one thing.

        Parameters
        ----------
        event
            What the trouble is called.
        trouble
            What is known of it; None where there is none.
        where
            Tells apart troubles of the same name.
        """
        key, now = (event, where), self._clock.monotonic()
        if trouble is not None and key not in self._since:
            self._since[key] = now
            self._log.warning(event, **trouble)
        if trouble is None and key in self._since:
            fields = {"where": where} if where else {}
            self._log.say(f"{event}_over", **fields, seconds=round(now - self._since.pop(key), 1))
