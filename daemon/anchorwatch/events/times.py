"""Event times: ISO 8601 text or epoch numbers to nanoseconds since the epoch.

`time_of` says what each value means; `times_of` says the same of a whole column, quickly where its values are alike.
"""

from __future__ import annotations

import enum
import math
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import numpy as np
from msgspec import UNSET

from anchorwatch.settings.units import NS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from anchorwatch.events.columns import Bytes, Int64s
    from anchorwatch.events.values import Scalar
    from anchorwatch.settings.models import TimeUnit


class TimeState(enum.IntEnum):
    """Whether a value gave a time."""

    GIVEN = 0
    MISSING = 1
    INVALID = 2


_LATEST: Final = 2**63 - 1
_AUTO: Final = ((10**11, NS["s"]), (10**14, NS["ms"]), (10**17, NS["us"]))
"""Magnitudes below which an epoch number is taken for s, ms, us: of 1973 to 5138 none is taken for another."""
_NUMERIC = re.compile(r"[+-]?\d+(\.\d*)?")
_FRACTION = re.compile(r"(:\d\d)[.,](\d{1,9})\d*")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def time_of(value: Scalar, unit: TimeUnit) -> int | None:
    """Return the time a value means in ns since the epoch; None where it means none between the years 1677 and 2262.

    Text is ISO 8601, with `T` or a space, without a zone in UTC; a text of digits is a number unless the unit is
    `iso`. Fractions of epoch numbers are kept to the microsecond, as doubles hold no more of them.
    """
    if isinstance(value, str):
        text = value.strip()
        if unit == "iso" or not _NUMERIC.fullmatch(text):
            return _iso(text) if unit in ("iso", "auto") else None
        if len(text) > 40:
            return None
        value = float(text) if "." in text else int(text)
    if unit == "iso" or isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    size = NS[unit] if unit != "auto" else next((size for bound, size in _AUTO if abs(value) < bound), 1)
    whole = math.floor(value)
    ns = whole * size + round((value - whole) * size / 1000) * 1000
    return ns if abs(ns) <= _LATEST else None


def _iso(text: str) -> int | None:
    fraction = _FRACTION.search(text)
    nanoseconds = int(fraction[2].ljust(9, "0")) if fraction else 0
    if fraction:
        text = text[: fraction.end(1)] + text[fraction.end() :]
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
        seconds = (moment - _EPOCH) // timedelta(seconds=1)
    except (ValueError, OverflowError):
        return None
    ns = seconds * NS["s"] + nanoseconds
    return ns if abs(ns) <= _LATEST else None


def times_of(values: Sequence[Scalar], unit: TimeUnit) -> tuple[Int64s, Bytes]:
    """Return the time of each value (0 where there is none) and its `TimeState`."""
    kinds = set(map(type, values))
    if kinds == {int} and unit != "iso":
        found = _epochs(values, unit)
        if found is not None:
            return found
    time = np.zeros(len(values), np.int64)
    state = np.full(len(values), TimeState.INVALID, np.uint8)
    if kinds == {str} and unit in ("iso", "auto"):
        _regular(values, time, state)  # type: ignore[arg-type]  # all are text, as just seen
    for i in np.flatnonzero(state).tolist():
        value = values[i]
        if value is None or value is UNSET or value == "":
            state[i] = TimeState.MISSING
        elif (ns := time_of(value, unit)) is not None:
            time[i] = ns
            state[i] = TimeState.GIVEN
    return time, state


