"""Single values: what counts as a number, what counts as a word, and what is wrong with the rest.

Numbers are JSON numbers: `true` is not one (a number that turns into a truth value is a break worth telling) and
neither is text, unless the format knows nothing but text. Words are text, or anything scalar in canonical form, so
that 1, 1.0 and "1" are one category. A value that cannot be used is replaced by a mark for its fault; marks are told
apart by identity, which costs nothing where nothing is wrong.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

import msgspec
import numpy as np
from msgspec import UNSET, UnsetType

from anchorwatch.events.columns import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from anchorwatch.events.columns import Bytes, Floats, Int32s

    Row = msgspec.Struct
    Getter = Callable[[Any], Any]


class Unusable:
    """Mark of a value that cannot be used as anything."""

    __slots__ = ("fault",)

    def __init__(self, fault: Fault) -> None:
        self.fault = fault


WRONG: Final = Unusable(Fault.WRONG_TYPE)
INFINITE: Final = Unusable(Fault.NOT_FINITE)

ABSENT_NUMBER: Final = float("nan")
WRONG_NUMBER: Final = float("nan")
INFINITE_NUMBER: Final = float("nan")

Scalar = str | int | float | bool | UnsetType | Unusable | None


def scalar(value: object) -> Scalar:
    """Return `value` where it is a JSON scalar that can be stored and hashed, else a mark of what is wrong."""
    if value is None or isinstance(value, bool | int | UnsetType):
        return value
    if isinstance(value, str):
        return value if _is_unicode(value) else WRONG
    if isinstance(value, float):
        return value if math.isfinite(value) else INFINITE
    return WRONG


def _is_unicode(text: str) -> bool:
    """Tell whether `text` is free of lone surrogates, which no UTF-8 can hold."""
    return text.isascii() or all(not "\ud800" <= letter <= "\udfff" for letter in text)


def number(value: object, *, text: bool = False) -> float | None:
    """Return `value` as a float, None for null, or the NaN that marks its fault.

    With `text` numbers stand as text, and empty text is null.
    """
    if value is None:
        return None
    if isinstance(value, bool | Unusable | UnsetType):
        return ABSENT_NUMBER if value is UNSET else INFINITE_NUMBER if value is INFINITE else WRONG_NUMBER
    if isinstance(value, str):
        return _parsed(value) if text else WRONG_NUMBER
    if not isinstance(value, int | float):
        return WRONG_NUMBER
    try:
        exact = float(value)
    except OverflowError:
        return INFINITE_NUMBER
    return exact if math.isfinite(exact) else INFINITE_NUMBER


def _parsed(text: str) -> float | None:
    stripped = text.strip()
    if not stripped:
        return None
    try:
        exact = float(stripped)
    except ValueError:
        return WRONG_NUMBER
    if "_" in stripped:  # Python's own notation, no format's
        return WRONG_NUMBER
    return exact if math.isfinite(exact) else INFINITE_NUMBER


def canonical(value: str | float) -> str:
    """Return the text of a scalar: text as is, true and false in lower case, whole numbers as decimal integers."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    return str(int(value)) if value.is_integer() else str(value)


def numbers(rows: Sequence[Row], get: Getter, *, strict: bool, text: bool) -> tuple[Floats, Bytes]:
    """Return a numeric column and its faults.

    Parameters
    ----------
    rows
        n decoded events.
    get
        Gives the value of an event.
    strict
        The values are floats, null or marks already, because the decoder allowed nothing else.
    text
        Numbers stand as text.
    """
    cells: Iterable[float | None] = map(get, rows)
    if not strict:
        cells = [number(cell, text=text) for cell in cells]
    try:
        column = np.fromiter(cells, np.float64, len(rows))  # None raises, see below
    except TypeError:
        cells = list(map(get, rows)) if strict else cells
        column = np.array(cells, np.float64)
    faults = np.zeros(len(rows), np.uint8)
    spoiled = np.flatnonzero(np.isnan(column))
    if len(spoiled):
        values = cells if isinstance(cells, list) else list(map(get, rows))
        faults[spoiled] = [_number_fault(values[i]) for i in spoiled]
    return column, faults


def _number_fault(value: float | None) -> Fault:
    if value is None:
        return Fault.NULL
    if value is ABSENT_NUMBER:
        return Fault.ABSENT
    return Fault.NOT_FINITE if value is INFINITE_NUMBER else Fault.WRONG_TYPE


def words(rows: Sequence[Row], get: Getter, *, text: bool) -> tuple[tuple[str, ...], Int32s, Bytes]:
    """Return a category column: its vocabulary in order of first appearance, its codes and its faults.

    `rows` and `get` are as in `numbers`; with `text` empty text is null.
    """
    numbering = _Numbering()
    which = np.fromiter(map(numbering.__getitem__, map(get, rows)), np.int32, len(rows))
    if any(issubclass(kind, int | float) for kind in set(map(type, numbering))):
        values: list[Scalar] = list(map(get, rows))
        if len(set(map(type, values)) - {type(None), UnsetType, Unusable}) > 1:
            numbering = _Numbering()  # equal values of two types, 1 and true, would be taken for each other
            alike = (canonical(v) if isinstance(v, str | int | float) else v for v in values)
            which = np.fromiter(map(numbering.__getitem__, alike), np.int32, len(rows))
    vocabulary: dict[str, int] = {}
    table = np.empty(len(numbering), np.int32)
    for i, value in enumerate(numbering):
        fault = _word_fault(value, text=text)
        if fault or not isinstance(value, str | int | float):
            table[i] = -int(fault)
        else:
            table[i] = vocabulary.setdefault(canonical(value), len(vocabulary))
    codes = table[which]
    return tuple(vocabulary), np.maximum(codes, -1), np.maximum(-codes, 0).astype(np.uint8)


class _Numbering(dict[Scalar, int]):
    """Numbers values in order of first appearance, each by being asked for it."""

    def __missing__(self, value: Scalar) -> int:
        self[value] = number = len(self)
        return number


def _word_fault(value: Scalar, *, text: bool) -> Fault:
    if value is None or (text and value == ""):
        return Fault.NULL
    if isinstance(value, Unusable):
        return value.fault
    return Fault.ABSENT if value is UNSET else Fault.NONE
