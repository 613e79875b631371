"""What `anchorwatch check --connect` asks the broker and the store; nothing is written to either."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from anchorwatch.clock import SystemClock
from anchorwatch.errors import AnchorwatchError, ConfigurationError, ConnectionFailed, StoreError
from anchorwatch.settings.units import format_duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from anchorwatch.settings.models import Kafka, Settings


READ_SECONDS = 5.0
"""How long a first record may take to come."""

_TO_BE_MADE = "is not there yet and can be created"


@dataclass(frozen=True, slots=True)
class Report:
    """One answer.

    Attributes
    ----------
    subject
        What was asked about.
    exit_code
        0 where all is well, else that of the error the daemon would end with.
    message
        What was found, or what is wrong and what to do.
    """

    subject: str
    exit_code: int
    message: str


def ask(settings: Settings) -> list[Report]:
    """Return what the broker and the store say to a configuration, each up to its first fault."""
    questions = [("store", _store(settings)), ("kafka", _broker(settings)), ("baselines", _baselines(settings))]
    reports = [report for subject, asking in questions for report in _answers(subject, asking)]
    if settings.kafka is not None and not any(report.exit_code for report in reports if report.subject == "kafka"):
        reports += _answers("inputs", _inputs(settings, settings.kafka))
        reports += _answers("outputs", _outputs(settings, settings.kafka))
    return reports


def _answers(subject: str, asking: Iterator[str]) -> Iterator[Report]:
    """Yield what was found, up to the first thing that is wrong."""
    try:
        for message in asking:
            yield Report(subject, 0, message)
    except AnchorwatchError as error:
        yield Report(subject, error.exit_code, str(error))


def _store(settings: Settings) -> Iterator[str]:
    from anchorwatch.store.connection import look
    from anchorwatch.store.reader import Reader

    path = Path(settings.store)
    there = look(path)
    unwritable = [str(place) for place in (path, path.parent) if place.exists() and not os.access(place, os.W_OK)]
    if unwritable:
        raise StoreError(f"{' and '.join(unwritable)} cannot be written by this user: give it write permission")
    if not there:
        yield f"{path} is not there yet and can be made"
        return
    with Reader.open_reader(path) as reader:
        progress = reader.progress()
        yield (
            f"{path} can be read: {progress.number:,} checkpoints, {reader.size():,} bytes, {reader.outbox_size():,} "
            f"messages to publish; last opened by {progress.holder} (process {progress.pid} on {progress.host})"
        )


def _store_id(settings: Settings) -> str | None:
    """Return the id of the store, or None where there is none to ask (what is wrong with it was told by then)."""
    from anchorwatch.store.reader import Reader

    path = Path(settings.store)
    if not path.exists():
        return None
    with Reader.open_reader(path) as reader:
        return reader.id


def _broker(settings: Settings) -> Iterator[str]:
    if settings.kafka is None:
        yield "no broker is named: only files can be replayed"
        return
    from anchorwatch.transport.kafka_probe import require_answer

    require_answer(settings.kafka)
    yield f"{settings.kafka.bootstrap_servers} answers and lets us in"


def _inputs(settings: Settings, kafka: Kafka) -> Iterator[str]:
    from anchorwatch.app import status_topics, topics_of
    from anchorwatch.transport.kafka import KafkaSource
    from anchorwatch.transport.kafka_probe import missing_topics

    reported = status_topics(settings)
    missing = missing_topics(kafka, reported) if reported else []
    yield from (f"{topic} {_TO_BE_MADE}" for topic in missing)  # the daemon makes it, where nobody has reported yet
    topics = frozenset[str]().union(*(topics_of(model) for model in settings.models.values()), reported - {*missing})
    source = KafkaSource(kafka, topics, SystemClock(), _store_id(settings))
    try:
        source.check_store()
        begins, ends = source.bounds(source.partitions())
        for topic in sorted(topics):
            count = sum(ends[partition] - begins[partition] for partition in ends if partition.topic == topic)
            parts = sum(partition.topic == topic for partition in ends)
            yield f"{topic}: {parts} partition{'s' * (parts != 1)}, {count:,} offsets from the first to the last"
        if any(ends[partition] > begins[partition] for partition in ends):
            source.poll(1, READ_SECONDS)  # describing a topic and reading it are two rights
    finally:
        source.close()
    yield from _forgetful(settings, kafka)


def _forgetful(settings: Settings, kafka: Kafka) -> Iterator[str]:
    """Yield a warning for each model whose predictions are not kept for as long as their labels are waited for."""
    from anchorwatch.transport.kafka_retention import retentions

    waits = {name: model for name, model in settings.models.items() if model.labels is not None}
    try:
        kept = retentions(kafka, {model.predictions.topic for model in waits.values()}) if waits else {}
    except ConnectionFailed as error:  # seeing a topic's configuration is a right that the daemon does not need
        yield f"warning: whether predictions are kept for as long as labels are waited for cannot be seen: {error}"
        return
    for name, model in waits.items():
        topic, wait = model.predictions.topic, 0 if model.labels is None else model.labels.wait
        if kept.get(topic, wait) < wait:
            yield (
                f"warning: {topic} keeps records for {format_duration(kept[topic])}, and labels of {name} are waited "
                f"for {format_duration(wait)}: were the store lost, labels of older predictions would find none. Raise "
                f"the topic's retention.ms to {wait // 10**6}, or lower labels.wait"
            )


def _outputs(settings: Settings, kafka: Kafka) -> Iterator[str]:
    from anchorwatch.transport.kafka_probe import missing_topics

    topics = sorted({*settings.outputs.model_dump().values()})
    missing = missing_topics(kafka, topics)
    for topic in topics:
        yield f"{topic} {_TO_BE_MADE if topic in missing else 'is there'}"


def _baselines(settings: Settings) -> Iterator[str]:
    for name, model in settings.models.items():
        if model.baseline.file is not None:
            yield f"{name}: {_baseline_file(name, Path(model.baseline.file))}"
        elif model.baseline.name is not None:
            yield f"{name}: {_baseline_in_store(name, model.baseline.name, Path(settings.store))}"


def _baseline_file(model: str, path: Path) -> str:
    from anchorwatch.engine.baseline import Baseline

    try:
        baseline = Baseline.from_json(path.read_bytes())
    except OSError as error:
        raise ConfigurationError(
            f"the baseline of {model} cannot be read from {path} ({error.strerror or error}): correct baseline.file, "
            "or write it with `anchorwatch baseline export`"
        ) from error
    return f"baseline {baseline.id} in {path}"


def _baseline_in_store(model: str, name: str, store: Path) -> str:
    from anchorwatch.store.reader import Reader

    found = None
    if store.exists():
        with Reader.open_reader(store) as reader:
            found = reader.baseline(name, model=model)
    if found is None:
        raise ConfigurationError(
            f"the store {store} has no baseline {name} for {model}: `anchorwatch baseline list` shows those it has, "
            "`anchorwatch baseline build` and `import` add one"
        )
    return f"baseline {found.id} of {found.rows:,} rows"
