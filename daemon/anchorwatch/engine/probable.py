"""Predictions with the probabilities of all classes: what of them stays once the true class is known."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np

from anchorwatch.events.classes import token
from anchorwatch_detectors.probabilities import against_truth, told

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
    given, distance = against_truth(true, record.probabilities)
    time, number, *held = (a.view(np.uint64) for a in (record.time, record.number, given, distance))
    return np.stack([time, record.token, number, record.label_token, *held])


def told_of(words: Words) -> NDArray[np.float64]:
    """Return (n, 4) what metrics take of such words, as `anchorwatch_detectors.probabilities` says it."""
    confidence, given, distance = words[[2, 4, 5]].view(np.float64)
    return told(given, distance, confidence, words[1] == words[3])


@functools.cache
def _tokens(names: tuple[str, ...]) -> tuple[Words, NDArray[np.int64]]:
    """Return the tokens of classes, rising, and the column of each."""
    tokens = np.array([token(name) for name in names], np.uint64)
    order = np.argsort(tokens)
    return tokens[order], order
