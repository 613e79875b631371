"""Event time: which events may be taken now, so that all are taken in event-time order.

Every stream of a partition has a newest event time. An event is late when it lies more than the allowed lateness behind
the newest event that came before it *in its own partition*: that depends on the log alone, never on how batches were
cut or partitions interleaved. The frontier is the least, over all partitions that are waited for, of newest less
lateness; every event before it has come or will be late, so all events before it are released in order.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from numpy.typing import NDArray

NEVER = np.iinfo(np.int64).min


class Watermark(NamedTuple):
    """How far event time has come.

    Attributes
    ----------
    newest
        Newest event time seen by partition name, ns.
    frontier
        Every event before this time has been released, ns; never goes back.
    """

    newest: Mapping[str, int]
    frontier: int


START = Watermark({}, NEVER)


def admit(
    mark: Watermark,
    partitions: Sequence[str],
    partition: NDArray[np.int32],
    offset: NDArray[np.int64],
    time: NDArray[np.int64],
    lateness: int,
) -> tuple[Watermark, NDArray[np.bool_], NDArray[np.int64]]:
    """Take note of events and say which of them are late.

    Parameters
    ----------
    mark
        How far event time had come.
    partitions
        Names that `partition` indexes.
    partition, offset, time
        (n,) place and event time of each event, in any order.
    lateness
        Allowed lateness, ns.

    Returns
    -------
    Watermark, (n,) bool, (n,) int64
        With the new newest times (the frontier is unchanged); True for each late event; the earliest time at which each
        event could have come in order.
    """
    earliest = np.full(len(time), mark.frontier)
    newest = dict(mark.newest)
    for code in np.unique(partition):
        rows = np.flatnonzero(partition == code)
        rows = rows[np.argsort(offset[rows], kind="stable")]
        name = partitions[code]
        before = newest.get(name, NEVER + lateness)
        reached = np.maximum.accumulate(np.concatenate(([before], time[rows])))
        earliest[rows] = np.maximum(earliest[rows], reached[:-1] - lateness)
        newest[name] = int(reached[-1])
    return Watermark(newest, mark.frontier), time < earliest, earliest


def advance(
    mark: Watermark, partitions: Collection[str], idle: Collection[str], lateness: int, waiting: int = NEVER
) -> Watermark:
    """Move the frontier as far as the partitions allow; it never goes back.

    A partition that is waited for and has shown nothing yet holds the frontier. When every partition is idle all that
    has come is released, up to and with `waiting`, the newest time of an event that has not been released: a late label
    is taken at the frontier, which is later than its own time.
    """
    waited = [p for p in partitions if p not in idle]
    if waited:
        if any(p not in mark.newest for p in waited):
            return mark
        frontier = min(mark.newest[p] for p in waited) - lateness
    elif mark.newest:
        frontier = max(waiting, *mark.newest.values()) + 1
    else:
        return mark
    return Watermark(mark.newest, max(mark.frontier, frontier))


def ahead(mark: Watermark, partitions: Collection[str], idle: Collection[str], span: int) -> frozenset[str]:
    """Return the partitions further ahead in event time than `span` ns of the one furthest behind.

    While a waited-for partition has shown nothing, whoever has shown something is not yet held back: the empty one
    may never speak, and it idles out.
    """
    times = {p: mark.newest[p] for p in partitions if p in mark.newest}
    behind = [t for p, t in times.items() if p not in idle]
    if not behind:
        return frozenset()
    limit = min(behind) + span
    return frozenset(p for p, t in times.items() if t > limit)
