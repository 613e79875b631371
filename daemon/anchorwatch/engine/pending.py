"""Events that came but may not be taken yet, and their release in event-time order."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self, TypeVar

import numpy as np

from anchorwatch.engine.watermark import NEVER
from anchorwatch.events.columns import Labels, Predictions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from anchorwatch.events.columns import Shape

Events = TypeVar("Events", Predictions, Labels)


@dataclass(frozen=True, slots=True)
class Release:
    """Events in the one order in which every host takes them.

    Attributes
    ----------
    predictions, labels
        Each in order.
    prediction_at, label_at
        Position of each in the common order of both, 0 to size - 1.
    time
        (size,) event time at each position, non-decreasing.
    """

    predictions: Predictions
    labels: Labels
    prediction_at: NDArray[np.int64]
    label_at: NDArray[np.int64]
    time: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Pending:
    """Events at or beyond the frontier, in no particular order.

    Attributes
    ----------
    predictions, labels
        The events.
    partitions
        Names that their `partition` indexes, sorted: a partition that is new may change the numbers of the others.
    """

    predictions: Predictions
    labels: Labels
    partitions: tuple[str, ...] = ()

    @classmethod
    def empty(cls, shape: Shape) -> Self:
        """Return a buffer without events."""
        return cls(Predictions.empty(shape), Labels.empty())

    def __len__(self) -> int:
        """Return the number of events that wait."""
        return len(self.predictions) + len(self.labels)

    @property
    def newest(self) -> int:
        """Return the newest event time of an event that waits, ns; the smallest integer where none does."""
        times = [int(part.time.max()) for part in (self.predictions, self.labels) if len(part)]
        return max(times, default=NEVER)

    def add(self, partitions: Sequence[str], predictions: Predictions, labels: Labels) -> Pending:
        """Return the buffer with more events, whose `partition` indexes `partitions`."""
        names = tuple(sorted({*self.partitions, *partitions}))
        old = _among(names, self.partitions, self.predictions, self.labels)
        new = _among(names, partitions, predictions, labels)
        return Pending(
            Predictions.concat([old[0], new[0]]) if len(predictions) else old[0],
            Labels.concat([old[1], new[1]]) if len(labels) else old[1],
            names,
        )

    def release(self, frontier: int) -> tuple[Pending, Release]:
        """Return the rest, and the events before the frontier in order.

        The order is event time, then predictions before labels, then id, then place: total, and the same however the
        events arrived.
        """
        predictions, p_rest = _parted(self.predictions, frontier)
        labels, l_rest = _parted(self.labels, frontier)
        order = _order(predictions, labels)
        rank = np.empty(len(order), np.int64)
        rank[order] = np.arange(len(order))
        n = len(predictions)
        p_rank, l_rank = rank[:n], rank[n:]
        time = np.concatenate([predictions.time, labels.time])[order]
        if np.any(np.diff(p_rank) < 0):
            p_sort = np.argsort(p_rank)
            predictions, p_rank = predictions.take(p_sort), p_rank[p_sort]
        if np.any(np.diff(l_rank) < 0):
            l_sort = np.argsort(l_rank)
            labels, l_rank = labels.take(l_sort), l_rank[l_sort]
        released = Release(predictions, labels, prediction_at=p_rank, label_at=l_rank, time=time)
        return Pending(_lean(p_rest), l_rest, self.partitions), released

    def to_plain(self) -> dict[str, Any]:
        """Return the buffer as plain data in canonical form: sorted, with sorted and used words only."""
        used = np.unique(np.concatenate([self.predictions.partition, self.labels.partition])).tolist()
        names = tuple(self.partitions[code] for code in used)
        predictions, labels = _among(names, self.partitions, self.predictions, self.labels)
        p = _canonical_words(predictions.take(_order(predictions, Labels.empty())))
        labels = labels.take(_order_labels(labels))
        plain = {name: getattr(p, name) for name in (*_PREDICTION_ARRAYS, "version", "category")}
        plain |= {"versions": list(p.versions), "vocabulary": [list(words) for words in p.vocabulary]}
        labels_plain = {name: getattr(labels, name) for name in _LABEL_ARRAYS}
        for part, into in ((p, plain), (labels, labels_plain)):
            if part.items is not None and len(part):
                into["items"] = part.items
        if p.probabilities is not None and len(p):
            plain["probabilities"] = p.probabilities
        return {"predictions": plain, "labels": labels_plain, "partitions": list(names)}

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Self:
        """Return the buffer that `to_plain` described."""
        p = plain["predictions"]
        predictions = Predictions(
            versions=tuple(p["versions"]),
            version=p["version"],
            vocabulary=tuple(tuple(words) for words in p["vocabulary"]),
            category=p["category"],
            items=p.get("items"),
            probabilities=p.get("probabilities"),
            **{name: p[name] for name in _PREDICTION_ARRAYS},
        )
        return cls(predictions, Labels(**plain["labels"]), tuple(plain["partitions"]))


_PREDICTION_ARRAYS = (
    "time", "ident", "partition", "offset", "numeric", "numeric_fault", "category_fault", "token",
)  # fmt: skip
_LABEL_ARRAYS = ("time", "ident", "partition", "offset", "number", "token")


def _parted(events: Events, frontier: int) -> tuple[Events, Events]:
    """Return the events before the frontier, and the others; not copied where they stand in order, as most do."""
    out = events.time < frontier
    n = int(np.count_nonzero(out))
    if out[:n].all():
        return events.take(slice(n)), events.take(slice(n, None))
    return events.take(out), events.take(~out)


def _order(predictions: Predictions, labels: Labels) -> NDArray[np.int64]:
    """Return the positions of predictions and labels, one after the other, in their common order."""
    time = np.concatenate([predictions.time, labels.time])
    order = np.argsort(time, kind="stable")
    again = time[order[1:]] == time[order[:-1]]
    if again.any():
        tied = np.concatenate([again, [False]]) | np.concatenate([[False], again])
        rows = order[tied]
        order[tied] = rows[_by_all_else(predictions, labels, rows, time)]
    return order


def _by_all_else(
    predictions: Predictions, labels: Labels, rows: NDArray[np.int64], time: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the order of some rows by time, then kind, id and place."""
    kind = np.repeat(np.array([0, 1], np.int8), [len(predictions), len(labels)])
    ident = np.concatenate([predictions.ident, labels.ident])
    place = np.concatenate([predictions.offset, labels.offset])
    log = np.concatenate([predictions.partition, labels.partition])
    return np.lexsort((place[rows], log[rows], ident[rows, 1], ident[rows, 0], kind[rows], time[rows]))


