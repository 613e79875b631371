"""Windows as vectors of counts, made of panes: a tumbling window is one pane, a sliding one the last k.

A pane is full after so many rows, or after so much event time, or whichever comes first. Panes of event time alone are
aligned to the epoch; with a count beside it a pane begins with its first row. Only counts are kept, no rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Span(NamedTuple):
    """How long a pane is, and how many make a window. `size` in rows, `time` in ns; None for no limit."""

    size: int | None
    time: int | None
    panes: int


class Moment(NamedTuple):
    """When something was found, so that findings sort the same way in every cutting of the stream.

    `position` is a place in the release; `order` 0 is before the event there (event time alone brought it about), 1 is
    with it; `time` is event time, ns.
    """

    position: int
    order: int
    time: int


@dataclass(frozen=True, slots=True)
class Window:
    """A window at the moment it closed.

    Attributes
    ----------
    group
        Whose it is.
    moment
        When it closed.
    start
        Event time at which it began, ns.
    counts
        (width,) rows by cell.
    rows
        Number of rows.
    """

    group: int
    moment: Moment
    start: int
    counts: NDArray[np.int64]
    rows: int

    def interval(self) -> dict[str, int]:
        """Return since when what it shows has been so, by the names that a verdict has: since some time within it."""
        return {"since": self.start, "since_low": self.start, "since_high": self.moment.time}


class _Pane(NamedTuple):
    counts: NDArray[np.int64]
    start: int
    rows: int


@dataclass(slots=True)
class Panes:
    """The open pane of every group, and the closed ones a sliding window still needs."""

    counts: NDArray[np.int64]
    rows: NDArray[np.int64]
    start: NDArray[np.int64]
    closed: dict[int, list[_Pane]]

    @classmethod
    def fresh(cls, groups: int, width: int) -> Self:
        """Return empty panes."""
        return cls(np.zeros((groups, width), np.int64), np.zeros(groups, np.int64), np.zeros(groups, np.int64), {})

    def copy(self) -> Self:
        """Return an independent copy."""
        closed = {g: list(panes) for g, panes in self.closed.items()}
        return type(self)(self.counts.copy(), self.rows.copy(), self.start.copy(), closed)

    def add(
        self,
        span: Span,
        group: int,
        cells: NDArray[np.int64],
        time: NDArray[np.int64],
        at: NDArray[np.int64],
        sums: NDArray[np.int64] | None = None,
    ) -> list[Window]:
        """Take rows of one group in order, and return the windows that they close.

        Parameters
        ----------
        span
            How long a pane is.
        group
            Whose rows they are.
        cells
            (columns, n) places in the vector.
        time, at
            (n,) event times and positions in the release.
        sums
            (k, n) numbers that are added up in the last k places of the vector; None for none.
        """
        windows = []
        done, n = 0, len(time)
        while done < n:
            if self.rows[group] == 0:
                self.start[group] = _start(span, int(time[done]))
            stop = n if span.size is None else min(n, done + span.size - int(self.rows[group]))
            end = None if span.time is None else int(self.start[group]) + span.time
            if end is not None:
                stop = min(stop, int(np.searchsorted(time, end)))
            if stop > done:
                self.counts[group] += np.bincount(cells[:, done:stop].ravel(), minlength=self.counts.shape[1])
                if sums is not None:
                    self.counts[group, -len(sums) :] += sums[:, done:stop].sum(axis=1)
                self.rows[group] += stop - done
            done = stop
            if span.size is not None and self.rows[group] == span.size:
                windows.append(self._close(span, group, Moment(int(at[done - 1]), 1, int(time[done - 1]))))
            elif done < n and end is not None:
                windows.append(self._close(span, group, Moment(-1, 0, end)))
        return windows

    def expire(self, span: Span, frontier: int) -> list[Window]:
        """Close the panes whose event time is over."""
        if span.time is None:
            return []
        over = np.flatnonzero((self.rows > 0) & (self.start + span.time <= frontier))
        return [self._close(span, g, Moment(-1, 0, int(self.start[g]) + span.time)) for g in over.tolist()]

    def _close(self, span: Span, group: int, moment: Moment) -> Window:
        pane = _Pane(self.counts[group].copy(), int(self.start[group]), int(self.rows[group]))
        kept = [*self.closed.get(group, []), pane][-span.panes :]
        if span.size is None and span.time is not None:
            kept = [p for p in kept if p.start >= moment.time - span.panes * span.time]
        if span.panes > 1:
            self.closed[group] = kept[-(span.panes - 1) :]
        self.counts[group] = 0
        self.rows[group] = 0
        counts: NDArray[np.int64] = np.stack([p.counts for p in kept]).sum(axis=0)
        return Window(group, moment, kept[0].start, counts, sum(p.rows for p in kept))

    def to_plain(self) -> dict[str, Any]:
        """Return the panes as plain data; only groups and cells with rows in them."""
        return {
            "shape": list(self.counts.shape),
            "open": _sparse(self.counts),
            "rows": self.rows,
            "start": np.where(self.rows > 0, self.start, 0),
            "closed": {str(g): [[_sparse(p.counts), p.start, p.rows] for p in ps] for g, ps in self.closed.items()},
        }

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Self:
        """Return the panes that `to_plain` described."""
        groups, width = plain["shape"]
        closed = {
            int(g): [_Pane(_dense(counts, (width,)), start, rows) for counts, start, rows in panes]
            for g, panes in plain["closed"].items()
        }
        return cls(_dense(plain["open"], (groups, width)), plain["rows"], plain["start"], closed)


def _start(span: Span, first: int) -> int:
    """Return where a pane begins whose first row came at `first`; none begins before the earliest time there is."""
    if span.size is not None or span.time is None:
        return first
    return max(first // span.time * span.time, int(np.iinfo(np.int64).min))


def _sparse(counts: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    flat = counts.ravel()
    where = np.flatnonzero(flat)
    return [where.astype(np.int64), flat[where]]


def _dense(sparse: list[NDArray[np.int64]], shape: tuple[int, ...]) -> NDArray[np.int64]:
    flat = np.zeros(int(np.prod(shape)), np.int64)
    flat[sparse[0]] = sparse[1]
    return flat.reshape(shape)
