"""The demo: simulated fraud traffic through the memory transport and the real engine, and what was caught of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from anchorwatch.app import models_of, topics_of
from anchorwatch.decide.evidence import Kind
from anchorwatch.decide.notices import Status
from anchorwatch.host import Host, Pace, Parts
from anchorwatch.settings.loader import load
from anchorwatch.simulate.faults import FaultKind
from anchorwatch.simulate.scenario import configuration
from anchorwatch.simulate.traffic import PREDICTIONS
from anchorwatch.store.store import Store
from anchorwatch.transport.memory import Entry, MemoryLog, MemorySink, MemorySource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from anchorwatch.clock import Clock
    from anchorwatch.decide.incident_notice import IncidentNotice
    from anchorwatch.decide.notices import Notice
    from anchorwatch.decide.triggers import Trigger
    from anchorwatch.engine.step import Outcome
    from anchorwatch.events.records import Outgoing
    from anchorwatch.simulate.faults import Fault
    from anchorwatch.simulate.scenario import Scenario
    from anchorwatch.simulate.traffic import Message

SLICE: Final = 500

SHOWS: Final[dict[FaultKind, frozenset[tuple[Kind, str]]]] = {
    FaultKind.AMOUNT_DRIFT: frozenset({(Kind.DRIFT, "amount")}),
    FaultKind.CONCEPT_DRIFT: frozenset({(Kind.ACCURACY, "error rate")}),
    FaultKind.SCHEMA_BREAK: frozenset({(Kind.SCHEMA, "device_age")}),
}
"""What each fault is expected to be caught by: kind and subject of an alert."""

FOLLOWS: Final[dict[FaultKind, frozenset[tuple[Kind, str]]]] = {
    FaultKind.AMOUNT_DRIFT: frozenset(
        {
            (Kind.PREDICTION, "prediction:score"),
            (Kind.PREDICTION, "prediction:class"),
            (Kind.ACCURACY, "error rate"),
            (Kind.QUALITY, "amount out of range"),
        }
    ),
    FaultKind.CONCEPT_DRIFT: frozenset(),
    FaultKind.SCHEMA_BREAK: frozenset(
        {
            (Kind.QUALITY, "device_age missing"),
            (Kind.PREDICTION, "prediction:score"),
            (Kind.PREDICTION, "prediction:class"),
            (Kind.ACCURACY, "error rate"),
        }
    ),
}
"""What each fault may bring about besides: the score depends on the amount and on the age of the device."""


class Caught(NamedTuple):
    """A planted fault and after how many predictions it was told; None for never."""

    kind: FaultKind
    at: int
    after: int | None


@dataclass(slots=True)
class Story:
    """What happened so far.

    Attributes
    ----------
    scenario
        What is played.
    times
        Event times of the predictions, ns.
    notices, incidents, triggers
        What was told, in order.
    """

    scenario: Scenario
    times: list[int] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    incidents: list[IncidentNotice] = field(default_factory=list)
    triggers: list[Trigger] = field(default_factory=list)

    def number_at(self, time: int) -> int:
        """Return how many predictions there were up to an event time."""
        return int(np.searchsorted(np.array(self.times), time, side="right"))

    @property
    def planted(self) -> list[Fault]:
        """Return the faults there are to catch: the retrained version is none."""
        return [fault for fault in self.scenario.faults if fault.kind in SHOWS]

    @property
    def fired(self) -> list[Notice]:
        """Return the notices that told of an alert for the first time."""
        return [notice for notice in self.notices if notice.begins]

    def caught(self) -> list[Caught]:
        """Return each planted fault with how long it took."""
        out = []
        for fault in self.planted:
            told = [self.number_at(n.at) for n in self.fired if _about(n) in SHOWS[fault.kind]]
            after = next((number - fault.at_event for number in told if number > fault.at_event), None)
            out.append(Caught(fault.kind, fault.at_event, after))
        return out

    def false_alarms(self) -> list[Notice]:
        """Return the alerts that nothing planted before them explains."""
        return [notice for notice in self.fired if not self._explained(notice)]

    def resolved(self) -> bool:
        """Return whether everything that fired has resolved."""
        firing = sum(notice.status is Status.RESOLVED for notice in self.notices)
        return bool(self.fired) and firing == len(self.fired)

    def to_plain(self) -> dict[str, Any]:
        """Return the end of the story as one JSON object."""
        caught = self.caught()
        return {
            "planted": len(caught),
            "caught": sum(c.after is not None for c in caught),
            "false_alarms": len(self.false_alarms()),
            "triggers": len(self.triggers),
            "faults": [{"kind": str(c.kind), "at": c.at, "caught_after_events": c.after} for c in caught],
        }

    def _explained(self, notice: Notice) -> bool:
        number = self.number_at(notice.at)
        return any(_about(notice) in SHOWS[f.kind] | FOLLOWS[f.kind] and f.at_event < number for f in self.planted)


def _about(notice: Notice) -> tuple[Kind, str]:
    return notice.identity.kind, notice.identity.subject


def play(scenario: Scenario, seed: int, clock: Clock, show: Callable[[Story], None]) -> Story:
    """Play a scenario to its end.

    Parameters
    ----------
    scenario
        What is played.
    seed
        Of everything random.
    clock
        Time, for the host.
    show
        Called after every few hundred predictions with the story so far.
    """
    settings = load(configuration(scenario.baseline), {})
    story = Story(scenario)

    def observe(outcome: Outcome, _told: Sequence[Outgoing]) -> None:
        story.notices += outcome.decision.notices
        story.incidents += outcome.decision.incidents
        story.triggers += outcome.decision.triggers

    log = MemoryLog()
    topics = frozenset[str]().union(*(topics_of(model) for model in settings.models.values()))
    for topic in topics:
        log.create(topic)
    store = Store.open(Path(":memory:"), holder="the demo", now=clock.now())
    parts = Parts(MemorySource(log, topics), MemorySink(log), store, clock)
    pace = Pace(checkpoint=3600.0, heartbeat=3600.0)
    host = Host(models_of(settings, None), parts, settings.source, settings.outputs, pace, observe)
    host.start()
    for part in _sliced(scenario.traffic(seed).messages()):
        for message in part:
            log.append(message.topic, Entry(message.value, message.key, timestamp=message.time))
        story.times += [message.time for message in part if message.topic == PREDICTIONS]
        host.turn(0.0)
        show(story)
    for topic in topics:
        log.finish(topic)
    while not host.ended:
        host.turn(0.0)
    host.turn(0.0)
    host.checkpoint()
    store.close()
    show(story)
    return story


def _sliced(messages: Iterator[Message]) -> Iterator[list[Message]]:
    """Yield the messages a few hundred predictions at a time."""
    part: list[Message] = []
    n = 0
    for message in messages:
        part.append(message)
        n += message.topic == PREDICTIONS
        if n == SLICE:
            yield part
            part, n = [], 0
    if part:
        yield part
