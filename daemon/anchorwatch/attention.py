"""Which partitions a host holds back, and which it does not wait for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anchorwatch.engine import watermark

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from anchorwatch.events.records import Partition, Records, Source
    from anchorwatch.hosted import Model


def held_back(
    models: Sequence[Model], partitions: Sequence[Partition], caught_up: Collection[Partition]
) -> frozenset[Partition]:
    """Return the partitions that are ahead of the others in event time, for any model.

    So a backlog is worked off in the order it happened, joins find their partners, and memory stays bounded. Reports
    on retrainings are few and are read first, so that events need not wait for them in memory.
    """
    unread = {p.topic for p in partitions if p not in caught_up}
    names: set[str] = set()
    for model in models:
        mine = [str(p) for p in partitions if p.topic in model.topics]
        if model.statuses in unread:
            names |= {str(p) for p in partitions if p.topic in model.topics - {model.statuses}}
        quiet = {str(p) for p in model.idle}
        names |= watermark.ahead(model.state.mark, mine, quiet, model.event_time.ahead)
    return frozenset(p for p in partitions if str(p) in names)


class Silence:
    """How long each partition has been silent, with nothing left in it to read."""

    def __init__(self) -> None:
        self._since: dict[Partition, float] = {}
        self._silent: frozenset[Partition] = frozenset()

    def note(self, now: float, source: Source, records: Sequence[Records], paused: Collection[Partition]) -> None:
        """Take note of a poll.

        Parameters
        ----------
        now
            Seconds of a monotonic clock.
        source, records, paused
            What was polled, what it gave, and what it was not to give.
        """
        silent = set(source.caught_up()) - set(paused) - {part.partition for part in records}
        self._silent = frozenset(silent)
        for partition in source.partitions():
            if partition not in silent or partition not in self._since:
                self._since[partition] = now

    def idle(
        self, now: float, source: Source, topics: Collection[str], patience: float, sparse: str | None = None
    ) -> frozenset[Partition]:
        """Return the partitions of these topics that ended, or have been silent for `patience` seconds.

        Those of the topic `sparse`, where something comes once in a while, are not waited for when they are silent.
        """
        ended = set(source.ended()) | {p for p in self._silent if p.topic == sparse}
        mine = [p for p in source.partitions() if p.topic in topics]
        return frozenset(p for p in mine if p in ended or now - self._since.get(p, now) >= patience)
