"""Rankings: at which ranks of a list the items stand that its label names."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from anchorwatch.engine.join import Outcomes
    from anchorwatch.engine.tables import Columns

    Words = NDArray[np.uint64]

_BITS = np.arange(64, dtype=np.uint64)


def judged(outcomes: Outcomes) -> Outcomes:
    """Return outcomes that are right where a relevant item is among the first k, wrong where none is.

    The true class becomes the predicted one where the answer is right, and another where it is wrong, so that all that
    compares classes takes a ranking as it is. A list that could not be used is wrong. Others than rankings stay.
    """
    record = outcomes.record
    if record.items is None or record.label_items is None:
        return outcomes
    right = hits(record).any(axis=1)
    revised = None if outcomes.revised is None else judged(outcomes.revised)
    record = replace(record, label_token=np.where(right, record.token, ~record.token))
    return replace(outcomes, record=record, revised=revised)


def hits(record: Columns) -> NDArray[np.bool_]:
    """Return (n, k) where the item at a rank is relevant; False for others than rankings."""
    if record.items is None or record.label_items is None:
        return np.zeros((len(record), 0), np.bool_)
    found = np.zeros(record.items.shape, np.bool_)
    for item in record.label_items.T:
        found |= record.items == item[:, None]
    found &= record.items != 0
    return found


def words_of(record: Columns) -> Words:
    """Return (5, n) as `engine.answers.words_of` does: time, first item, ranks, true class, how many are relevant.

    Ranks are bits, the lowest one for the first rank.
    """
    found = hits(record)
    ranks = (found.astype(np.uint64) << _BITS[: found.shape[1]]).sum(axis=1, dtype=np.uint64)
    named = np.zeros((len(record), 0)) if record.label_items is None else record.label_items
    relevant = (named != 0).sum(axis=1, dtype=np.uint64)
    return np.stack([record.time.view(np.uint64), record.token, ranks, record.label_token, relevant])


def ranks_in(words: Words, k: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return (n,) how many items are relevant and (n, k) 1 at the ranks where one stands; NaN without a list."""
    ranks = ((words[2][:, None] >> _BITS[:k]) & np.uint64(1)).astype(np.float64)
    ranks[words[1] == 0] = np.nan
    return words[4].astype(np.float64), ranks
