"""Which of the labels of a prediction counts: the first for ever, or each until another comes.

A label that was corrected before its prediction could be matched at all counts as it was corrected. One that is
corrected later has been used by then: the correction is an outcome of its own, for those who can exchange it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from anchorwatch.engine.answers import TRUTH

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from anchorwatch.engine.answers import Words
    from anchorwatch.engine.runs import Log


class Sorted(NamedTuple):
    """What becomes of labels that found their prediction; a label in none of the first two changes nothing.

    Attributes
    ----------
    matched, revised
        (n,) whether the label makes an outcome, and whether it replaces the label of an earlier one.
    counts
        How many went which way, by name.
    """

    matched: NDArray[np.bool_]
    revised: NDArray[np.bool_]
    counts: dict[str, int]


def sort_out(
    labels: Log, seq: NDArray[np.int64], due: NDArray[np.int64], value: NDArray[np.uint64], *, latest: bool
) -> Sorted:
    """Return what becomes of labels.

    Parameters
    ----------
    labels
        The labels that predictions have, by the number of the prediction; of several of one the last is meant.
    seq, due, value
        (n,) number of the prediction, position at which both are known, and what the label says as one word; by
        number, then in the order in which they count.
    latest
        Whether a label replaces the one before it.
    """
    first = np.concatenate(([True], np.diff(seq) > 0))
    has, known = np.zeros(len(seq), np.uint64), np.zeros(len(seq), np.bool_)
    for which, run, row in labels.find(seq.astype(np.uint64)):
        has[which], known[which] = run.field(0, row), True
    fresh = first & ~known
    if latest:
        before = np.where(first, has, np.concatenate((value[:1], value[:-1])))
    else:
        before = np.where(known, has, value[first][np.cumsum(first) - 1])
    same = before == value
    counts = {
        "matched": int(fresh.sum()),
        "duplicate_labels": int((~fresh & same).sum()),
        "revised_labels": int((~fresh & ~same).sum()),
    }
    if not latest:
        return Sorted(fresh, np.zeros(len(seq), np.bool_), counts)
    # labels that waited for their prediction are known at once, with the first: the last of them makes the outcome
    begins = np.concatenate(([True], (np.diff(seq) > 0) | (np.diff(due) > 0)))
    at_once = fresh[begins][np.cumsum(begins) - 1]
    ends = np.append(begins[1:], True)
    return Sorted(at_once & ends, ~at_once & ~same, counts)


def relabelled(words: Words, ident: NDArray[np.uint64], new: Words, new_ident: NDArray[np.uint64]) -> Words:
    """Return predictions as words (`engine.answers`) with the labels of some replaced; of several the last counts.

    Parameters
    ----------
    words, ident
        (5, n) predictions with their labels, and the first half of the hash of each id.
    new, new_ident
        (5, m) the same with the labels that replace others; a prediction is the same where its id and its time are.
    """
    near = np.flatnonzero(np.isin(ident, new_ident))
    if not len(near):
        return words
    keys = np.stack([np.append(ident[near], new_ident), np.append(words[0, near], new[0])])
    _, which = np.unique(keys, axis=1, return_inverse=True)
    here, there = np.split(which.ravel(), [len(near)])
    last = np.full(len(which.ravel()), -1)
    np.maximum.at(last, there, np.arange(len(there)))
    hit = last[here] >= 0
    out = words.copy()
    out[TRUTH, near[hit]] = new[TRUTH, last[here[hit]]]
    return out
