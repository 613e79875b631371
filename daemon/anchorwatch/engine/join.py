"""Labels find their predictions, in both directions, and every one of both is accounted for.

A prediction is remembered as one small fixed-size record, never as its payload, in a table of the stretch of event time
it belongs to; a stretch that can have no more labels is dropped as a whole. A label without a prediction waits for a
shorter time. All decisions go by event time and by the common order of events, so that they do not depend on how the
stream was cut into batches.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

from anchorwatch.engine.tables import Columns, Wanted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

STRETCHES = 8  # a wait is covered by so many tables, plus the one being filled and one of grace


class Terms(NamedTuple):
    """How long each side waits, in ns of event time."""

    wait: int
    early: int

    @property
    def width(self) -> int:
        """Length of the stretch of event time one table holds."""
        return max(self.wait // STRETCHES, 1)


class Arrivals(NamedTuple):
    """Labels with their order: those released now, or those that wait."""

    ident: NDArray[np.uint64]
    time: NDArray[np.int64]
    token: NDArray[np.uint64]
    number: NDArray[np.float64]

    def take(self, index: Any) -> Arrivals:
        """Return the labels at `index`."""
        return Arrivals(*(column[index] for column in self))


_NO_ARRIVALS = Arrivals(np.empty((0, 2), np.uint64), np.empty(0, np.int64), np.empty(0, np.uint64), np.empty(0))


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Predictions whose label is known, in the common order of the release that completed them.

    Attributes
    ----------
    at
        (n,) position in the release.
    record
        The prediction records, label included.
    """

    at: NDArray[np.int64]
    record: Columns


@dataclass(frozen=True, slots=True)
class Join:
    """What waits on either side.

    Attributes
    ----------
    tables
        Prediction records by stretch (event time // width).
    early
        Labels without a prediction, sorted by id, then by arrival.
    counts
        How many went which way, by name; cumulative.
    """

    tables: Mapping[int, Columns] = field(default_factory=dict)
    early: Arrivals = field(default_factory=lambda: _NO_ARRIVALS)
    counts: Mapping[str, int] = field(default_factory=dict)

    def waiting(self) -> dict[str, int]:
        """Return how many wait for their other half now."""
        unlabelled = sum(int((~t.labelled).sum()) for t in self.tables.values())
        return {"predictions": unlabelled, "labels": len(self.early.time)}

    def count(self, **more: int) -> Join:
        """Return the same with counts added."""
        counts = dict(self.counts)
        for name, n in more.items():
            if n:
                counts[name] = counts.get(name, 0) + n
        return replace(self, counts=counts)

    def to_plain(self) -> dict[str, Any]:
        """Return everything but the tables as plain data."""
        return {"early": list(self.early), "counts": dict(self.counts)}

    @classmethod
    def from_plain(cls, plain: dict[str, Any], tables: Mapping[int, dict[str, Any]]) -> Self:
        """Return the join that `to_plain` and `Columns.to_plain` described."""
        return cls({k: Columns(**t) for k, t in tables.items()}, Arrivals(*plain["early"]), plain["counts"])


def remember(join: Join, terms: Terms, records: Columns) -> tuple[Join, NDArray[np.bool_]]:
    """Take in predictions, in order; an id that is remembered already is a duplicate.

    Returns
    -------
    Join, (n,) bool
        True for each prediction that is new.
    """
    new = _unheard(join, terms, records)
    fresh = records if new.all() else records.take(new)
    tables = dict(join.tables)
    for stretch, rows in _by_stretch(terms, fresh):
        part = fresh.take(rows)
        tables[stretch] = tables[stretch].insert(part) if stretch in tables else part
    return replace(join, tables=tables).count(duplicate_predictions=int((~new).sum())), new


def match(
    join: Join,
    terms: Terms,
    records: Columns,
    record_at: NDArray[np.int64],
    labels: Arrivals,
    label_at: NDArray[np.int64],
) -> tuple[Join, Outcomes]:
    """Bring labels and predictions together; call after `remember`.

    Parameters
    ----------
    join, terms
        What waits, and for how long.
    records, record_at
        New predictions of this release and their positions in it, in order.
    labels, label_at
        Labels of this release and their positions in it, in order.

    Notes
    -----
    The first label of a prediction in the common order counts. Another with the same value is a duplicate, with another
    value a revision; both are counted and change nothing. A label later than `wait` after its prediction is counted as
    late, a prediction later than `early` after its label leaves the label an orphan.
    """
    join, woken = _wake(join, records)
    due = np.concatenate([np.full(len(woken.time), -1), label_at])
    labels = Arrivals(*(np.concatenate(pair) for pair in zip(woken, labels, strict=True)))
    stretch, row, time = _locate(join.tables, terms, labels)
    found = row >= 0
    due = np.maximum(due, _position(records, record_at, terms, labels, stretch))
    late = found & (labels.time > time + terms.wait)
    unripe = found & (time > labels.time + terms.early)
    join = join.count(late_labels=int(late.sum()), orphan_labels=int(unripe.sum()))
    join = _keep_early(join, labels.take(~found))
    hit = np.flatnonzero(found & ~late & ~unripe)
    return _resolve(join, labels.take(hit), due[hit], stretch[hit], row[hit])


def forget(join: Join, terms: Terms, frontier: int) -> Join:
    """Drop what can find no other half any more, now that every event before `frontier` has come."""
    gone = [s for s in join.tables if _last(s, terms) < frontier]
    unlabelled = sum(int((~join.tables[s].labelled).sum()) for s in gone)
    tables = {s: t for s, t in join.tables.items() if s not in gone} if gone else join.tables
    hopeless = join.early.time + terms.early < frontier
    early = join.early.take(~hopeless) if hopeless.any() else join.early
    return replace(join, tables=tables, early=early).count(
        expired_predictions=unlabelled, orphan_labels=int(hopeless.sum())
    )


