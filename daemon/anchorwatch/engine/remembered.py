"""Predictions that are remembered, as rows of a log: whether an id is known, and whose a label is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from anchorwatch.engine.grouping import order_of
from anchorwatch.engine.runs import Rows
from anchorwatch.engine.stretches import last
from anchorwatch.engine.tables import Columns, Wanted

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from anchorwatch.engine.join import Arrivals
    from anchorwatch.engine.runs import Log
    from anchorwatch.engine.stretches import Terms

T = TypeVar("T", bound=np.generic)
_REST, _TIME, _SEGMENTS, _MORE = 0, 1, 3, 6
"""Places of fields in the rows; the last is there where a model gives several items or probabilities."""


def rows_of(records: Columns, first: int) -> Rows:
    """Return prediction records, the first of which is number `first`, as rows by the first half of the id's hash."""
    return Rows(
        key=records.ident[:, 0],
        seq=np.arange(first, first + len(records)),
        fields=(
            records.ident[:, 1],
            records.time,
            records.version,
            records.segments,
            records.token,
            records.number,
            *(each for each in (records.items, records.probabilities) if each is not None),
        ),
    )


def unheard(predictions: Log, terms: Terms, records: Columns) -> NDArray[np.bool_]:
    """Return which predictions, taken one after the other, have an id that is not remembered when they come."""
    until = np.full(len(records), np.iinfo(np.int64).min)
    for which, run, row in predictions.find(records.ident[:, 0]):
        mine = run.field(_REST, row) == records.ident[which, 1]
        np.maximum.at(until, which[mine], last(run.field(_TIME, row[mine]) // terms.width, terms))
    new: NDArray[np.bool_] = records.time > until
    heard: dict[int, int] = {}
    for i, key in zip(*(each.tolist() for each in Wanted(records.ident).repeated()), strict=True):
        at = int(records.time[i])
        new[i] = at > heard.get(key, int(until[i]))
        if new[i]:
            heard[key] = last(at // terms.width, terms)
    return new


def locate(predictions: Log, terms: Terms, labels: Arrivals) -> tuple[NDArray[np.int64], Columns]:
    """Return for each label the number of its prediction, -1 where there is none, and its record, label included.

    Where an id came again after it was forgotten, a label goes to the earliest prediction that was still remembered.
    """
    n = len(labels.time)
    seq = np.full(n, -1, np.int64)
    fields = predictions.runs[0].fields if predictions.runs else ()
    segments = fields[_SEGMENTS].shape[1] if fields else 0
    found = Columns(
        ident=labels.ident,
        time=np.zeros(n, np.int64),
        version=np.zeros(n, np.int32),
        segments=np.zeros((n, segments), np.uint64),
        token=np.zeros(n, np.uint64),
        number=np.zeros(n),
        labelled=np.ones(n, np.bool_),
        label_token=labels.token,
        label_number=labels.number,
        items=_like(fields[_MORE:], n, np.uint64),
        label_items=labels.items,
        probabilities=_like(fields[_MORE:], n, np.float64),
    )
    into: tuple[NDArray[Any], ...] = (found.time, found.version, found.segments, found.token, found.number)
    into += tuple(each for each in (found.items, found.probabilities) if each is not None)
    for which, run, row in predictions.find(labels.ident[:, 0]):
        good = (run.field(_REST, row) == labels.ident[which, 1]) & (
            labels.time[which] <= last(run.field(_TIME, row) // terms.width, terms)
        )
        which, row = which[good], row[good]  # noqa: PLW2901 -- those that are meant
        numbers = run.seq_at(row)
        order = order_of(-numbers)  # of several of one id the earliest is written last
        order = order[(seq[which[order]] < 0) | (numbers[order] < seq[which[order]])]
        which, row = which[order], row[order]  # noqa: PLW2901
        seq[which] = numbers[order]
        for field_, column in enumerate(into, start=_TIME):
            column[which] = run.field(field_, row)
    return seq, found


def _like(more: tuple[NDArray[Any], ...], n: int, kind: type[T]) -> NDArray[T] | None:
    """Return room for n rows of the further fields that are of a kind; None where there are none."""
    return next((np.zeros((n, field.shape[1]), kind) for field in more if field.dtype == kind), None)
