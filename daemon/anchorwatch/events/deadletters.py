"""Dead letters as messages: the original bytes, and beside them in headers where they came from and what was wrong."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Final

from anchorwatch.events.records import Outgoing

if TYPE_CHECKING:
    from anchorwatch.events.columns import DeadLetter

NAMESPACE: Final = uuid.UUID("5e3c1b0a-97d4-5b8e-8f21-2a6d40c7e913")
"""Under which the ids of dead letters are made; changing it changes every id ever published."""

LARGEST: Final = 900_000
"""Bytes of a payload that are passed on: a message of 1 MB is refused by a broker with its usual settings, and one
that cannot be written would hold up everything behind it."""


def message(letter: DeadLetter, source: str, topic: str) -> Outgoing:
    """Return the message that tells of a dead letter.

    Its value and key are those of the record, byte for byte; a value of more than `LARGEST` bytes is cut there, and
    the header `anchorwatch-cut` gives the length it had: the whole of it stands at its place in the log.

    Parameters
    ----------
    letter
        The dead letter.
    source
        Who we are.
    topic
        Where dead letters go.

    Returns
    -------
    Outgoing
        With the same id whenever the same record is met again.
    """
    value = letter.value or b""
    headers = {
        "model": letter.model,
        "topic": letter.topic,
        "partition": str(letter.partition),
        "offset": str(letter.offset),
        "reason": str(letter.reason),
        "detail": letter.detail,
    }
    if len(value) > LARGEST:
        headers["cut"] = str(len(value))
    place = (source, letter.model, letter.topic, letter.partition, letter.offset)
    return Outgoing(
        id=str(uuid.uuid5(NAMESPACE, "|".join(_escaped(str(part)) for part in place))),
        topic=topic,
        key=letter.key,
        value=value[:LARGEST],
        headers=tuple((f"anchorwatch-{name}", text.encode()) for name, text in headers.items()),
    )


def _escaped(part: str) -> str:
    """Escape bars, so that no two places read the same."""
    return part.replace("\\", "\\\\").replace("|", "\\|")
