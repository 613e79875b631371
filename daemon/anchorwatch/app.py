"""The composition root: settings become parts, parts become a running daemon.

Everything that exists once is made here and handed down: the store, the connections, the clock.
"""

from __future__ import annotations

import contextlib
import gc
import json
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from anchorwatch.decide.decision import Decisions
from anchorwatch.decide.incidents import Incidents
from anchorwatch.engine.baseline import Baseline
from anchorwatch.engine.state import State, fresh, to_parts
from anchorwatch.engine.watch import compile_watch
from anchorwatch.errors import ConfigurationError
from anchorwatch.events.decode import Decoder
from anchorwatch.host import Host, Pace, Parts
from anchorwatch.hosted import Model
from anchorwatch.store.rows import Checkpoint
from anchorwatch.store.store import Store
from anchorwatch.worries import Worries
from anchorwatch_detectors.warming import warm, warm_learners

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from anchorwatch.clock import Clock
    from anchorwatch.engine.watch import Watch
    from anchorwatch.events.records import Partition
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
        statuses = settings.inputs.retrain_status if model.retrain else None
        watch = compile_watch(settings.source, name, model, given, code, answered=statuses is not None)
        topics = topics_of(model) | ({statuses} if statuses is not None else set())
        decoder = Decoder(name, model, statuses)
        models.append(Model(watch, decoder, topics, model.event_time, fresh(watch), statuses))
    return models


def warmed_models_of(settings: Settings, store: Reader | None) -> list[Model]:
    """Return what `models_of` does, with all compiled that a stream would else wait for at its first use."""
    models = models_of(settings, store)
    lookouts = [lookout for model in models for lookout in model.watch.lookouts()]
    for detector in {lookout.detector.name: lookout.detector for lookout in lookouts}.values():
        warm(detector)
    if any(model.watch.keeping is not None for model in models):
        warm_learners()
    return models


def topics_of(model: ModelSettings) -> frozenset[str]:
    """Return the topics that hold a model's events."""
    return frozenset({model.predictions.topic} | ({model.labels.topic} if model.labels is not None else set()))


def status_topics(settings: Settings) -> frozenset[str]:
    """Return the topic on which retrainings are reported, where there is one and a model asks for retrainings."""
    topic = settings.inputs.retrain_status
    return frozenset() if topic is None or not any(m.retrain for m in settings.models.values()) else frozenset({topic})


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


def begun_anew(watch: Watch, store: Reader) -> State:
    """Return the state of a model that has seen nothing, but goes on counting its alerts and incidents.

    Ids are made of these counts. Counted from 1 again, the first alerts and triggers of the new state would bear the
    ids of old ones, and be held for messages that were published long ago.
    """
    told = store.alerts(model=watch.name, limit=-1)
    episodes = max((json.loads(row.document)["data"]["episode"] for row in told), default=0)
    incidents = Incidents(number=max((row.incident or 0 for row in told), default=0))
    return replace(fresh(watch), decisions=Decisions(episodes=episodes, incidents=incidents))


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
        with self._started(log) as (host, source, store):
            log.say("watching", **self._described(host, source, store))
            worries = Worries(log, self._clock, self._kafka, host, source)
            while not stop.is_set():
                host.turn(0.5)
                worries.look()
            host.checkpoint()
            worries.part()
            log.say("stopped", positions=_places(host.positions))

    def _described(self, host: Host, source: KafkaSource, store: Store) -> dict[str, object]:
        """Return what an operator wants to know of a daemon that has started."""
        read = {partition: host.positions.get(partition, "beginning") for partition in source.partitions()}
        return {
            "anchorwatch": version("anchorwatch"),
            "source": self._settings.source,
            "kafka": self._kafka.bootstrap_servers,
            "group": self._kafka.group,
            "store": str(store.path),
            "store_id": store.id,
            "epoch": store.epoch,
            "models": [m.watch.name for m in host.models],
            "positions": _places(read),
            "unpublished": store.outbox_size(),
        }

    @contextlib.contextmanager
    def _started(self, log: Log) -> Iterator[tuple[Host, KafkaSource, Store]]:
        from anchorwatch.transport.kafka import KafkaSource
        from anchorwatch.transport.kafka_sink import KafkaSink

        settings, clock = self._settings, self._clock
        with contextlib.ExitStack() as parts:
            holder = f"anchorwatch {version('anchorwatch')}"
            store = Store.open(Path(settings.store), holder=holder, now=clock.now(), takeover=self._takeover)
            parts.callback(store.close)
            models = warmed_models_of(settings, store)
            for model in models:
                if (name := model.watch.name) in self._reset:
                    anew = to_parts(model.watch, begun_anew(model.watch, store))
                    store.forget(name)
                    store.checkpoint(Checkpoint(at=clock.now(), parts={name: anew}))
            topics = frozenset[str]().union(*(m.topics for m in models))
            sink = KafkaSink(self._kafka, clock)
            parts.callback(sink.close)
            if reported := status_topics(settings):
                sink.ensure_topics(reported)  # read below, and empty until somebody reports
            source = KafkaSource(self._kafka, topics, clock, store.id)
            parts.callback(source.close)
            if not self._takeover:
                source.check_store()
            outputs = settings.outputs
            sink.ensure_topics({outputs.alerts, outputs.retrain, outputs.dead_letters})
            pace = Pace(patience=self._kafka.unreachable_after / 1e9)
            parts_of = Parts(source, sink, store, clock)
            host = Host(models, parts_of, settings.source, outputs, pace, log.outcome, log.obeyed)
            host.start()
            collect_rarely()
            yield host, source, store


def _places(positions: Mapping[Partition, int | str]) -> dict[str, int | str]:
    return {str(partition): offset for partition, offset in sorted(positions.items())}


def collect_rarely() -> None:
    """Let Python look for cycles less often: a batch makes tens of thousands of small objects, and none is in one."""
    gc.set_threshold(50_000, 20, 50)


def replayed(
    hosts: Sequence[Host], progress: Callable[[int], None] | None = None, until: Callable[[], bool] | None = None
) -> None:
    """Run hosts to the end of their source, turn by turn, or until they are to stop.

    Parameters
    ----------
    hosts
        The hosts, not started yet.
    progress
        Told the number of records that the first of them has read, after each turn.
    until
        Asked before each turn whether to stop.
    """
    collect_rarely()
    for host in hosts:
        host.start()
    while (reading := [host for host in hosts if not host.ended]) and not (until is not None and until()):
        for host in reading:
            host.turn(0.1)
        if progress is not None:
            progress(hosts[0].read)
    for host in hosts:
        host.turn(0.0)
        host.checkpoint()
