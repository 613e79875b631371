"""The test kit: a clock moved by hand, a source that is a list, a sink that is a list, and runs that end where told.

A crash test is a list: put the records of a partition into one, with marks where something happens.

>>> from anchorwatch.events.records import Partition
>>> source = ListSource({Partition("clicks", 0): [b"1", PAUSE, b"2", EOF]})
>>> [list(r.values) for r in source.poll(10, 0.0)]
[[b'1']]
>>> source.poll(10, 0.0)
[]
>>> [list(r.values) for r in source.poll(10, 0.0)], source.ended()
([[b'2']], {Partition(topic='clicks', number=0)})
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from anchorwatch.errors import ConnectionFailed, PositionLost
from anchorwatch.transport.memory import Entry, as_records

if TYPE_CHECKING:
    import random
    from collections.abc import Collection, Mapping, Sequence

    from anchorwatch.events.records import Outgoing, Partition, Records

T = TypeVar("T")


class Crash(BaseException):
    """The process ends here, as if it were killed; not an `Exception`, so that nobody handles it by accident."""


class Mark(enum.Enum):
    """What happens at a place in a list of records; see `EOF`, `ABORT` and `PAUSE`."""

    EOF = "eof"
    ABORT = "abort"
    PAUSE = "pause"


# The partition ends here; a source that starts exactly here reads on behind it.
EOF: Final = Mark.EOF
# The first read that gets here raises `Crash`; the next one passes.
ABORT: Final = Mark.ABORT
# One poll gets nothing from this partition.
PAUSE: Final = Mark.PAUSE

Item = bytes | None | Entry | Mark


class ManualClock:
    """A clock that stands still until somebody moves it; sleeping moves it.

    Parameters
    ----------
    now
        Wall time it starts at, ns since the epoch.
    """

    def __init__(self, now: int = 1_700_000_000_000_000_000) -> None:
        self._now = now
        self._monotonic = 0.0

    def now(self) -> int:
        """Return nanoseconds since the epoch, UTC."""
        return self._now

    def monotonic(self) -> float:
        """Return seconds since the clock was made."""
        return self._monotonic

    def sleep(self, seconds: float) -> None:
        """Move on by `seconds` without waiting."""
        self._now += round(seconds * 1e9)
        self._monotonic += seconds

    def step(self, seconds: float) -> None:
        """Set the wall clock forward or back, as an operator or NTP does; monotonic time is not moved."""
        self._now += round(seconds * 1e9)


class ListSource:
    """Reads lists, one a partition, with marks for what shall happen where.

    A list that does not end with `EOF` is an endless partition that has fallen silent. The source outlives a crash:
    keep it and start again with `seek`, as a broker is kept.

    Parameters
    ----------
    records
        Per partition: payloads (None is a tombstone), whole entries, or marks. Offsets count the records only.
    shuffle
        Decides at each poll which partitions give how much, to try all interleavings; without it all give all they can,
        in sorted order.
    """

    def __init__(self, records: Mapping[Partition, Sequence[Item]], shuffle: random.Random | None = None) -> None:
        self._items = {partition: tuple(items) for partition, items in records.items()}
        self._shuffle = shuffle
        self._place = dict.fromkeys(self._items, 0)
        self._aborted: set[tuple[Partition, int]] = set()
        self._started_at = dict(self._place)
        self.committed: dict[Partition, int] = {}
        self.closed = False

    def partitions(self) -> Sequence[Partition]:
        """Return the partitions, sorted."""
        return sorted(self._items)

    def seek(self, positions: Mapping[Partition, int]) -> None:
        """Read on from these offsets; raises `PositionLost` for one that is not in the list."""
        for partition, items in self._items.items():
            self._place[partition] = _place_of(partition, items, positions.get(partition, 0))
        self._started_at = dict(self._place)
        self.closed = False

    def poll(self, limit: int, timeout: float, paused: Collection[Partition] = ()) -> Sequence[Records]:  # noqa: ARG002  a list has nothing to wait for
        """Return up to `limit` records; raises `Crash` at an `ABORT`."""
        open_ones = [p for p in self.partitions() if p not in paused]
        if self._shuffle is not None:
            open_ones = self._shuffle.sample(open_ones, self._shuffle.randint(0, len(open_ones)))
        found = []
        for partition in open_ones:
            most = limit if self._shuffle is None else self._shuffle.randint(0, limit)
            entries = self._take(partition, most)
            if entries:
                before = self._items[partition][: self._place[partition]]
                end = sum(1 for item in before if not isinstance(item, Mark))
                found.append(as_records(partition, end - len(entries), entries))
                limit -= len(entries)
        return found

    def _take(self, partition: Partition, limit: int) -> list[Entry]:
        items = self._items[partition]
        entries: list[Entry] = []
        while self._place[partition] < len(items) and len(entries) < limit:
            place = self._place[partition]
            item = items[place]
            if not isinstance(item, Mark):
                entries.append(item if isinstance(item, Entry) else Entry(item))
            elif entries or (item is Mark.EOF and self._ends_at(partition, place)):
                break
            elif item is Mark.ABORT and (partition, place) not in self._aborted:
                self._aborted.add((partition, place))
                raise Crash(f"{partition}: ABORT at item {place}")
            self._place[partition] += 1
            if item is Mark.PAUSE:
                break
        return entries

    def _ends_at(self, partition: Partition, place: int) -> bool:
        """Tell whether the EOF at `place` holds: not if we started there and something lies behind it."""
        behind = any(not isinstance(item, Mark) for item in self._items[partition][place + 1 :])
        return not (behind and self._started_at[partition] == place)

    def ended(self) -> set[Partition]:
        """Return the partitions that stand at their `EOF`."""
        at_mark = {p for p, place in self._place.items() if self._items[p][place : place + 1] == (Mark.EOF,)}
        return {p for p in at_mark if self._ends_at(p, self._place[p])}

    def caught_up(self) -> Collection[Partition]:
        """Return the partitions whose list has been given, all but a last `EOF`."""
        return self.ended() | {p for p, place in self._place.items() if place >= len(self._items[p])}

    def commit(self, positions: Mapping[Partition, int]) -> None:
        """Remember the positions in `committed`."""
        self.committed.update(positions)

    def close(self) -> None:
        """Remember in `closed` that it was closed."""
        self.closed = True


def _place_of(partition: Partition, items: Sequence[Item], offset: int) -> int:
    """Return the index just behind record `offset - 1`."""
    places = [0] + [i + 1 for i, item in enumerate(items) if not isinstance(item, Mark)]
    if not 0 <= offset < len(places):
        raise PositionLost(f"{partition}: position {offset} is not in the list, which ends at {len(places) - 1}")
    return places[offset]


class SideEffects:
    """Counts the boundaries of side effects and ends the run at a chosen one.

    Each effect has two boundaries, before it happens and after it happened; `ListSink` has them for each message.
    Enumerate all crash points by raising `crash_at` until a run comes through:

    >>> def run(effects: SideEffects) -> list[str]:
    ...     done: list[str] = []
    ...     effects.wrap(done, "append").append("x")
    ...     return done
    >>> k = 1
    >>> outcome = None
    >>> while outcome is None:
    ...     try:
    ...         outcome = run(crash_after(k))
    ...     except Crash as crash:
    ...         print(k, crash)
    ...         k += 1
    1 before list.append
    2 after list.append

    Parameters
    ----------
    crash_at
        Number of the boundary, from 1, at which `Crash` is raised; None never.
    """

    def __init__(self, crash_at: int | None = None) -> None:
        self.crash_at = crash_at
        self.passed: list[str] = []

    def boundary(self, name: str) -> None:
        """Note that the run has come here; raises `Crash` if this is where it shall end."""
        self.passed.append(name)
        if len(self.passed) == self.crash_at:
            raise Crash(name)

    def wrap(self, target: T, *methods: str) -> T:
        """Return `target` with a boundary before and after each call of the named methods."""
        return cast("T", _Wrapped(target, methods, self))


def crash_after(k: int) -> SideEffects:
    """Return side effects that end the run at the k-th boundary, counted from 1."""
    return SideEffects(crash_at=k)


class _Wrapped:
    """A stand-in that passes everything on and counts some calls."""

    def __init__(self, target: object, methods: Collection[str], effects: SideEffects) -> None:
        for method in methods:
            getattr(target, method)  # a misspelt name would count nothing and prove nothing
        self._target = target
        self._methods = methods
        self._effects = effects

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._target, name)
        if name not in self._methods:
            return attribute
        label = f"{type(self._target).__name__}.{name}"

        def counted(*args: Any, **kwargs: Any) -> Any:
            self._effects.boundary(f"before {label}")
            result = attribute(*args, **kwargs)
            self._effects.boundary(f"after {label}")
            return result

        return counted


class ListSink:
    """Keeps messages in the list `sent`, in the order they were acknowledged.

    Parameters
    ----------
    refuse
        The next so many calls of `send` are refused with `ConnectionFailed`; may be set at any time.
    effects
        Where given, each single message has a boundary before and after it.
    """

    def __init__(self, refuse: int = 0, effects: SideEffects | None = None) -> None:
        self.sent: list[Outgoing] = []
        self.refuse = refuse
        self.effects = effects or SideEffects()
        self.closed = False

    def send(self, messages: Sequence[Outgoing]) -> None:
        """Keep all messages, or raise `ConnectionFailed` and keep none."""
        if self.refuse > 0:
            self.refuse -= 1
            raise ConnectionFailed("the list was told to refuse this: nothing was written")
        for message in messages:
            self.effects.boundary(f"before {message.topic}")
            self.sent.append(message)
            self.effects.boundary(f"after {message.topic}")

    def of(self, topic: str) -> list[Outgoing]:
        """Return the messages of a topic, duplicates included."""
        return [m for m in self.sent if m.topic == topic]

    def distinct(self) -> dict[str, Outgoing]:
        """Return the messages by id; raises AssertionError where two with one id differ in a byte."""
        found: dict[str, Outgoing] = {}
        for message in self.sent:
            first = found.setdefault(message.id, message)
            if first != message:
                raise AssertionError(f"two messages with the id {message.id} differ: {first} and {message}")
        return found

    def close(self) -> None:
        """Remember in `closed` that it was closed."""
        self.closed = True
