"""An append-only log of rows that are looked up by a key, as a few immutable sorted runs: little is ever rewritten.

Where runs begin and end follows from the number of rows alone (`cuts`), and which forgotten rows a run still holds from
the rows alone, so that a log has one form, however its rows were cut into batches. It is a log-structured merge tree
(O'Neil et al., 1996) with the rule of a counter: eight runs of a size make one of the next, so that each row is written
once a size.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

from anchorwatch.engine.grouping import order_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from numpy.typing import NDArray


class Sizes(NamedTuple):
    """How many rows the smallest whole run has, how many of a size make one of the next, and rows of the largest."""

    smallest: int = 4096
    factor: int = 8
    largest: int = 4096 * 8**3


class Rows(NamedTuple):
    """Rows to be added, in order.

    Attributes
    ----------
    key
        (n,) what they are looked up by.
    seq
        (n,) number of the prediction each belongs to, by which it is forgotten; None: the key is that number.
    fields
        Arrays of n, all else.
    """

    key: NDArray[np.uint64]
    seq: NDArray[np.int64] | None
    fields: tuple[NDArray[Any], ...]


@dataclass(frozen=True, slots=True)
class Run:
    """The rows `start` to `stop` of a log, sorted by key, equal keys in the order in which they came.

    Attributes
    ----------
    start, stop
        Which rows of the log.
    floor
        Rows of predictions before this number are left out once `settled`.
    settled
        Whether they are.
    key
        (n,) rising.
    place
        (n,) number of the prediction less `start`; None: the key is that number.
    fields
        Arrays of n, or of 1 where all rows have the same.
    newest
        The highest number of a prediction in it.
    """

    start: int
    stop: int
    floor: int
    settled: bool
    key: NDArray[np.uint64]
    place: NDArray[np.uint32] | None
    fields: tuple[NDArray[Any], ...]
    newest: int

    @property
    def seq(self) -> NDArray[np.int64]:
        """(n,) number of the prediction of each row."""
        return self.key.astype(np.int64) if self.place is None else self.start + self.place.astype(np.int64)

    def seq_at(self, rows: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return the number of the prediction of some rows."""
        return self.key[rows].astype(np.int64) if self.place is None else self.start + self.place[rows].astype(np.int64)

    def field(self, number: int, rows: NDArray[np.int64]) -> NDArray[Any]:
        """Return a field at some rows."""
        field = self.fields[number]
        return field[rows] if len(field) == len(self.key) else np.repeat(field, len(rows), axis=0)

    def find(self, keys: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Return which of some rising keys are here, and at which row; a key that several rows have comes as often."""
        at = np.searchsorted(self.key, keys)
        which = np.flatnonzero(self.key[np.minimum(at, len(self.key) - 1)] == keys)
        row = at[which]
        found, last = [(which, row)], len(self.key) - 1
        while len(row):
            again = (row < last) & (self.key[np.minimum(row + 1, last)] == self.key[row])
            which, row = which[again], row[again] + 1
            found.append((which, row))
        return np.concatenate([w for w, _ in found]), np.concatenate([r for _, r in found])

    def settle(self) -> Run:
        """Return the run without the rows that were forgotten when it was made."""
        if self.settled:
            return self
        keep = self.seq >= self.floor
        if keep.all():
            return replace(self, settled=True)
        fields = tuple(_lean(field[keep] if len(field) == len(self.key) else field[:1]) for field in self.fields)
        place = None if self.place is None else self.place[keep]
        return replace(self, settled=True, key=self.key[keep], place=place, fields=fields)

    def to_plain(self) -> dict[str, Any]:
        """Return the run as plain data; only settled ones are kept."""
        place = {} if self.place is None else {"place": self.place}
        return {"start": self.start, "stop": self.stop, "key": self.key, **place, "fields": list(self.fields)}

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Self:
        """Return the run that `to_plain` described."""
        key, place = plain["key"], plain.get("place")
        newest = int(key[-1]) if place is None else plain["start"] + int(place.max())
        fields = tuple(plain["fields"])
        return cls(plain["start"], plain["stop"], 0, True, key, place, fields, newest)  # noqa: FBT003 -- settled


@dataclass(frozen=True, slots=True)
class Log:
    """Rows in the order in which they came: `size` ever, of which those in `runs` are still there."""

    size: int = 0
    runs: tuple[Run, ...] = ()

    def append(self, sizes: Sizes, rows: Rows, floor_at: Callable[[int], int]) -> Log:
        """Return the log with more rows.

        Parameters
        ----------
        sizes
            How long runs are.
        rows
            The rows.
        floor_at
            The number of the oldest prediction that is remembered when a row, given by its place in `rows`, comes.
        """
        n = len(rows.key)
        if not n:
            return self
        size = self.size + n
        whole = self.size // sizes.largest * sizes.largest
        runs = [run for run in self.runs if run.stop <= whole]
        rest = {run.start: run for run in self.runs[len(runs) :]}
        for start, stop in cuts(sizes, whole, size):
            if start in rest and rest[start].stop == stop:
                runs.append(rest[start])
            elif stop > self.size:
                old = [run for begin, run in rest.items() if start <= begin < stop]
                new = slice(max(start - self.size, 0), stop - self.size)
                floor = floor_at(stop - self.size - 1)
                runs.append(_made(start, stop, floor, old, _sliced(rows, new)))
        return Log(size, tuple(runs))

    def forget(self, base: int) -> Log:
        """Return the log without the runs of which every prediction is numbered below `base`, all runs settled."""
        runs = tuple(run.settle() for run in self.runs if run.newest >= base)
        if len(runs) == len(self.runs) and all(a is b for a, b in zip(runs, self.runs, strict=True)):
            return self
        return Log(self.size, runs)

    def find(self, keys: NDArray[np.uint64]) -> Iterator[tuple[NDArray[np.int64], Run, NDArray[np.int64]]]:
        """Yield for each run that holds some of the keys: positions among the keys, the run, its rows."""
        if not len(keys) or not self.runs:
            return
        order = np.argsort(keys)
        rising = keys[order]
        for run in self.runs:
            which, row = run.find(rising)
            if len(which):
                yield order[which], run, row


def cuts(sizes: Sizes, start: int, stop: int) -> list[tuple[int, int]]:
    """Return where the runs of the rows from `start`, a multiple of the largest size, to `stop` begin and end.

    As many runs of the largest size as there are, then of the next, and so on; what is left is one short run.
    """
    out, at, size = [], start, sizes.largest
    while size >= sizes.smallest:
        while at + size <= stop:
            out.append((at, at + size))
            at += size
        size //= sizes.factor
    return out if at == stop else [*out, (at, stop)]


def _made(start: int, stop: int, floor: int, old: Sequence[Run], rows: Rows) -> Run:
    """Return one run of the rows of some runs and of new ones behind them."""
    key = np.concatenate([*(run.key for run in old), rows.key])
    order = order_of(key)
    place, newest = None, int(rows.key.max()) if rows.seq is None else int(rows.seq[-1])
    if rows.seq is not None:
        seq = np.concatenate([*(run.seq for run in old), rows.seq])
        place = (seq - start).astype(np.uint32)[order]
    fields = []
    for number, new in enumerate(rows.fields):
        parts = [run.fields[number] for run in old]
        whole = [len(part) == len(run.key) for part, run in zip(parts, old, strict=True)]
        new_one = _lean(new)
        if len(new_one) == 1 and all(len(p) == 1 and _same(p, new_one).all() for p in parts):
            fields.append(new_one)
            continue
        full = [
            part if complete else np.repeat(part, len(run.key), axis=0)
            for part, run, complete in zip(parts, old, whole, strict=True)
        ]
        fields.append(_lean(np.concatenate([*full, new])[order]))
    newest = max([newest, *(run.newest for run in old)])
    return Run(start, stop, floor, False, key[order], place, tuple(fields), newest)  # noqa: FBT003 -- not settled


def _sliced(rows: Rows, part: slice) -> Rows:
    seq = None if rows.seq is None else rows.seq[part]
    return Rows(rows.key[part], seq, tuple(field[part] for field in rows.fields))


def _lean(field: NDArray[Any]) -> NDArray[Any]:
    """Return a field as one row where all of its rows are the same, bit for bit."""
    return field[:1].copy() if _same(field, field[:1]).all() else np.ascontiguousarray(field)


def _same(field: NDArray[Any], one: NDArray[Any]) -> NDArray[np.bool_]:
    """Return where a field is what the only row of another is; NaN is itself."""
    if field.dtype == np.float64:
        field, one = np.ascontiguousarray(field).view(np.uint64), one.view(np.uint64)
    same: NDArray[np.bool_] = field == one
    return same
