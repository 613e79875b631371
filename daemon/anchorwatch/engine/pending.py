"""Events that came but may not be taken yet, and their release in event-time order."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from anchorwatch.events.columns import Labels, Predictions

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from anchorwatch.events.columns import Shape


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
    """Events at or beyond the frontier, in no particular order."""

    predictions: Predictions
    labels: Labels

    @classmethod
    def empty(cls, shape: Shape) -> Self:
        """Return a buffer without events."""
        return cls(Predictions.empty(shape), Labels.empty())

    def __len__(self) -> int:
        """Return the number of events that wait."""
        return len(self.predictions) + len(self.labels)

    def add(self, predictions: Predictions, labels: Labels) -> Pending:
        """Return the buffer with more events."""
        return Pending(
            Predictions.concat([self.predictions, predictions]) if len(predictions) else self.predictions,
            Labels.concat([self.labels, labels]) if len(labels) else self.labels,
        )

    def release(self, frontier: int) -> tuple[Pending, Release]:
        """Return the rest, and the events before the frontier in order.

        The order is event time, then predictions before labels, then id, then place: total, and the same however the
        events arrived.
        """
        p_out, l_out = self.predictions.time < frontier, self.labels.time < frontier
        predictions, labels = self.predictions.take(p_out), self.labels.take(l_out)
        order = _order(predictions, labels)
        rank = np.empty(len(order), np.int64)
        rank[order] = np.arange(len(order))
        n = len(predictions)
        p_rank, l_rank = rank[:n], rank[n:]
        p_sort, l_sort = np.argsort(p_rank, kind="stable"), np.argsort(l_rank, kind="stable")
        released = Release(
            predictions=predictions.take(p_sort),
            labels=labels.take(l_sort),
            prediction_at=p_rank[p_sort],
            label_at=l_rank[l_sort],
            time=np.concatenate([predictions.time, labels.time])[order],
        )
        return Pending(self.predictions.take(~p_out), self.labels.take(~l_out)), released

    def to_plain(self) -> dict[str, Any]:
        """Return the buffer as plain data in canonical form: sorted, with sorted and used words only."""
        p = self.predictions.take(_order(self.predictions, Labels.empty()))
        labels = self.labels.take(_order_labels(self.labels))
        versions, version = _canonical(p.versions, p.version)
        columns = [_canonical(words, codes) for words, codes in zip(p.vocabulary, p.category, strict=True)]
        plain = {name: getattr(p, name) for name in _PREDICTION_ARRAYS}
        plain |= {
            "versions": list(versions),
            "version": version,
            "vocabulary": [list(words) for words, _ in columns],
            "category": np.stack([codes for _, codes in columns]) if columns else p.category,
        }
        return {"predictions": plain, "labels": {name: getattr(labels, name) for name in _LABEL_ARRAYS}}

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Self:
        """Return the buffer that `to_plain` described."""
        p = plain["predictions"]
        predictions = Predictions(
            versions=tuple(p["versions"]),
            version=p["version"],
            vocabulary=tuple(tuple(words) for words in p["vocabulary"]),
            category=p["category"],
            **{name: p[name] for name in _PREDICTION_ARRAYS},
        )
        return cls(predictions, Labels(**plain["labels"]))


_PREDICTION_ARRAYS = (
    "time", "ident", "partition", "offset", "numeric", "numeric_fault", "category_fault", "token",
)  # fmt: skip
_LABEL_ARRAYS = ("time", "ident", "partition", "offset", "number", "token")


def _order(predictions: Predictions, labels: Labels) -> NDArray[np.int64]:
    """Return the positions of predictions and labels, one after the other, in their common order."""
    time = np.concatenate([predictions.time, labels.time])
    order = np.argsort(time, kind="stable")
    if np.all(np.diff(time[order]) > 0):
        return order
    kind = np.repeat(np.array([0, 1], np.int8), [len(predictions), len(labels)])
    ident = np.concatenate([predictions.ident, labels.ident])
    place = np.concatenate([predictions.offset, labels.offset])
    log = np.concatenate([predictions.partition, labels.partition])
    return np.lexsort((place, log, ident[:, 1], ident[:, 0], kind, time))


def _order_labels(labels: Labels) -> NDArray[np.int64]:
    return np.lexsort((labels.offset, labels.partition, labels.ident[:, 1], labels.ident[:, 0], labels.time))


def _canonical(words: tuple[str, ...], codes: NDArray[np.int32]) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    """Return sorted words that are in use, and the codes over them."""
    used = np.unique(codes[codes >= 0])
    kept = sorted(words[i] for i in used)
    place = {word: i for i, word in enumerate(kept)}
    table = np.full(len(words) + 1, -1, np.int32)
    for i in used:
        table[i] = place[words[i]]
    return tuple(kept), table[codes]