def _last(stretch: Any, terms: Terms) -> Any:
    """Return the last event time at which the records of a stretch still count as remembered."""
    return (stretch + 1) * terms.width + terms.wait


def _by_stretch(terms: Terms, records: Columns) -> list[tuple[int, NDArray[np.int64]]]:
    """Return each stretch of records, which come in order of time, with its rows in order of their ids."""
    stretches = records.time // terms.width
    heads = records.ident[:, 0]
    edges = [0, *(np.flatnonzero(np.diff(stretches)) + 1).tolist(), len(stretches)]
    spans = [(start, stop) for start, stop in pairwise(edges) if stop > start]
    return [(int(stretches[start]), start + np.argsort(heads[start:stop])) for start, stop in spans]


def _unheard(join: Join, terms: Terms, records: Columns) -> NDArray[np.bool_]:
    """Return which predictions, taken one after the other, have an id that is not remembered when they come."""
    until = np.full(len(records), np.iinfo(np.int64).min)
    wanted = Wanted(records.ident)
    for stretch, table in join.tables.items():
        known, _ = wanted.within(table)
        until[known] = np.maximum(until[known], _last(stretch, terms))
    new: NDArray[np.bool_] = records.time > until
    last: dict[int, int] = {}
    for i, key in zip(*(each.tolist() for each in wanted.repeated()), strict=True):
        at = int(records.time[i])
        new[i] = at > last.get(key, int(until[i]))
        if new[i]:
            last[key] = _last(at // terms.width, terms)
    return new


def _wake(join: Join, arrived: Columns) -> tuple[Join, Arrivals]:
    """Take out the waiting labels whose prediction has just come."""
    if not len(join.early.time):
        return join, join.early
    mine = Wanted(arrived.ident).has(join.early.ident)
    return replace(join, early=join.early.take(~mine)), join.early.take(mine)


def _locate(
    tables: Mapping[int, Columns], terms: Terms, labels: Arrivals
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return for each label the stretch, row and event time of its prediction; row -1 where there is none.

    Where an id came again after it was forgotten, a label goes to the earliest prediction that was still remembered.
    """
    n = len(labels.time)
    stretch, row, time = np.zeros(n, np.int64), np.full(n, -1, np.int64), np.zeros(n, np.int64)
    wanted = Wanted(labels.ident)
    for number, table in sorted(tables.items()):
        here, at = wanted.within(table)
        mine = (row[here] < 0) & (labels.time[here] <= _last(number, terms))
        here, at = here[mine], at[mine]
        stretch[here], row[here], time[here] = number, at, table.time[at]
    return stretch, row, time


def _position(
    arrived: Columns, arrived_at: NDArray[np.int64], terms: Terms, labels: Arrivals, stretch: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the position in the release of the prediction of each label, -1 where it came before this release."""
    position = np.full(len(labels.time), -1, np.int64)
    for number, rows in _by_stretch(terms, arrived):
        mine = np.flatnonzero(stretch == number)
        at = np.searchsorted(arrived.ident[rows, 0], labels.ident[mine, 0])
        at = rows[np.minimum(at, len(rows) - 1)]
        here = (arrived.ident[at] == labels.ident[mine]).all(axis=1)
        position[mine[here]] = arrived_at[at[here]]
    return position


def _keep_early(join: Join, labels: Arrivals) -> Join:
    if not len(labels.time):
        return join
    early = Arrivals(*(np.concatenate(pair) for pair in zip(join.early, labels, strict=True)))
    return replace(join, early=early.take(np.lexsort((early.time, early.ident[:, 0]))))


def _resolve(
    join: Join, labels: Arrivals, due: NDArray[np.int64], stretch: NDArray[np.int64], row: NDArray[np.int64]
) -> tuple[Join, Outcomes]:
    """Give each prediction its first label, count the others, and return the outcomes in order of `due`."""
    order = np.lexsort((due, row, stretch))
    labels, due, stretch, row = labels.take(order), due[order], stretch[order], row[order]
    tables = dict(join.tables)
    at, parts = [], []
    for number in np.unique(stretch).tolist():
        mine = slice(*np.searchsorted(stretch, [number, number + 1]))
        table, first = _label(tables[number], labels.take(mine), row[mine])
        same = (table.label_token[row[mine]] == labels.token[mine]) & (
            (table.label_number[row[mine]] == labels.number[mine]) | np.isnan(labels.number[mine])
        )
        join = join.count(
            matched=int(first.sum()),
            duplicate_labels=int((~first & same).sum()),
            revised_labels=int((~first & ~same).sum()),
        )
        tables[number] = table
        at.append(due[mine][first])
        parts.append(table.take(row[mine][first]))
    join = replace(join, tables=tables)
    if not parts:
        return join, Outcomes(np.empty(0, np.int64), Columns.empty())
    record = Columns.concat(parts)
    positions = np.concatenate(at)
    by_position = np.argsort(positions, kind="stable")
    return join, Outcomes(positions[by_position], record.take(by_position))


def _label(table: Columns, labels: Arrivals, row: NDArray[np.int64]) -> tuple[Columns, NDArray[np.bool_]]:
    """Write the first label of each row that has none; return which labels were those."""
    first = np.concatenate(([True], np.diff(row) > 0)) & ~table.labelled[row]
    labelled, token, number = table.labelled.copy(), table.label_token.copy(), table.label_number.copy()
    labelled[row[first]], token[row[first]], number[row[first]] = True, labels.token[first], labels.number[first]
    return replace(table, labelled=labelled, label_token=token, label_number=number), first
