"""Lists of items, as a ranking model orders them and as labels name them, to tokens.

An item is text or a whole number, and 7, 7.0 and "7" are one item, as with classes. A list with an item that cannot be
used is of no use itself, as nobody knows which ranks the others have. Where values stand as text a list is JSON within
the text.
"""

from __future__ import annotations

import hashlib
import itertools
import math
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec
import numpy as np
from msgspec import UNSET

from anchorwatch.events.classes import class_word, token
from anchorwatch.events.columns import Fault
from anchorwatch.events.values import WRONG, Unusable, canonical, scalar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from anchorwatch.events.columns import Bytes, Ids, Int32s

_TYPES: Final = frozenset({str, int, float})  # no truth values, and exactly these: 1 is True, as far as a table knows


class Ranked(NamedTuple):
    """Lists of predictions: the first item of each as a category, and the tokens of the first k.

    Attributes
    ----------
    vocabulary, codes, fault
        As a category column has them.
    tokens
        (n, k) in order; 0 where there is no item, or one that stands further up already.
    """

    vocabulary: tuple[str, ...]
    codes: Int32s
    fault: Bytes
    tokens: Ids


class Relevant(NamedTuple):
    """Items that labels name.

    Attributes
    ----------
    token
        (n,) one for all items of a label together, in whatever order; never 0.
    tokens
        (n, most) each of them once, rising, then 0.
    fault
        (n,) what is wrong with it; no item at all is right.
    many
        (n,) whether it names more than `most`.
    """

    token: NDArray[np.uint64]
    tokens: Ids
    fault: Bytes
    many: NDArray[np.bool_]


def ranked(values: Sequence[object], k: int, *, text: bool) -> Ranked:
    """Return the first k items of each list; what is behind them is not looked at."""
    table = _Words()
    fault = np.zeros(len(values), np.uint8)
    rows: list[list[str]] = []
    for i, value in enumerate(values):
        found = _listed(value, text=text)
        row = found if isinstance(found, Fault) else table.words(found[:k])
        fault[i] = row if isinstance(row, Fault) else Fault.NONE if row else Fault.NULL
        rows.append([] if isinstance(row, Fault) else row)
    tokens = _filled([[table.token[word] for word in row] for row in rows], k)
    for rank in range(1, k):
        tokens[(tokens[:, :rank] == tokens[:, rank : rank + 1]).any(axis=1), rank] = 0
    first: dict[str, int] = {}
    codes = [first.setdefault(row[0], len(first)) if row else -1 for row in rows]
    return Ranked(tuple(first), np.array(codes, np.int32), fault, tokens)


def relevant(values: Sequence[object], most: int, *, text: bool) -> Relevant:
    """Return the items that each label names: one, those of a list, or none."""
    table = _Words()
    fault, many = np.zeros(len(values), np.uint8), np.zeros(len(values), np.bool_)
    rows: list[list[int]] = []
    for i, value in enumerate(values):
        found = _named(value, text=text)
        row = found if isinstance(found, Fault) else table.words(found)
        items = [] if isinstance(row, Fault) else sorted({table.token[word] for word in row})
        many[i] = len(items) > most
        fault[i] = row if isinstance(row, Fault) else Fault.WRONG_TYPE if many[i] else Fault.NONE
        rows.append(items[:most])
    return Relevant(np.array(list(map(_together, rows)), np.uint64), _filled(rows, most), fault, many)


def naming(values: Sequence[object], *, text: bool) -> Bytes:
    """Return the fault of each cell as a place for items: `NULL` and `ABSENT` where it names none."""
    found = [_listed(value, text=text) for value in values]
    return np.array([each if isinstance(each, Fault) else Fault.NONE for each in found], np.uint8)


class _Words:
    """Items as words, each read once."""

    def __init__(self) -> None:
        self._word: dict[str | float, str | None] = {}
        self.token: dict[str, int] = {}

    def words(self, items: Sequence[object]) -> list[str] | Fault:
        """Return items as words, or what is wrong with one of them."""
        row: list[str] = []
        for item in items:
            if type(item) not in _TYPES:
                return Fault.WRONG_TYPE
            word = self._word[item] if item in self._word else self._read(item)  # type: ignore[arg-type]
            if word is None:
                return Fault.WRONG_TYPE
            row.append(word)
        return row

    def _read(self, item: str | float) -> str | None:
        word = None
        if not isinstance(scalar(item), Unusable) and not (isinstance(item, float) and not item.is_integer()):
            word = class_word(canonical(item))
            self.token.setdefault(word, token(word))
        if not (isinstance(item, float) and math.isnan(item)):  # which would never be found again
            self._word[item] = word
        return word


def _listed(value: object, *, text: bool) -> Sequence[object] | Fault:
    """Return the items of a cell that has to be a list, or what is wrong with it."""
    if isinstance(value, list):
        return value
    if value is UNSET:
        return Fault.ABSENT
    if value is None or (text and value == ""):
        return Fault.NULL
    if isinstance(value, Unusable):
        return value.fault
    within = _within(value) if text and isinstance(value, str) else None
    return WRONG.fault if within is None else within


def _named(value: object, *, text: bool) -> Sequence[object] | Fault:
    """Return the items that a label names, a single one without a list too, or what is wrong with it."""
    found = _listed(value, text=text)
    if found is Fault.NULL:
        return ()
    return (value,) if found is Fault.WRONG_TYPE and type(value) in _TYPES else found


def _within(text: str) -> list[object] | None:
    """Return the list that stands as JSON in a text; None where there is none."""
    if not text.lstrip().startswith("["):
        return None
    try:
        return msgspec.json.decode(text, type=list[object])
    except (ValueError, RecursionError):
        return None


def _filled(rows: Sequence[Sequence[int]], width: int) -> Ids:
    """Return rows of at most `width` tokens as a table, filled up with 0."""
    out = np.zeros((len(rows), width), np.uint64)
    long = np.fromiter(map(len, rows), np.int64, len(rows))
    out[np.arange(width) < long[:, None]] = np.array(list(itertools.chain.from_iterable(rows)), np.uint64)
    return out


def _together(items: Sequence[int]) -> int:
    """Return one token for some, in order; never 0."""
    whole = b"".join(item.to_bytes(8, "little") for item in items)
    return int.from_bytes(hashlib.blake2b(whole, digest_size=8).digest(), "little") or 1
