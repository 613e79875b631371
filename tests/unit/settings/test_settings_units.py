from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anchorwatch.settings.units import LONGEST, NS, format_duration, parse_duration


@pytest.mark.parametrize(
    ("text", "ns"),
    [
        ("0s", 0), ("500ms", 500_000_000), ("1.5h", 5_400 * 10**9), (" 7 d ", 7 * NS["d"]), ("3us", 3_000), ("9ns", 9),
        ("36500d", LONGEST),
    ],
)  # fmt: skip
def test_a_number_with_its_unit_is_a_duration(text, ns):
    assert parse_duration(text) == ns


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        (7, "write 7s for seconds"), ("7", "7d for days"), (1.5, "1.5h for hours"), ("7 days", "write 7d"),
        ("90 Minutes", "write 90m"), ("2w", "write 14d"), ("1 hour", "write 1h"), ("-5m", "negative"),
        (-5, "negative"), ("soon", "number and its unit"), ("", "number and its unit"), (None, "no duration here"),
        (True, "not a duration"), ([], "not a duration"), ({}, "not a duration"), ("40000d", "a hundred years"),
        ("9" * 400 + "d", "number and its unit"), ("٣d", "number and its unit"),
    ],
)  # fmt: skip
def test_anything_else_is_refused_with_what_to_write(value, hint):
    with pytest.raises(ValueError, match=hint):
        parse_duration(value)


@given(st.integers(0, 10**15))
def test_a_written_duration_reads_back_as_it_was(ns):
    assert parse_duration(format_duration(ns)) == ns