def _order_labels(labels: Labels) -> NDArray[np.int64]:
    return np.lexsort((labels.offset, labels.partition, labels.ident[:, 1], labels.ident[:, 0], labels.time))


def _among(
    names: Sequence[str], partitions: Sequence[str], predictions: Predictions, labels: Labels
) -> tuple[Predictions, Labels]:
    """Return events whose `partition` indexes `partitions` with codes over `names`."""
    if tuple(names) == tuple(partitions):
        return predictions, labels
    place = {name: code for code, name in enumerate(names)}
    table = np.array([place.get(name, -1) for name in partitions] or [-1], np.int32)
    return (
        replace(predictions, partition=table[predictions.partition]),
        replace(labels, partition=table[labels.partition]),
    )


def _lean(predictions: Predictions) -> Predictions:
    """Return predictions without most of the words that only left ones used: unbounded words must not pile up."""
    most = 1000 + 4 * len(predictions)
    if all(len(words) <= most for words in (predictions.versions, *predictions.vocabulary)):
        return predictions
    return _canonical_words(predictions)


def _canonical_words(predictions: Predictions) -> Predictions:
    """Return predictions over sorted words that are in use."""
    versions, version = _canonical(predictions.versions, predictions.version)
    columns = [_canonical(*column) for column in zip(predictions.vocabulary, predictions.category, strict=True)]
    return replace(
        predictions,
        versions=versions,
        version=version,
        vocabulary=tuple(words for words, _ in columns),
        category=np.stack([codes for _, codes in columns]) if columns else predictions.category,
    )


def _canonical(words: tuple[str, ...], codes: NDArray[np.int32]) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    """Return sorted words that are in use, and the codes over them."""
    used = np.unique(codes[codes >= 0])
    kept = sorted(words[i] for i in used)
    place = {word: i for i, word in enumerate(kept)}
    table = np.full(len(words) + 1, -1, np.int32)
    for i in used:
        table[i] = place[words[i]]
    return tuple(kept), table[codes]
