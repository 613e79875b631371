"""Which of the labels of a prediction counts: the first for ever, or each until another comes.

A label that was corrected before its prediction could be matched at all counts as it was corrected. One that is
corrected later has been used by then: the correction is an outcome of its own, for those who can exchange it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

from anchorwatch.engine.answers import WIDTH, made_at, side_by_side

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from anchorwatch.engine.answers import Words
    from anchorwatch.engine.reference import Block
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


class Revisions(NamedTuple):
    """Labels that replaced another, in the order in which they came.

    Attributes
    ----------
    words, ident
        (words, n) the predictions with these labels (`engine.answers`), and the first half of the hash of each id.
    time
        (n,) event time at which each came, ns.
    """

    words: Words
    ident: NDArray[np.uint64]
    time: NDArray[np.int64]

    @classmethod
    def none(cls) -> Self:
        """Return no labels."""
        return cls(np.empty((WIDTH, 0), np.uint64), np.empty(0, np.uint64), np.empty(0, np.int64))

    @classmethod
    def of(cls, block: Block | None) -> Self:
        """Return the labels of outcomes that were revised."""
        if block is None or block.answers is None:
            return cls.none()
        return cls(block.answers, block.ident[:, 0], block.time)

    def take(self, index: Any) -> Revisions:
        """Return the labels at `index`."""
        return Revisions(self.words[:, index], self.ident[index], self.time[index])

    def add(self, more: Revisions) -> Revisions:
        """Return these and more that came after them."""
        words = side_by_side([self.words, more.words])
        return Revisions(words, np.append(self.ident, more.ident), np.append(self.time, more.time))

    def within(self, delay: int) -> Revisions:
        """Return the labels that came within so many ns of their prediction."""
        return self.take(self.time <= made_at(self.words) + delay)

    def known(self, words: Words, ident: NDArray[np.uint64], time: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return when predictions, whose first label came at `time`, got the last one."""
        last = self._last(words, ident)
        return np.where(last >= 0, self.time[last], time) if len(self.time) else time

    def onto(self, words: Words, ident: NDArray[np.uint64]) -> Words:
        """Return predictions as words with the labels of some replaced; of several of one the last counts."""
        last = self._last(words, ident)
        hit = np.flatnonzero(last >= 0)
        if not len(hit):
            return words
        out = words.copy()
        out[:, hit] = self.words[:, last[hit]]
        return out

    def _last(self, words: Words, ident: NDArray[np.uint64]) -> NDArray[np.int64]:
        """Return the place of the last label of each prediction, -1 for none; the same id and time are the same."""
        out = np.full(len(ident), -1)
        near = np.flatnonzero(np.isin(ident, self.ident))
        if len(near):
            keys = np.stack([np.append(ident[near], self.ident), np.append(words[0, near], self.words[0])])
            _, which = np.unique(keys, axis=1, return_inverse=True)
            here, there = np.split(which.ravel(), [len(near)])
            last = np.full(len(near) + len(self.ident), -1)
            np.maximum.at(last, there, np.arange(len(there)))
            out[near] = last[here]
        return out
