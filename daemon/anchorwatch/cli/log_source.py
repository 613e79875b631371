"""The log that `replay` and `baseline build` read, as their options name it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from anchorwatch.errors import ConfigurationError, UsageError

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from anchorwatch.clock import Clock
    from anchorwatch.settings.models import Settings
    from anchorwatch.transport.files import FileSource
    from anchorwatch.transport.kafka_range import KafkaRange

FileOption = Annotated[
    list[str] | None,
    typer.Option(
        "--file",
        metavar="TOPIC=PATH",
        help="Take a topic from files (JSONL, CSV, Parquet; patterns allowed). May be repeated.",
    ),
]
KafkaOption = Annotated[bool, typer.Option("--kafka", help="Take the topics from the broker of the configuration.")]
FromOption = Annotated[
    str | None, typer.Option("--from", help="With --kafka: first record, an ISO 8601 time or an offset.")
]
ToOption = Annotated[
    str | None, typer.Option("--to", help="With --kafka: first record not read, an ISO 8601 time or an offset.")
]


def files(
    given: Sequence[str], wanted: Collection[str], needed: Collection[str], clock: Clock, *, follow: bool = False
) -> FileSource:
    """Return the files named as TOPIC=PATH.

    Parameters
    ----------
    given
        The options.
    wanted, needed
        Topics that may, and that must be given.
    clock
        Time.
    follow
        Whether to wait for what is yet to be written.

    Raises
    ------
    UsageError
        If an option is not of that form, or a topic is strange or missing.
    """
    from anchorwatch.transport.files import FileSource

    paths: dict[str, list[str]] = {}
    for each in given:
        topic, equals, path = each.partition("=")
        if not (topic and equals and path):
            raise UsageError(f"--file {each}: write TOPIC=PATH, such as fraud.predictions=log.jsonl")
        paths.setdefault(topic, []).append(path)
    strange = sorted(set(paths) - set(wanted))
    if strange:
        raise UsageError(f"--file: nobody reads {', '.join(strange)}; what is read is {', '.join(sorted(wanted))}")
    missing = sorted(set(needed) - set(paths))
    if missing:
        raise UsageError(f"--file is missing for {', '.join(missing)}: without it the result would be another one")
    return FileSource(paths, follow=follow, clock=clock)


def kafka_range(
    settings: Settings, topics: Collection[str], start: str | None, stop: str | None, clock: Clock
) -> KafkaRange:
    """Return a part of the Kafka log, from `start` to before `stop`; raises UsageError if these are no places."""
    from anchorwatch.transport.kafka_range import KafkaRange

    if settings.kafka is None:
        raise ConfigurationError("the configuration has no section `kafka`, so there is no broker to read from")
    places = [place for place in (start, stop) if place is not None]
    by_offset = bool(places) and all(place.isdecimal() for place in places)
    first, last = (None if place is None else int(place) if by_offset else _time(place) for place in (start, stop))
    return KafkaRange(settings.kafka, topics, clock, start=first, stop=last, by_offset=by_offset)


def require_one(file: Sequence[str] | None, *, kafka: bool) -> None:
    """Raise UsageError unless exactly one kind of log is named."""
    if bool(file) == kafka:
        raise UsageError("say what is to be read: either --file TOPIC=PATH (one for each topic), or --kafka")


def _time(text: str) -> int:
    """Return ns since the epoch of an ISO 8601 time; without a zone it is UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            f"{text!r} is neither a time such as 2026-05-01T12:00:00Z nor, like the other end, an offset"
        ) from error
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1e6) * 1000
