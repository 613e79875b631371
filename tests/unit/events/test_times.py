from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec import UNSET

from anchorwatch.events.times import TimeState, time_of, times_of

SECOND = 10**9
TEN = 1_767_607_200 * SECOND  # 2026-01-05T10:00:00Z
UNITS = ("auto", "iso", "s", "ms", "us", "ns")
quick = settings(max_examples=100, deadline=None)


@pytest.mark.parametrize(
    ("value", "unit", "ns"),
    [
        ("2026-01-05T10:00:00Z", "auto", TEN),
        ("2026-01-05 10:00:00", "auto", TEN),
        ("2026-01-05T10:00:00+00:00", "iso", TEN),
        ("2026-01-05T12:00:00+02:00", "iso", TEN),
        ("2026-01-05T10:00:00.123456789Z", "iso", TEN + 123_456_789),
        ("2026-01-05T10:00:00.1234567891Z", "iso", TEN + 123_456_789),
        ("2026-01-05 10:00:00.5", "iso", TEN + 500_000_000),
        ("2026-01-05", "iso", TEN - 10 * 3600 * SECOND),
        ("2024-02-29T00:00:00Z", "iso", 1_709_164_800 * SECOND),
        ("1969-12-31T23:59:59.5Z", "iso", -500_000_000),
        (1_767_607_200, "auto", TEN),
        (1_767_607_200_000, "auto", TEN),
        (1_767_607_200_000_000, "auto", TEN),
        (TEN, "auto", TEN),
        (1_767_607_200.25, "auto", TEN + 250_000_000),
        (1_767_607_200_000.5, "ms", TEN + 500_000),
        ("1767607200", "auto", TEN),
        ("1767607200.25", "s", TEN + 250_000_000),
        (1, "s", SECOND),
        (1, "ns", 1),
        (-1, "ms", -1_000_000),
    ],
)
def test_a_time_may_be_written_in_many_ways(value, unit, ns):
    assert time_of(value, unit) == ns


@pytest.mark.parametrize(
    ("value", "unit"),
    [
        ("", "auto"), ("soon", "auto"), ("2026-13-01T00:00:00Z", "iso"), ("2026-02-29T00:00:00Z", "iso"),
        ("2026-01-05T24:00:01Z", "iso"), ("2026-01-05T10:00:61Z", "iso"), ("10:00:00", "auto"),
        ("0001-01-01T00:00:00Z", "iso"), ("9999-12-31T23:59:59Z", "iso"), ("1" * 60, "auto"), (True, "auto"),
        (None, "auto"), (1e400, "auto"), (float("nan"), "s"), (10**19, "ns"), (10**400, "auto"), (10**12, "s"),
        (1_767_607_200, "iso"), ("2026-01-05T10:00:00Z", "s"),
    ],
)  # fmt: skip
def test_what_is_no_time_is_none(value, unit):
    assert time_of(value, unit) is None


def check_agreement(values, unit):
    time, state = times_of(values, unit)
    for i, value in enumerate(values):
        single = time_of(value, unit)
        if single is not None:
            assert (int(time[i]), state[i]) == (single, TimeState.GIVEN)
        else:
            missing = value is None or value is UNSET or value == ""
            assert (int(time[i]), state[i]) == (0, TimeState.MISSING if missing else TimeState.INVALID)


@st.composite
def nearly_iso(draw):
    """Draw ISO 8601 text, sometimes with one letter changed."""
    moment = draw(st.datetimes(datetime(1600, 1, 1), datetime(2300, 1, 1)))  # noqa: DTZ001 - the zone is added as text
    text = moment.isoformat(
        sep=draw(st.sampled_from("T ")), timespec=draw(st.sampled_from(["auto", "seconds", "milliseconds"]))
    )
    if "." in text:
        text += draw(st.sampled_from(["", "", "7", "789", "7890"]))
    text += draw(st.sampled_from(["", "Z", "+00:00", "+05:30", "-01:00", "z"]))
    if draw(st.booleans()):
        at = draw(st.integers(0, len(text) - 1))
        text = text[:at] + draw(st.sampled_from("0123456789TZ:.-+ ä")) + text[at + 1 :]
    return text


@quick
@given(st.lists(nearly_iso(), min_size=1, max_size=20), st.sampled_from(["auto", "iso", "s"]))
@example(["2026-01-05T10:00:00.Z"], "auto")
@example(["2026-01-05T10:00:00.1234567890Z"], "iso")
@example(["2262-04-12T00:00:00Z", "1677-09-20T00:00:00Z"], "iso")
def test_a_column_of_texts_means_what_each_text_means(values, unit):
    check_agreement(values, unit)


@quick
@given(
    st.lists(st.integers(-(10**20), 10**20) | st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=20),
    st.sampled_from(UNITS),
)
@example([-(2**63)], "ns")
@example([2**63 - 1], "ns")
@example([10**11 - 1, 10**11, 10**14, 10**17], "auto")
def test_a_column_of_whole_numbers_means_what_each_number_means(values, unit):
    check_agreement(values, unit)


@quick
@given(
    st.lists(
        st.none() | st.just(UNSET) | st.booleans() | st.floats() | st.integers() | st.text(max_size=5), max_size=10
    ),
    st.sampled_from(UNITS),
)
def test_a_mixed_column_means_what_each_value_means(values, unit):
    check_agreement(values, unit)


@quick
@given(st.datetimes(datetime(1680, 1, 1), datetime(2260, 1, 1)), st.integers(-14 * 60, 14 * 60))  # noqa: DTZ001 - see below
def test_iso_text_of_any_zone_is_the_moment_python_means(naive, minutes):
    moment = naive.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    expected = (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1) * 1000
    assert times_of([moment.isoformat()], "iso")[0].tolist() == [expected]


def test_every_day_of_four_centuries_is_counted_as_numpy_counts_it():
    days = np.arange(np.datetime64("1800-01-01"), np.datetime64("2200-01-01"))
    texts = [f"{day}T00:00:00Z" for day in days.astype(str).tolist()]
    time, state = times_of(texts, "iso")
    assert not state.any()
    assert (time == days.astype("datetime64[ns]").astype(np.int64)).all()
