"""One source for several readers: each gets every record once, and the source is read once."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from anchorwatch.events.records import Partition, Records, Source


class SharedSource:
    """Gives each of its readers the same records; what one has read waits until the others have it too.

    Parameters
    ----------
    source
        What is read, from its beginning.
    readers
        How many readers there are.

    Attributes
    ----------
    readers
        A source for each of them.
    """

    def __init__(self, source: Source, readers: int) -> None:
        self._source = source
        self._waiting: list[deque[Records]] = [deque() for _ in range(readers)]
        self.readers = [_Reader(source, self, waiting) for waiting in self._waiting]

    def fetch(self, limit: int, timeout: float, paused: Collection[Partition]) -> None:
        """Read from the source, for all readers."""
        for records in self._source.poll(limit, timeout, paused):
            for waiting in self._waiting:
                waiting.append(records)


class _Reader:
    """What one reader sees of a shared source."""

    def __init__(self, source: Source, shared: SharedSource, waiting: deque[Records]) -> None:
        self._source, self._shared, self._waiting = source, shared, waiting

    def partitions(self) -> Sequence[Partition]:
        """Return all partitions of the source."""
        return self._source.partitions()

    def seek(self, positions: Mapping[Partition, int]) -> None:
        """Stay where the source is: all of its readers begin there.

        Raises
        ------
        ValueError
            If there are positions to go on from.
        """
        if positions:
            raise ValueError("readers of a shared source all begin where it begins")

    def poll(self, limit: int, timeout: float, paused: Collection[Partition] = ()) -> Sequence[Records]:
        """Return up to `limit` records, those first that another reader has had already."""
        if all(records.partition in paused for records in self._waiting):
            self._shared.fetch(limit, timeout, paused)
        taken: list[Records] = []
        kept: list[Records] = []
        room = limit
        for records in self._waiting:
            open_to_it = records.partition not in paused
            if open_to_it and (room == limit or len(records.offsets) <= room):
                taken.append(records)
                room -= len(records.offsets)
            else:
                kept.append(records)
                room = 0 if open_to_it else room  # what is behind it comes with a later call, in its order
        self._waiting.clear()
        self._waiting.extend(kept)
        return taken

    def ended(self) -> Collection[Partition]:
        """Return the partitions that will never give this reader another record."""
        return self._without_waiting(self._source.ended())

    def caught_up(self) -> Collection[Partition]:
        """Return the partitions of which this reader has everything that is known to be in the log."""
        return self._without_waiting(self._source.caught_up())

    def _without_waiting(self, partitions: Collection[Partition]) -> Collection[Partition]:
        return set(partitions) - {records.partition for records in self._waiting}

    def commit(self, positions: Mapping[Partition, int]) -> None:
        """Tell nobody: the readers are at different places."""

    def close(self) -> None:
        """Leave the source to whoever made it."""
