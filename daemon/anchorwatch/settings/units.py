"""Values that carry their unit: durations."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import BeforeValidator, PlainSerializer, WithJsonSchema

NS = {"ns": 1, "us": 10**3, "ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9, "d": 86400 * 10**9}
_PATTERN = re.compile(r"\s*(\d+(?:\.\d+)?)\s*(ns|us|ms|s|m|h|d)\s*")


def parse_duration(value: object) -> int:
    """Return nanoseconds for text such as `7d`, `1.5h` or `500ms`; raises ValueError for anything else."""
    match = _PATTERN.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError(f"{value!r} is not a duration: write a number and its unit, such as 500ms, 30s, 5m, 12h or 7d")
    return round(float(match[1]) * NS[match[2]])


def format_duration(ns: int) -> str:
    """Return the shortest text that `parse_duration` reads back as `ns`."""
    for unit, size in reversed(NS.items()):
        if ns % size == 0 and ns >= size:
            return f"{ns // size}{unit}"
    return "0s"


Duration = Annotated[
    int,
    BeforeValidator(parse_duration),
    PlainSerializer(format_duration),
    WithJsonSchema({"type": "string", "pattern": _PATTERN.pattern, "examples": ["500ms", "30s", "7d"]}),
]