def _epochs(values: Sequence[Scalar], unit: TimeUnit) -> tuple[Int64s, Bytes] | None:
    """Return whole epoch numbers as times; None where one does not fit 64 bits."""
    try:
        whole = np.array(values, np.int64)
    except OverflowError:
        return None
    size = np.abs(whole)
    scale = np.full(len(whole), 1 if unit == "auto" else NS[unit], np.int64)
    if unit == "auto":
        for bound, factor in reversed(_AUTO):
            scale[size < bound] = factor
    valid = (size <= _LATEST // scale) & (whole != np.iinfo(np.int64).min)
    time = np.where(valid, whole, 0) * scale
    return time, np.where(valid, TimeState.GIVEN, TimeState.INVALID).astype(np.uint8)


def _regular(texts: Sequence[str], time: Int64s, state: Bytes) -> None:
    """Fill in the times of texts of the forms `YYYY-MM-DD?hh:mm:ss[.f{1,9}][Z|+00:00]`; the others are left."""
    lengths = np.fromiter(map(len, texts), np.int64, len(texts))
    for length in np.flatnonzero(np.bincount(np.minimum(lengths, 40))).tolist():  # longer ones are none of these
        rows = np.flatnonzero(lengths == length)
        if 19 <= length <= 36:
            some = texts if len(rows) == len(texts) else [texts[i] for i in rows.tolist()]
            letters = np.frombuffer("".join(some).encode("ascii", "replace"), np.uint8)  # what it replaces is no digit
            ns, good = _digits(letters.reshape(len(rows), length))
            time[rows] = ns
            state[rows[good]] = TimeState.GIVEN


_DIGITS: Final = (0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18)
_DAYS: Final = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31], np.int32)


def _digits(letters: NDArray[np.uint8]) -> tuple[Int64s, NDArray[np.bool_]]:
    """Return the times of texts of one length, and which of them have the form and are real moments."""
    digit = np.ascontiguousarray(letters.T) - np.uint8(ord("0"))  # what is no digit comes to more than 9
    good = (digit[_DIGITS, :] <= 9).all(axis=0)
    for place, letter in ((4, "-"), (7, "-"), (13, ":"), (16, ":")):
        good &= letters[:, place] == ord(letter)
    good &= (letters[:, 10] == ord("T")) | (letters[:, 10] == ord(" "))
    century, year, month, day, hour, minute, second = (
        digit[i].astype(np.int32) * 10 + digit[i + 1] for i in (0, 2, 5, 8, 11, 14, 17)
    )
    year += century * 100
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    good &= (year >= 1678) & (year <= 2261) & (month >= 1) & (month <= 12) & (day >= 1)
    good &= (hour < 24) & (minute < 60) & (second < 60)
    month = np.where(good, month, 1)
    good &= day <= _DAYS[month] + (leap & (month == 2))
    fraction, whole = _fraction(letters, digit)
    good &= whole
    seconds = _days(year, month, day).astype(np.int64) * 86400 + (hour * 3600 + minute * 60 + second)
    return np.where(good, np.where(good, seconds, 0) * NS["s"] + fraction, 0), good


def _fraction(letters: NDArray[np.uint8], digit: NDArray[np.uint8]) -> tuple[Int64s, NDArray[np.bool_]]:
    """Return the nanoseconds behind the seconds, and whether nothing else but UTC stands there."""
    n, width = letters.shape
    zulu = letters[:, -1] == ord("Z")
    offset = np.all(letters[:, -6:] == np.frombuffer(b"+00:00", np.uint8), axis=1)
    end = np.where(zulu, width - 1, np.where(offset, width - 6, width))
    fraction = np.zeros(n, np.int64)
    good = end != 20  # a point needs a digit behind it
    for place in range(19, int(end.max(initial=0))):
        inside = place < end
        if place == 19:
            good &= ~inside | (letters[:, place] == ord("."))
        else:
            good &= ~inside | ((digit[place] <= 9) & (place < 29))
            worth = 10 ** (28 - place) if place < 29 else 0
            fraction += np.where(inside, digit[place], 0).astype(np.int64) * worth
    return fraction, good


def _days(year: NDArray[np.int32], month: NDArray[np.int32], day: NDArray[np.int32]) -> NDArray[np.int32]:
    """Return days since 1970-01-01 in the Gregorian calendar (H. Hinnant, days_from_civil)."""
    year = np.where(month <= 2, year - 1, year)
    era = year // 400
    of_era = year - era * 400
    of_year = (153 * np.where(month > 2, month - 3, month + 9) + 2) // 5 + day - 1
    days: NDArray[np.int32] = era * 146097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719468
    return days
