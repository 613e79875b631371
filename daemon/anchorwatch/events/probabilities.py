"""The probabilities that a prediction gives each class.

They are usable together or not at all: where one of them is no number, or lies outside 0 to 1, or where they add up to
something else than 1, nobody knows what the others are worth.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from anchorwatch.events import classes
from anchorwatch.events.columns import Fault
from anchorwatch.events.values import numbers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import msgspec
    from numpy.typing import NDArray

    from anchorwatch.events.columns import Bytes, Floats, Int32s
    from anchorwatch.events.reader import Reader

ABOUT: Final = 0.05
"""How far from 1 the sum may be: many classes rounded to two digits each are that far off, scores that were never made
probabilities mostly further."""


class Given(NamedTuple):
    """Probabilities of n predictions.

    Attributes
    ----------
    p
        (n, classes) all NaN where they cannot be used.
    fault
        (n,) what is wrong with them.
    """

    p: Floats
    fault: Bytes

    def most_probable(self) -> Int32s:
        """Return (n,) the code of the most probable class, the first of equal ones; -1 where nobody knows."""
        codes = np.where(self.fault == Fault.NONE, np.nan_to_num(self.p).argmax(axis=1), -1)
        return codes.astype(np.int32)

    def of_classes(self, codes: Int32s, fault: Bytes) -> tuple[Floats, Bytes]:
        """Return (n,) the probability of a class of each prediction, and what is wrong with it.

        `codes` are below 0 where there is no class, for the reason in `fault`; a class beyond those that have a
        probability has none to speak of, 0.
        """
        n, k = self.p.shape
        score = np.where(codes < k, self.p[np.arange(n), np.clip(codes, 0, k - 1)], 0.0)
        score = np.where((codes < 0) | (self.fault != Fault.NONE), np.nan, score)
        return score, np.where(self.fault != Fault.NONE, self.fault, np.where(codes < 0, fault, Fault.NONE))


class Probabilities:
    """Reads the probabilities of classes.

    Parameters
    ----------
    names
        The classes, in the order of the columns.
    paths
        Where that of each class stands, by class.
    reader
        What payloads are read with.
    """

    def __init__(self, names: tuple[str, ...], paths: Mapping[str, str], reader: Reader) -> None:
        self.names = names
        self._cells = [(reader.getter(paths[name]), paths[name] in reader.numbers) for name in names]
        self._text = reader.text

    def present(self, rows: Sequence[msgspec.Struct]) -> NDArray[np.bool_]:
        """Tell of each event whether it has any of them."""
        found: NDArray[np.bool_] = (self._read(rows)[1] != Fault.ABSENT).any(axis=0)
        return found

    def of(self, rows: Sequence[msgspec.Struct]) -> Given:
        """Return the probabilities of events."""
        p, faults = self._read(rows)
        fault = faults.max(axis=0)
        kept = np.clip(p, 0.0, 1.0)
        wrong = (p != kept).any(axis=0) | (np.abs(kept.sum(axis=0) - 1.0) > ABOUT)
        fault = np.where((fault == Fault.NONE) & wrong, Fault.WRONG_TYPE, fault).astype(np.uint8)
        return Given(np.where(fault[:, None] == Fault.NONE, p.T, np.nan), fault)

    def coded(self, vocabulary: Sequence[str], codes: Int32s) -> tuple[tuple[str, ...], Int32s]:
        """Return named classes over a vocabulary that begins with the classes that have a probability."""
        return classes.renamed(codes, [classes.class_word(word) for word in vocabulary], self.names)

    def _read(self, rows: Sequence[msgspec.Struct]) -> tuple[Floats, Bytes]:
        """Return (classes, n) the numbers and their faults."""
        p = np.empty((len(self._cells), len(rows)))
        faults = np.empty((len(self._cells), len(rows)), np.uint8)
        for i, (get, strict) in enumerate(self._cells):
            p[i], faults[i] = numbers(rows, get, strict=strict, text=self._text)
        return p, faults
