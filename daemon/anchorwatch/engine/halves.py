"""Outcomes of the same prediction by two versions find each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Halves(NamedTuple):
    """Outcomes, each by one of two versions, in the order in which they became known.

    Attributes
    ----------
    ident
        (n, 2) the common id.
    second
        (n,) whether it is the challenger's.
    loss
        (n,) how wrong it was.
    known
        (n,) event time at which it became known, ns.
    at
        (n,) position in the release; -1 for an earlier one.
    """

    ident: NDArray[np.uint64]
    second: NDArray[np.bool_]
    loss: NDArray[np.float64]
    known: NDArray[np.int64]
    at: NDArray[np.int64]

    @classmethod
    def none(cls) -> Self:
        """Return no outcomes."""
        return cls(
            np.empty((0, 2), np.uint64),
            np.empty(0, np.bool_),
            np.empty(0),
            np.empty(0, np.int64),
            np.empty(0, np.int64),
        )

    def take(self, index: Any) -> Halves:
        """Return the outcomes at `index`."""
        return Halves(*(column[index] for column in self))

    def with_more(self, more: Halves) -> Halves:
        """Return these, which become known before the present release, and more."""
        known = self._replace(at=np.full(len(self.at), -1, np.int64))
        return Halves(*(np.concatenate(pair) for pair in zip(known, more, strict=True)))

    def to_plain(self) -> dict[str, Any]:
        """Return them as plain data, without their positions."""
        return {name: getattr(self, name) for name in self._fields if name != "at"}

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Self:
        """Return the outcomes that `to_plain` described."""
        return cls(**plain, at=np.full(len(plain["known"]), -1, np.int64))


class Pairs(NamedTuple):
    """Predictions whose two outcomes are known, in the order in which the later one became known.

    `first` and `second` are the losses of champion and challenger, `at` and `known` position and event time.
    """

    first: NDArray[np.float64]
    second: NDArray[np.float64]
    at: NDArray[np.int64]
    known: NDArray[np.int64]


def pair(halves: Halves, within: int) -> tuple[Halves, Pairs]:
    """Return what still waits, and the pairs.

    A half finds the one that waits for it if both became known within `within` of each other. Of two halves of the
    same version under one id the later one takes the place of the earlier.
    """
    order = np.lexsort((halves.ident[:, 1], halves.ident[:, 0]))  # stable: equal ids stay as they came
    ident = halves.ident[order]
    begins = np.concatenate(([True], (ident[1:] != ident[:-1]).any(axis=1))) if len(order) else np.empty(0, np.bool_)
    starts = np.flatnonzero(begins)
    sizes = np.diff(np.append(starts, len(order)))
    left, right = order[starts[sizes == 2]], order[starts[sizes == 2] + 1]
    fits = (halves.second[left] != halves.second[right]) & (halves.known[right] - halves.known[left] <= within)
    pairs = [(left[fits], right[fits])]
    waiting = [order[starts[sizes == 1]], right[~fits]]
    for start, size in zip(starts[sizes > 2].tolist(), sizes[sizes > 2].tolist(), strict=True):  # ids that came again
        matched, rest = _one_by_one(halves, order[start : start + size].tolist(), within)
        pairs.append(matched)
        waiting.append(rest)
    earlier, later = (np.concatenate(side) for side in zip(*pairs, strict=True))
    by_order = np.argsort(later, kind="stable")
    earlier, later = earlier[by_order], later[by_order]
    swapped = halves.second[earlier]
    first, second = np.where(swapped, later, earlier), np.where(swapped, earlier, later)
    found = Pairs(halves.loss[first], halves.loss[second], halves.at[later], halves.known[later])
    return halves.take(np.sort(np.concatenate(waiting))), found


def _one_by_one(
    halves: Halves, rows: list[int], within: int
) -> tuple[tuple[NDArray[np.int64], NDArray[np.int64]], NDArray[np.int64]]:
    """Pair the halves of one id in the order in which they came."""
    waiting: int | None = None
    earlier, later = [], []
    for row in rows:
        if (
            waiting is not None
            and halves.second[waiting] != halves.second[row]
            and halves.known[row] - halves.known[waiting] <= within
        ):
            earlier.append(waiting)
            later.append(row)
            waiting = None
        else:
            waiting = row
    rest = [] if waiting is None else [waiting]
    return (np.array(earlier, np.int64), np.array(later, np.int64)), np.array(rest, np.int64)
