"""Columns of several batches, one after the other."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from anchorwatch.events.columns import Int32s

T = TypeVar("T", bound=np.generic)


def categories(vocabularies: Sequence[tuple[str, ...]], codes: Sequence[Int32s]) -> tuple[tuple[str, ...], Int32s]:
    """Merge vocabularies in order of first appearance and translate the codes; -1 stays -1."""
    first = vocabularies[0]
    if all(v == first for v in vocabularies):
        return first, np.concatenate(codes)
    words: dict[str, int] = {}
    translated = []
    for vocabulary, code in zip(vocabularies, codes, strict=True):
        table = np.array([words.setdefault(w, len(words)) for w in vocabulary] + [-1], np.int32)
        translated.append(table[code])
    return tuple(words), np.concatenate(translated)


def items(parts: Sequence[NDArray[T] | None]) -> NDArray[T] | None:
    """Return the items (or probabilities) of all parts; a part that has none has no rows, or nobody has any."""
    known = [part for part in parts if part is not None]
    return np.concatenate(known) if known else None
