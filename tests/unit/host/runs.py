"""Hosts over lists and a store on disk, for tests that end them, refuse them and let them wait."""

from contextlib import closing

from tests.property.worlds import NOW

from anchorwatch.engine.state import fresh
from anchorwatch.events.decode import Decoder
from anchorwatch.host import Host, Pace, Parts
from anchorwatch.hosted import Model
from anchorwatch.settings.models import Outputs
from anchorwatch.store.store import Store
from anchorwatch.testing import ListSource, ManualClock, SideEffects

OUTPUTS = Outputs()
QUICK = Pace(records=60, checkpoint=0.0, heartbeat=5.0)


def a_source(logs, *end):
    """Return logs as a source, each with these marks at its end."""
    return ListSource({partition: [*log, *end] for partition, log in logs.items()})


def a_model(world):
    watch, settings = world.watch(), world.settings
    topics = {settings.predictions.topic} | ({settings.labels.topic} if settings.labels else set())
    decoder, statuses = Decoder("fraud", settings, world.statuses), world.statuses
    read = frozenset(topics | ({statuses} if statuses else set()))
    return Model(watch, decoder, read, settings.event_time, fresh(watch), statuses)


def opened(path):
    return Store.open(path, holder="a test", now=NOW)


def a_host(world, source, sink, store, *, effects=None, clock=None, pace=QUICK):
    """Return a host whose side effects have boundaries."""
    effects = effects or SideEffects()
    sink.effects = effects
    parts = Parts(
        effects.wrap(source, "commit"),
        sink,
        effects.wrap(store, "checkpoint", "published"),
        clock or ManualClock(NOW),
    )
    return Host([a_model(world)], parts, "/test", OUTPUTS, pace)


def to_the_end(host):
    """Run as a replay does."""
    host.start()
    while not host.ended:
        host.turn(0.0)
    host.turn(0.0)
    host.checkpoint()


def found(path):
    """Return all that a store holds in the end: state, positions, history; not how often it was opened."""
    with closing(opened(path)) as store:
        return {
            "parts": store.parts("fraud"),
            "positions": store.positions(),
            "outbox": store.outbox_size(),
            "scores": sorted(map(repr, store.scores(limit=10**6))),
            "alerts": store.alerts(limit=10**6),
            "incidents": store.incidents(limit=10**6),
            "triggers": store.triggers(limit=10**6),
            "stages": store.stages(limit=10**6),
            "baselines": store.baselines(),
        }
