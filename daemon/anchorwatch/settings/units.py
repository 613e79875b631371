"""Values that carry their unit: durations."""

from __future__ import annotations

import re
from typing import Annotated

from annotated_types import Gt
from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

NS = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9, "d": 86400 * 10**9}
LONGEST = 36_500 * NS["d"]
_PATTERN = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?)\s*(ns|us|ms|s|m|h|d)")
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_LONG = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*(sec|min|hour|day|hr|week|w)[a-z]*", re.IGNORECASE)
_SHORT = {"sec": "s", "min": "m", "hour": "h", "hr": "h", "day": "d"}
_HOW = "write a number and its unit: ns, us, ms, s, m, h or d, such as 500ms, 30s, 5m, 12h or 7d"


def parse_duration(value: object) -> int:
    """Return the nanoseconds that text says.

    Parameters
    ----------
    value
        Text such as `7d`, `1.5h` or `500ms`; from 0s to 36500d.

    Returns
    -------
    int
        Nanoseconds.

    Raises
    ------
    ValueError
        For anything else, with what to write instead.
    """
    text = value.strip() if isinstance(value, str) else value
    match = _PATTERN.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        raise ValueError(_refusal(text))
    ns = round(float(match[1]) * NS[match[2]])
    if ns > LONGEST:
        raise ValueError(f"{text} is longer than anchorwatch can keep time (a hundred years): write 36500d or less")
    return ns


def _refusal(value: object) -> str:
    """Say why a value is no duration and what is nearest to it."""
    if value is None:
        return f"there is no duration here: {_HOW}"
    if isinstance(value, bool | list | dict):
        return f"this is not a duration: {_HOW}"
    text = str(value)
    if _NUMBER.fullmatch(text):
        units = f"write {text}s for seconds, {text}m for minutes, {text}h for hours or {text}d for days"
        return f"{text} has no unit and could mean anything: {units}"
    if text.startswith("-"):
        return f"{text} is negative: a duration is at least 0s"
    if long := _LONG.fullmatch(text):
        unit = _SHORT.get(long[2].lower())
        written = f"{long[1]}{unit}" if unit else f"{float(long[1]) * 7:g}d"
        return f"{text} is not a duration: write {written}"
    return f"{text!r} is not a duration: {_HOW}"


def format_duration(ns: int) -> str:
    """Return the shortest text that `parse_duration` reads back as `ns`."""
    for unit, size in reversed(NS.items()):
        if ns % size == 0 and ns >= size:
            return f"{ns // size}{unit}"
    return "0s"


_JSON_SCHEMA = WithJsonSchema(
    {"type": "string", "pattern": f"^{_PATTERN.pattern}$", "examples": ["500ms", "30s", "7d"]},
)

Duration = Annotated[int, BeforeValidator(parse_duration), PlainSerializer(format_duration), _JSON_SCHEMA]
"""A length of time, 0s or more; nanoseconds once parsed."""

Span = Annotated[int, BeforeValidator(parse_duration), Gt(0), PlainSerializer(format_duration), _JSON_SCHEMA]
"""A length of time above 0s; nanoseconds once parsed."""
