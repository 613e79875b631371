"""Classes in canonical form, so that a prediction and its label agree however each was written."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final

import numpy as np

from anchorwatch.events.values import canonical

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from anchorwatch.events.columns import Int32s
    from anchorwatch.settings.models import Scalar

POSITIVE: Final = "1"
NEGATIVE: Final = "0"
_WHOLE: Final = re.compile(r"(-?\d+)\.0+")
_TRUTH: Final = ({"1", "true"}, {"0", "false"})


def class_word(word: str) -> str:
    """Return the name of a class given its canonical text: `2.0` is the class `2`, as a table with gaps writes it."""
    match = _WHOLE.fullmatch(word)
    return match[1] if match else word


class Binary:
    """The two classes of a binary model: everything that is not the positive one is the negative one.

    Where the positive class is a truth value or 0 or 1, in whatever form, all forms of it are positive: 1, 1.0,
    true, "1", "True".
    """

    def __init__(self, positive: Scalar) -> None:
        word = class_word(canonical(positive))
        self._positive = next((forms for forms in _TRUTH if word.lower() in forms), {word})
        self._folded = self._positive in _TRUTH

    def __call__(self, word: str) -> str:
        """Return the class a canonical text names, `POSITIVE` or `NEGATIVE`."""
        word = class_word(word)
        return POSITIVE if (word.lower() if self._folded else word) in self._positive else NEGATIVE


def token(word: str) -> int:
    """Return the 64-bit token of a class, never 0: the first 8 bytes, little-endian, of its BLAKE2b."""
    return int.from_bytes(hashlib.blake2b(word.encode(), digest_size=8).digest(), "little") or 1


def tokens(vocabulary: Sequence[str], codes: Int32s) -> NDArray[np.uint64]:
    """Return the token of each code; 0 where there is no class (-1)."""
    return np.array([*map(token, vocabulary), 0], np.uint64)[codes]


def renamed(codes: Int32s, names: Sequence[str], start: Sequence[str] = ()) -> tuple[tuple[str, ...], Int32s]:
    """Give each code the name in its place; codes of one name become one, names of `start` come first."""
    merged = {name: i for i, name in enumerate(start)}
    table = np.array([merged.setdefault(name, len(merged)) for name in names] + [-1], np.int32)
    return tuple(merged), table[codes]
