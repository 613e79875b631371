"""Predictions with the probabilities of all classes, as words and as metrics take them."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np

from anchorwatch.events.classes import token

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from anchorwatch.engine.tables import Columns

    Words = NDArray[np.uint64]
    Floats = NDArray[np.float64]

_FIRST = 4
"""Place of the first probability among the words."""


def words_of(record: Columns, p: Floats) -> Words:
    """Return (4 + classes, n): time, predicted class, its probability, true class, and the probability of each class.

    The first four are those of `engine.answers.words_of`.
    """
    time, number, given = (a.view(np.uint64) for a in (record.time, record.number, np.ascontiguousarray(p.T)))
    return np.concatenate([np.stack([time, record.token, number, record.label_token]), given])


def told_in(words: Words, names: tuple[str, ...]) -> tuple[Floats, Floats, Floats]:
    """Return (n,) codes of true and predicted classes, and (n, classes) the probability of each of `names`.

    Codes are the columns of the probabilities, and larger ones for classes that have none.
    """
    tokens, column = _tokens(names)
    said, true = words[1], words[3]
    others = np.setdiff1d(np.concatenate([said, true]), tokens)
    if not words.shape[1]:
        return np.empty(0), np.empty(0), np.empty((0, len(names)))

    def codes(classes: Words) -> Floats:
        at = np.minimum(np.searchsorted(tokens, classes), len(tokens) - 1)
        beyond = len(names) + np.searchsorted(others, classes)
        return np.where(tokens[at] == classes, column[at], beyond).astype(np.float64)

    return codes(true), codes(said), words[_FIRST:].view(np.float64).T


@functools.cache
def _tokens(names: tuple[str, ...]) -> tuple[Words, NDArray[np.int64]]:
    """Return the tokens of classes, rising, and the column of each."""
    tokens = np.array([token(name) for name in names], np.uint64)
    order = np.argsort(tokens)
    return tokens[order], order
