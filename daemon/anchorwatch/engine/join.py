"""Labels find their predictions, in both directions, and every one of both is accounted for.

A prediction is remembered as one small record of fixed size, never as its payload, in a log of sorted runs (`runs.py`);
the stretches of event time that can have no more labels are dropped as a whole. A label without a prediction waits for
a shorter time. All decisions go by event time and by the common order of events, so that they do not depend on how the
stream was cut into batches.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

from anchorwatch.engine.remembered import locate, rows_of, unheard
from anchorwatch.engine.revisions import sort_out
from anchorwatch.engine.runs import Log, Rows, Run
from anchorwatch.engine.stretches import Stretches, Terms
from anchorwatch.engine.tables import Columns, Wanted
from anchorwatch.events import concatenate

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray


class Arrivals(NamedTuple):
    """Labels with their order: those released now, or those that wait."""

    ident: NDArray[np.uint64]
    time: NDArray[np.int64]
    token: NDArray[np.uint64]
    number: NDArray[np.float64]
    items: NDArray[np.uint64] | None = None

    def take(self, index: Any) -> Arrivals:
        """Return the labels at `index`."""
        items = None if self.items is None else self.items[index]
        return Arrivals(self.ident[index], self.time[index], self.token[index], self.number[index], items)

    def joined(self, more: Arrivals) -> Arrivals:
        """Return both, one after the other."""
        own = {name: np.concatenate([getattr(self, name), getattr(more, name)]) for name in self._fields[:4]}
        return Arrivals(**own, items=concatenate.items([self.items, more.items]))

    def to_plain(self) -> list[NDArray[Any]]:
        """Return the labels as plain data, with items only where there are any."""
        return [column for column in self if column is not None and len(self.time)] or list(self[:4])


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
    revised
        Outcomes of before whose label was replaced, with the new one, where it came; None for none.
    """

    at: NDArray[np.int64]
    record: Columns
    revised: Outcomes | None = None


@dataclass(frozen=True, slots=True)
class Join:
    """What waits on either side.

    Attributes
    ----------
    predictions
        Prediction records in the order in which they came, by the first half of the id's hash.
    labels
        The labels that predictions got, by the number of the prediction; where one was replaced, both, in order.
    stretches
        The stretches of event time (time // width) that are remembered.
    early
        Labels without a prediction, sorted by id, then by arrival.
    counts
        How many went which way, by name; cumulative.
    """

    predictions: Log = field(default_factory=Log)
    labels: Log = field(default_factory=Log)
    stretches: Stretches = field(default_factory=Stretches.none)
    early: Arrivals = field(default_factory=lambda: _NO_ARRIVALS)
    counts: Mapping[str, int] = field(default_factory=dict)

    def waiting(self) -> dict[str, int]:
        """Return how many wait for their other half now."""
        unlabelled = self.predictions.size - self.stretches.base - int(self.stretches.labelled.sum())
        return {"predictions": unlabelled, "labels": len(self.early.time)}

    def count(self, **more: int) -> Join:
        """Return the same with counts added."""
        counts = dict(self.counts)
        for name, n in more.items():
            if n:
                counts[name] = counts.get(name, 0) + n
        return replace(self, counts=counts)

    def parts(self) -> dict[str, Run]:
        """Return the runs by the name of the part of the state that each is."""
        logs = (("predictions", self.predictions), ("labels", self.labels))
        return {f"{name}/{run.start}": run for name, log in logs for run in log.runs}

    def to_plain(self) -> dict[str, Any]:
        """Return everything but the runs as plain data."""
        return {
            "sizes": [self.predictions.size, self.labels.size],
            "runs": [[run.start for run in log.runs] for log in (self.predictions, self.labels)],
            "stretches": [self.stretches.base, *self.stretches[1:]],
            "early": self.early.to_plain(),
            "counts": dict(self.counts),
        }

    @classmethod
    def from_plain(cls, plain: dict[str, Any], part: Callable[[str], dict[str, Any]]) -> Self:
        """Return the join that `to_plain` described; `part` gives a run, by its name, as `Run.to_plain` did."""
        logs = [
            Log(size, tuple(Run.from_plain(part(f"{name}/{start}")) for start in starts))
            for name, size, starts in zip(("predictions", "labels"), plain["sizes"], plain["runs"], strict=True)
        ]
        early, stretches = Arrivals(*plain["early"]), Stretches(*plain["stretches"])
        return cls(logs[0], logs[1], stretches, early, plain["counts"])


