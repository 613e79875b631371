"""A host of models: reads, steps, writes everything in one transaction, publishes, and says how far it is.

The daemon, a replay and the demo are this host with other parts. The order of `turn` is what makes a crash harmless:
what was not in a checkpoint is read again, what was in one but not published is published again with the same ids.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from anchorwatch.attention import Silence, held_back
from anchorwatch.decide.publish import messages
from anchorwatch.engine.state import fresh, from_parts, to_parts
from anchorwatch.engine.step import step
from anchorwatch.errors import ConnectionFailed
from anchorwatch.events import deadletters
from anchorwatch.history import Unwritten
from anchorwatch.hosted import Orders, listen
from anchorwatch.publishing import Outbox, Publisher

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from anchorwatch.clock import Clock
    from anchorwatch.engine.step import Outcome
    from anchorwatch.events.records import Outgoing, Partition, Records, Sink, Source
    from anchorwatch.hosted import Hearer, Model
    from anchorwatch.settings.models import Outputs
    from anchorwatch.store.rows import Checkpoint


Observer = Callable[["Outcome", "Sequence[Outgoing]"], None]


class Keeper(Outbox, Orders, Protocol):
    """What a host needs of a store."""

    def positions(self) -> dict[Partition, int]:
        """Return the next offset to read of each partition."""

    def parts(self, model: str) -> dict[str, bytes]:
        """Return the state of a model."""

    def checkpoint(self, checkpoint: Checkpoint) -> None:
        """Write all or nothing."""

    def outbox_size(self) -> int:
        """Return how many messages wait."""

    def heartbeat(self, now: int) -> None:
        """Say that the writer lives."""

    def prune(self, now: int) -> int:
        """Delete some of the history that is too old; return how many rows."""


@dataclass(frozen=True, slots=True)
class Pace:
    """How a host goes.

    Attributes
    ----------
    records
        Most records of one turn.
    checkpoint
        Seconds between checkpoints while there is nothing to tell.
    heartbeat
        Seconds between signs of life while there is nothing to write.
    prune
        Seconds between clearings of old history.
    outbox
        Messages that may wait for publishing before nothing more is read.
    patience
        Seconds for which publishing may fail before the host gives up.
    """

    records: int = 20_000
    checkpoint: float = 1.0
    heartbeat: float = 5.0
    prune: float = 3600.0
    outbox: int = 10_000
    patience: float = 300.0


@dataclass(frozen=True, slots=True)
class Parts:
    """What a host is made of."""

    source: Source
    sink: Sink
    store: Keeper
    clock: Clock


class Host:
    """Keeps models, their positions and what they tell together.

    Parameters
    ----------
    models
        The models; their state is taken from the store by `start`.
    source, sink, store, clock
        The parts.
    source_name, outputs
        Who we are, and the topics that are written to.
    pace
        How it goes.
    observe, hear
        Called with what came of each batch, before it is written: for people who watch, never for decisions;
        `hear` with a model's name and what became of people's orders to it.

    Attributes
    ----------
    positions
        Next offset to read of each partition, as of the last checkpoint.
    read
        Records read since the start.
    uncommitted
        Commits of positions in a row that failed; they are hints, so nothing is lost.
    publisher
        What publishes; it says why that fails, where it does.
    full
        Whether so much waits to be published that nothing is read.
    """

    def __init__(
        self,
        models: Sequence[Model],
        parts: Parts,
        source_name: str,
        outputs: Outputs,
        pace: Pace | None = None,
        observe: Observer | None = None,
        hear: Hearer | None = None,
    ) -> None:
        self.models = list(models)
        self.observe, self._hear = observe, hear
        self.read = self.uncommitted = 0
        self.pace = pace or Pace()
        self._source, self._store, self._clock = parts.source, parts.store, parts.clock
        self.publisher = Publisher(parts.sink, parts.store, parts.clock, self.pace.patience)
        self.full = False
        self._name, self._outputs = source_name, outputs
        self._unwritten = Unwritten()
        self._silence = Silence()
        self._written = self._alive = self._pruned = 0.0
        self.positions: dict[Partition, int] = {}
        self._committed: dict[Partition, int] = {}
        self._tried: float | None = None

    def start(self) -> None:
        """Take up where the store stands: states, positions, and messages that were not published."""
        for model in self.models:
            saved = self._store.parts(model.watch.name)
            model.state = from_parts(model.watch, saved) if saved else fresh(model.watch)
            model.saved = model.state if saved else None
        topics = frozenset[str]().union(*(model.topics for model in self.models))
        # the store also remembers topics of models that are no longer in the configuration
        self.positions = {p: offset for p, offset in self._store.positions().items() if p.topic in topics}
        self._source.seek(self.positions)
        self._written = self._alive = self._pruned = self._clock.monotonic()
        listen(self.models, self._store, self._hear)
        self.publish()

    def turn(self, timeout: float) -> int:
        """Read once and take it all the way; return how many records were read.

        Raises
        ------
        ConnectionFailed
            Where publishing has failed for longer than the patience.
        """
        self.full = self._store.outbox_size() > self.pace.outbox
        if self.full:
            self._clock.sleep(min(timeout, 1.0))
            self._live(self._clock.monotonic())
            self.publish()
            return 0
        partitions = self._source.partitions()
        paused = held_back(self.models, partitions, self._source.caught_up())
        records = self._source.poll(self.pace.records, timeout, paused)
        self._silence.note(self._clock.monotonic(), self._source, records, paused)
        for part in records:
            self._unwritten.positions[part.partition] = part.offsets[-1] + 1
        for model in self.models:
            self._step(model, partitions, records)
        if self._due():
            self.checkpoint()
        n = sum(len(part.offsets) for part in records)
        self.read += n
        return n

    def checkpoint(self) -> None:
        """Write everything since the last checkpoint in one transaction, then publish it and say how far we are."""
        listen(self.models, self._store, self._hear)
        unwritten, self._unwritten = self._unwritten, Unwritten()
        parts: dict[str, Mapping[str, bytes | None]] = {}
        for model in self.models:
            if model.state is not model.saved:
                parts[model.watch.name] = to_parts(model.watch, model.state, model.saved)
        now = self._clock.monotonic()
        if parts or unwritten.positions:
            self._store.checkpoint(unwritten.checkpoint(self._clock.now(), parts))
            for model in self.models:
                model.saved = model.state
            self.positions.update(unwritten.positions)
            self._written = self._alive = now
        else:
            self._live(now)
        self.publish()
        rested = self._tried is None or now - self._tried >= self.pace.heartbeat
        if self.positions != self._committed and (unwritten.positions or rested):
            self._commit(now)

    def _live(self, now: float) -> None:
        """Show that we live, where nothing was written for a while."""
        if now - self._alive >= self.pace.heartbeat:
            self._store.heartbeat(self._clock.now())
            self._alive = now

    def _commit(self, now: float) -> None:
        """Tell the outside how far we are; a failure is counted and tried again later, the store is the truth."""
        self._tried = now
        try:
            self._source.commit(dict(self.positions))
        except ConnectionFailed:
            self.uncommitted += 1
        else:
            self.uncommitted = 0
            self._committed = dict(self.positions)

    def publish(self) -> None:
        """Write what waits in the outbox; a failure is tried again at the next call, until patience ends."""
        self.publisher.publish()

    @property
    def ended(self) -> bool:
        """Whether no partition will give another record, and all of them are taken."""
        ended = set(self._source.ended())
        return all(p in ended for p in self._source.partitions())

    def _step(self, model: Model, partitions: Sequence[Partition], records: Sequence[Records]) -> None:
        mine = [p for p in partitions if p.topic in model.topics]
        given = [part for part in records if part.partition.topic in model.topics]
        patience = model.event_time.idle_after / 1e9
        quiet = self._silence.idle(self._clock.monotonic(), self._source, model.topics, patience, model.statuses)
        if not given and quiet == model.idle:
            return
        batch, letters = model.decoder.decode(given, mine, self._clock.now(), quiet, self._source.ended())
        model.state, outcome = step(model.watch, model.state, batch)
        model.idle = quiet
        self._unwritten.outbox += [
            deadletters.message(letter, self._name, self._outputs.dead_letters) for letter in letters
        ]
        self._note(model.watch.name, outcome)

    def _note(self, model: str, outcome: Outcome) -> None:
        told = messages(self._name, self._outputs, outcome.decision)
        if self.observe is not None:
            self.observe(outcome, told)
        self._unwritten.note(self._name, model, outcome, told, self._clock.now())

    def _due(self) -> bool:
        return self._unwritten.urgent or self._clock.monotonic() - self._written >= self.pace.checkpoint
