"""The composition root: settings become parts, parts become a running daemon.

Everything that exists once is made here and handed down: the store, the connections, the clock.
"""

from __future__ import annotations

import contextlib
import os
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from anchorwatch.engine.baseline import Baseline
from anchorwatch.engine.state import fresh
from anchorwatch.engine.watch import compile_watch
from anchorwatch.errors import ConfigurationError, ConnectionFailed
from anchorwatch.events.decode import Decoder
from anchorwatch.host import Host, Model, Pace, Parts
from anchorwatch.store.rows import Checkpoint
from anchorwatch.store.store import Store

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator, Sequence

    from anchorwatch.clock import Clock
    from anchorwatch.settings.models import Baseline as BaselineSettings
    from anchorwatch.settings.models import Model as ModelSettings
    from anchorwatch.settings.models import Settings
    from anchorwatch.store.reader import Reader
    from anchorwatch.telemetry import Log
    from anchorwatch.transport.kafka import KafkaSource


def models_of(settings: Settings, store: Reader | None) -> list[Model]:
    """Return every model of a configuration, ready for a host.

    Parameters
    ----------
    settings
        The configuration.
    store
        Where baselines are looked up by name.

    Raises
    ------
    ConfigurationError
        If a baseline is named that is not there, or does not hold what the watch needs.
    """
    code = version("anchorwatch")
    models = []
    for name, model in settings.models.items():
        given = given_baseline(name, model.baseline, store)
        watch = compile_watch(settings.source, name, model, given, code)
        models.append(Model(watch, Decoder(name, model), topics_of(model), model.event_time, fresh(watch)))
    return models


def topics_of(model: ModelSettings) -> frozenset[str]:
    """Return the topics a model reads."""
    return frozenset({model.predictions.topic} | ({model.labels.topic} if model.labels is not None else set()))


def given_baseline(model: str, baseline: BaselineSettings, store: Reader | None) -> Baseline | None:
    """Return the baseline that a configuration names or points to; None where it is made of the first rows."""
    if baseline.first is not None:
        return None
    if baseline.file is not None:
        try:
            return Baseline.from_json(Path(baseline.file).read_bytes())
        except OSError as error:
            raise ConfigurationError(
                f"model {model}: the baseline file {baseline.file} cannot be read ({error.strerror}); write it with "
                "`anchorwatch baseline export`"
            ) from error
    row = store.baseline(baseline.name or "", model=model) if store is not None else None
    if row is None:
        raise ConfigurationError(
            f"model {model}: there is no baseline {baseline.name!r} in the store, so nothing could be compared. "
            "See `anchorwatch baseline list`, make one with `anchorwatch baseline build`, or let `baseline: {first: "
            "10000}` make it of the first rows"
        )
    return Baseline.from_json(row.document)


class Daemon:
    """A host on Kafka and a store on disk, until it is told to stop.

    Parameters
    ----------
    settings
        The configuration; it names a broker.
    clock
        Time.
    takeover
        Whether to take the store from a process that holds it.
    reset
        Models whose state is begun anew.
    """

    def __init__(self, settings: Settings, clock: Clock, *, takeover: bool = False, reset: Sequence[str] = ()) -> None:
        if settings.kafka is None:
            raise ConfigurationError("the configuration has no section `kafka`, so there is nothing to read from")
        unknown = sorted(set(reset) - set(settings.models))
        if unknown:
            raise ConfigurationError(f"there is no model {', '.join(unknown)} in the configuration to begin anew")
        self._settings, self._kafka, self._clock = settings, settings.kafka, clock
        self._takeover, self._reset = takeover, tuple(reset)

    def run(self, stop: threading.Event, log: Log) -> None:
        """Watch until `stop` is set; everything taken by then is written before this returns.

        Raises
        ------
        ConfigurationError, ConnectionFailed, StoreError
            If it cannot start, or cannot go on.
        """
        with self._started(log) as (host, source):
            log.say("watching", models=[m.watch.name for m in host.models], positions=_places(host))
            patience = self._kafka.unreachable_after / 1e9
            while not stop.is_set():
                host.turn(0.5)
                if source.silent_for() > patience:
                    raise ConnectionFailed(
                        f"Kafka at {self._kafka.bootstrap_servers} has been silent for {source.silent_for():.0f} s "
                        "(kafka.unreachable_after): what was read is checkpointed; the next start goes on from there"
                    )
            host.checkpoint()
            log.say("stopped", positions=_places(host))

    @contextlib.contextmanager
    def _started(self, log: Log) -> Iterator[tuple[Host, KafkaSource]]:
        from anchorwatch.transport.kafka import KafkaSource  # noqa: PLC0415 - only where Kafka is used
        from anchorwatch.transport.kafka_sink import KafkaSink  # noqa: PLC0415 - as above

        settings, clock = self._settings, self._clock
        with contextlib.ExitStack() as parts:
            holder = f"anchorwatch {version('anchorwatch')} process {os.getpid()}"
            store = Store.open(Path(settings.store), holder=holder, now=clock.now(), takeover=self._takeover)
            parts.callback(store.close)
            for name in self._reset:
                gone = dict.fromkeys(store.parts(name), None)
                store.checkpoint(Checkpoint(at=clock.now(), parts={name: gone}))
            models = models_of(settings, store)
            topics = frozenset[str]().union(*(m.topics for m in models))
            source = KafkaSource(self._kafka, topics, clock, store.id)
            parts.callback(source.close)
            source.check_store()
            sink = KafkaSink(self._kafka, clock)
            parts.callback(sink.close)
            outputs = settings.outputs
            sink.ensure_topics({outputs.alerts, outputs.retrain, outputs.dead_letters})
            pace = Pace(patience=self._kafka.unreachable_after / 1e9)
            host = Host(models, Parts(source, sink, store, clock), settings.source, outputs, pace, observe=log.outcome)
            host.start()
            yield host, source


def _places(host: Host) -> dict[str, int]:
    return {str(partition): offset for partition, offset in sorted(host.positions.items())}


def replayed(
    host: Host, progress: Callable[[int], None] | None = None, until: Callable[[], bool] | None = None
) -> None:
    """Run a host to the end of its source, or until it is to stop.

    Parameters
    ----------
    host
        The host, not started yet.
    progress
        Told the number of records read after each turn.
    until
        Asked before each turn whether to stop.
    """
    host.start()
    while not host.ended and not (until is not None and until()):
        host.turn(0.1)
        if progress is not None:
            progress(host.read)
    host.turn(0.0)
    host.checkpoint()
