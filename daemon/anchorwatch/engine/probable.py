"""Predictions with the probabilities of all classes: what of them stays once the true class is known."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np

from anchorwatch.events.classes import token
from anchorwatch_detectors.probabilities import held_against

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from anchorwatch.engine.tables import Columns

    Words = NDArray[np.uint64]


def words_of(record: Columns, names: Sequence[str]) -> Words:
    """Return (6, n) as `engine.answers.words_of` does: time, predicted class, its probability, true class, two more.

    These are the probability that was given to the true class, and the squared distance of all from the truth
    (`anchorwatch_detectors.probabilities`). `names` are the classes of the columns of probabilities.
    """
    if record.probabilities is None:
        raise RuntimeError("there are no probabilities to be held against the truth")
    tokens, order = _tokens(tuple(names))
    at = np.minimum(np.searchsorted(tokens, record.label_token), len(tokens) - 1)
    true = np.where(tokens[at] == record.label_token, order[at], -1)
    held = held_against(true, record.probabilities)
    time, number = record.time.view(np.uint64), record.number.view(np.uint64)
    return np.stack([time, record.token, number, record.label_token, *held.T.copy().view(np.uint64)])


def told_of(words: Words) -> NDArray[np.float64]:
    """Return (n, 2) the last two of the words of such predictions, as metrics take them."""
    return words[4:6].view(np.float64).T


@functools.cache
def _tokens(names: tuple[str, ...]) -> tuple[Words, NDArray[np.int64]]:
    """Return the tokens of classes, rising, and the column of each."""
    tokens = np.array([token(name) for name in names], np.uint64)
    order = np.argsort(tokens)
    return tokens[order], order
