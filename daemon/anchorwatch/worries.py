"""What goes wrong while a daemon runs, looked for after each turn and told where somebody should know."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

from anchorwatch.errors import ConnectionFailed
from anchorwatch.telemetry import Troubles

if TYPE_CHECKING:
    from anchorwatch.clock import Clock
    from anchorwatch.events.records import Partition
    from anchorwatch.host import Host
    from anchorwatch.settings.kafka import Kafka
    from anchorwatch.telemetry import Log
    from anchorwatch.transport.kafka import KafkaSource

SILENT: Final = 10.0
"""Seconds of the broker's silence that are told; half of `kafka.unreachable_after` where that is less."""
DEAD: Final = 60.0
"""Seconds between two tellings of how many records became dead letters."""


class Worries:
    """Looks after a host on Kafka.

    Parameters
    ----------
    log, clock
        Where it is told, and when.
    kafka
        How long the broker may be silent.
    host, source
        What is looked after.
    """

    def __init__(self, log: Log, clock: Clock, kafka: Kafka, host: Host, source: KafkaSource) -> None:
        self._log, self._clock, self._kafka, self._host, self._source = log, clock, kafka, host, source
        self._troubles = Troubles(log, clock)
        self._patience = kafka.unreachable_after / 1e9
        self._partitions = set(source.partitions())
        self._broken: set[Partition] = set()
        self._dead = self._dead_letters()
        self._dead_told: float | None = None

    def look(self) -> None:
        """Tell what began, what is over, and what was found.

        Raises
        ------
        ConnectionFailed
            Where the broker has been silent for too long.
        """
        host, source, note = self._host, self._source, self._troubles.note
        # nobody listens to the broker while nothing is read
        silent = 0.0 if host.full else source.silent_for()
        silence = {"kafka": self._kafka.bootstrap_servers, "seconds": round(silent, 1), "exit_after": self._patience}
        note("broker_silent", silence if silent > min(SILENT, self._patience / 2) else None)
        failure = host.publisher.failure
        note("publishing_failed", None if failure is None else {"why": str(failure), "lost": "nothing"})
        waiting = {"more_than": host.pace.outbox, "why": "so many messages wait to be published"}
        note("reading_paused", waiting if host.full else None)
        uncommitted = {"group": self._kafka.group, "why": "see the broker; our positions are safe in the store"}
        note("offsets_not_committed", uncommitted if host.uncommitted else None)
        for partition in self._broken | source.broken.keys():
            why = source.broken.get(partition)
            broken = None if why is None else {"partition": str(partition), "why": why}
            note("partition_unreadable", broken, str(partition))
        self._broken |= source.broken.keys()
        self._tell_found()
        self._tell_dead()
        if silent > self._patience:
            raise ConnectionFailed(
                f"Kafka at {self._kafka.bootstrap_servers} has been silent for {silent:.0f} s "
                "(kafka.unreachable_after): what was read is checkpointed; the next start goes on from there"
            )

    def _tell_found(self) -> None:
        """Tell of partitions that have appeared."""
        found = set(self._source.partitions()) - self._partitions
        if found:
            self._partitions |= found
            self._log.say("partitions_found", partitions=sorted(map(str, found)), read_from="beginning")

    def part(self) -> None:
        """Tell what was held back to be told together with more."""
        self._dead_told = None
        self._tell_dead()

    def _tell_dead(self) -> None:
        """Tell at times how many more records became dead letters, by model and reason."""
        now = self._clock.monotonic()
        if self._dead_told is not None and now - self._dead_told < DEAD:
            return
        dead = self._dead_letters()
        if more := dead - self._dead:
            self._dead, self._dead_told = dead, now
            told = {f"{model}: {reason}": n for (model, reason), n in sorted(more.items())}
            self._log.warning("dead_letters", records=told)

    def _dead_letters(self) -> Counter[tuple[str, str]]:
        return Counter(
            {
                (model.watch.name, name.removeprefix("dead_")): n
                for model in self._host.models
                for name, n in model.state.counts.items()
                if name.startswith("dead_")
            }
        )
