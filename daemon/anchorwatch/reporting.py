"""Telling anchorwatch how far a retraining is: one small message on the topic `inputs.retrain_status`.

>>> from anchorwatch.events.reports import PROGRESS
>>> PROGRESS
('acknowledged', 'running', 'failed', 'cancelled', 'succeeded')
>>> status_message("retrain.status", "0b6f", "succeeded", version="2").value
b'{"id":"0b6f","status":"succeeded","version":"2"}'
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from anchorwatch.errors import ConfigurationError, UsageError
from anchorwatch.events.records import Outgoing
from anchorwatch.events.reports import PROGRESS

if TYPE_CHECKING:
    from anchorwatch.clock import Clock
    from anchorwatch.settings.models import Settings


def status_message(
    topic: str, retraining: str, status: str, *, version: str = "", time: str = "", model: str = "", by: str = ""
) -> Outgoing:
    """Return the message that reports a status.

    Parameters
    ----------
    topic
        Where it goes.
    retraining
        The trigger's id or its idempotency key; also the message's key, so that reports stay in order.
    status
        One of `PROGRESS`.
    version
        The model version that came of it.
    time
        Event time, ISO 8601; without it that of the record counts, which is now.
    model
        The model, so that no other one looks at it.
    by
        Who reports it, for the history.

    Raises
    ------
    UsageError
        If there is no such status.
    """
    if status not in PROGRESS:
        raise UsageError(f"a retraining is never {status!r}: report one of {', '.join(PROGRESS)}")
    said = {"id": retraining, "status": status, "version": version, "time": time, "model": model, "by": by}
    return Outgoing(
        id=f"{retraining}/{status}",
        topic=topic,
        key=retraining.encode(),
        value=msgspec.json.encode({name: text for name, text in said.items() if text}),
    )


def report(settings: Settings, clock: Clock, retraining: str, status: str, **more: str) -> None:
    """Write a status to the topic and broker of a configuration; `more` as for `status_message`.

    Raises
    ------
    ConfigurationError
        If the configuration names no broker or no topic for it.
    ConnectionFailed
        If the broker did not take it: report it again, twice does no harm.
    """
    topic = settings.inputs.retrain_status
    if settings.kafka is None or topic is None:
        raise ConfigurationError(
            "nobody would read the report: the configuration needs `kafka`, and `inputs: {retrain_status: TOPIC}`"
        )
    message = status_message(topic, retraining, status, **more)
    from anchorwatch.transport.kafka_sink import KafkaSink

    sink = KafkaSink(settings.kafka, clock)
    try:
        sink.ensure_topics({topic})
        sink.send([message])
    finally:
        sink.close()
