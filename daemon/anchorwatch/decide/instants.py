"""Event times and durations as they are written to others."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_UNITS = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))


def instant(ns: int) -> datetime:
    """Return nanoseconds since the epoch as a time in UTC, to the microsecond below."""
    return _EPOCH + timedelta(microseconds=ns // 1_000)


def rfc3339(ns: int) -> str:
    """Return a time for machines, such as 2026-05-01T08:12:30Z."""
    return instant(ns).isoformat().replace("+00:00", "Z")


def readable(ns: int) -> str:
    """Return a time for people, such as 2026-05-01 08:12 UTC."""
    return f"{instant(ns):%Y-%m-%d %H:%M} UTC"


def lasting(ns: int) -> str:
    """Return a duration for people in its two largest units, such as 2h 10m."""
    left = max(ns, 0) // 1_000_000_000
    parts: list[str] = []
    for unit, size in _UNITS:
        count, left = divmod(left, size)
        if count or parts:
            parts.append(f"{count}{unit}")
    return " ".join(part for part in parts[:2] if not part.startswith("0")) or "0s"