def remember(join: Join, terms: Terms, records: Columns) -> tuple[Join, NDArray[np.bool_]]:
    """Take in predictions, in order; an id that is remembered already is a duplicate.

    Returns
    -------
    Join, (n,) bool
        True for each prediction that is new.
    """
    new = unheard(join.predictions, terms, records)
    fresh = records if new.all() else records.take(new)
    join = join.count(duplicate_predictions=int((~new).sum()))
    if not len(fresh):
        return join, new
    size = join.predictions.size
    stretches = join.stretches.add(fresh.time // terms.width, size)
    rows = rows_of(fresh, size)
    log = join.predictions.append(terms.sizes, rows, lambda at: stretches.oldest(terms, int(fresh.time[at])))
    return replace(join, predictions=log, stretches=stretches), new


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
    value a revision; both are counted and change nothing. Where `terms.latest`, a revision replaces the label that the
    prediction has. A label later than `wait` after its prediction is counted as late, a prediction later than `early`
    after its label leaves the label an orphan.
    """
    join, woken = _wake(join, records)
    due = np.concatenate([np.full(len(woken.time), -1), label_at])
    labels = woken.joined(labels)
    if not len(labels.time):
        return join, Outcomes(np.empty(0, np.int64), Columns.empty())
    seq, found = locate(join.predictions, terms, labels)
    known, time = seq >= 0, found.time
    here = np.flatnonzero(seq >= join.predictions.size - len(records))
    due[here] = np.maximum(due[here], record_at[seq[here] - (join.predictions.size - len(records))])
    late = known & (labels.time > time + terms.wait)
    unripe = known & (time > labels.time + terms.early)
    join = join.count(late_labels=int(late.sum()), orphan_labels=int(unripe.sum()))
    join = _keep_early(join, labels.take(~known))
    hit = np.flatnonzero(known & ~late & ~unripe)
    hit = hit[np.lexsort((due[hit], seq[hit]))]
    came = np.maximum(labels.time[hit], time[hit])
    return _resolve(join, terms, _Pairs(seq[hit], found.take(hit), due[hit], came))


def forget(join: Join, terms: Terms, frontier: int) -> Join:
    """Drop what can find no other half any more, now that every event before `frontier` has come."""
    stretches, expired = join.stretches.forget(terms, frontier)
    hopeless = join.early.time + terms.early < frontier
    early = join.early.take(~hopeless) if hopeless.any() else join.early
    predictions, labels = join.predictions.forget(stretches.base), join.labels.forget(stretches.base)
    join = replace(join, predictions=predictions, labels=labels, stretches=stretches, early=early)
    return join.count(expired_predictions=expired, orphan_labels=int(hopeless.sum()))


def _wake(join: Join, arrived: Columns) -> tuple[Join, Arrivals]:
    """Take out the waiting labels whose prediction has just come."""
    if not len(join.early.time):
        return join, join.early
    mine = Wanted(arrived.ident).has(join.early.ident)
    return replace(join, early=join.early.take(~mine)), join.early.take(mine)


def _keep_early(join: Join, labels: Arrivals) -> Join:
    if not len(labels.time):
        return join
    early = join.early.joined(labels)
    return replace(join, early=early.take(np.lexsort((early.time, early.ident[:, 0]))))


class _Pairs(NamedTuple):
    """Labels with their predictions, by the number of the prediction, then by when they came.

    `due` is the position in the release at which both are known, `came` the event time of that.
    """

    seq: NDArray[np.int64]
    record: Columns
    due: NDArray[np.int64]
    came: NDArray[np.int64]


def _resolve(join: Join, terms: Terms, pairs: _Pairs) -> tuple[Join, Outcomes]:
    """Give predictions their labels, count the others, and return the outcomes in the order of `due`."""
    if not len(pairs.seq):
        return join, Outcomes(np.empty(0, np.int64), Columns.empty())
    value = _value(pairs.record)
    sorted_ = sort_out(join.labels, pairs.seq, pairs.due, value, latest=terms.latest)
    join = join.count(**sorted_.counts)
    new = np.flatnonzero(sorted_.matched | sorted_.revised)
    new = new[np.argsort(pairs.due[new], kind="stable")]
    seq, came, revised = pairs.seq[new], pairs.came[new], sorted_.revised[new]
    stretches = join.stretches.label(seq[~revised])
    rows = Rows(seq.astype(np.uint64), None, (value[new],))
    log = join.labels.append(terms.sizes, rows, lambda at: stretches.oldest(terms, int(came[at])))
    came_first, came_later = new[~revised], new[revised]
    more = Outcomes(pairs.due[came_later], pairs.record.take(came_later)) if len(came_later) else None
    outcomes = Outcomes(pairs.due[came_first], pairs.record.take(came_first), more)
    return replace(join, labels=log, stretches=stretches), outcomes


def _value(labels: Columns) -> NDArray[np.uint64]:
    """Return what labels say as one word each: the class, or the bits of the value."""
    number = labels.label_number + 0.0  # of the two zeros one
    return np.where(np.isnan(number), labels.label_token, number.view(np.uint64))
