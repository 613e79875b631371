"""Predictions with their labels as words of 64 bits: what accuracy metrics are computed from."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from anchorwatch.engine import probable, ranking
from anchorwatch.events.classes import POSITIVE, token

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from anchorwatch.engine.tables import Columns
    from anchorwatch_detectors.metric import Kind, Metric

    Words = NDArray[np.uint64]
    Floats = NDArray[np.float64]

WIDTH = 5


def words_of(record: Columns) -> Words:
    """Return (5, n): time of the prediction, predicted class, score or value, true class, true value.

    Of a ranking the numbers are others, see `engine.ranking.words_of`. With probabilities of classes there are more:
    `engine.probable.words_of`.
    """
    if record.label_items is not None:
        return ranking.words_of(record)
    if record.probabilities is not None and len(record):
        return probable.words_of(record, record.probabilities)
    time, number, truth = (a.view(np.uint64) for a in (record.time, record.number, record.label_number))
    return np.stack([time, record.token, number, record.label_token, truth])


def joined_words(parts: Sequence[Words | None]) -> Words | None:
    """Return the words of all parts, one after the other; None where one has none."""
    known = [part for part in parts if part is not None]
    return side_by_side(known) if len(known) == len(parts) else None


def side_by_side(parts: Sequence[Words]) -> Words:
    """Return the words of all parts, one after the other; how many words a row has is told by those with rows."""
    some = [part for part in parts if part.shape[1]]
    return np.concatenate(some, axis=1) if some else np.empty((WIDTH, 0), np.uint64)


def made_at(words: Words) -> NDArray[np.int64]:
    """Return (n,) event time of each prediction, ns."""
    made: NDArray[np.int64] = words[0].view(np.int64)
    return made


class Answers(NamedTuple):
    """What metrics take, by what they need.

    `by_number` is (n, k) for a ranking, and for k classes with probabilities.
    """

    truth: Floats
    by_class: Floats
    by_number: Floats

    @classmethod
    def of(cls, kind: Kind, words: Words, k: int | None = None, named: tuple[str, ...] = ()) -> Answers:
        """Return the answers in words; a prediction without a class, score, value or list is NaN there.

        Classes of a binary model are 1 for positive and 0 for negative, those of others are numbered. Of a ranking
        with k ranks the truth is how many items are relevant (`engine.ranking`). Classes that are `named` have
        probabilities, and are numbered in their order.
        """
        if k is not None:
            relevant, ranks = ranking.ranks_in(words, k)
            return cls(relevant, ranks[:, 0], ranks)
        number = words[2].view(np.float64)
        if kind == "regression":
            return cls(words[4].view(np.float64), number, number)
        said, truth = words[1], words[3]
        if kind == "binary":
            positive = np.uint64(token(POSITIVE))
            given, true = (said == positive).astype(np.float64), (truth == positive).astype(np.float64)
        elif named:
            true, given, number = probable.told_in(words, named)
        else:
            _, codes = np.unique(np.concatenate([said, truth]), return_inverse=True)
            given, true = np.split(codes.ravel().astype(np.float64), 2)
        return cls(true, np.where(said == 0, np.nan, given), number)

    def given(self, metric: Metric) -> Floats:
        """Return what a metric compares the truth with."""
        return self.by_class if metric.needs == "class" else self.by_number

    def take(self, rows: NDArray[np.bool_]) -> Answers:
        """Return some rows."""
        return Answers(self.truth[rows], self.by_class[rows], self.by_number[rows])
