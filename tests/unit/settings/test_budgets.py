"""Budgets of false alarms as text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anchorwatch.settings.budgets import FEWEST, MOST, Budget, format_budget, parse_budget
from anchorwatch.settings.models import Model
from anchorwatch.settings.units import NS


@pytest.mark.parametrize(
    ("text", "budget"),
    [
        ("1 per 30d", Budget(1, None, 30 * NS["d"])), ("3 per 12h", Budget(3, None, 12 * NS["h"])),
        ("1 per 1000000 events", Budget(1, 1_000_000, None)), (" 2 in 1,000,000 predictions ", Budget(2, 10**6, None)),
        ("1 per 1_000 event", Budget(1, 1000, None)),
    ],
)  # fmt: skip
def test_so_many_alarms_per_time_or_per_events(text, budget):
    assert parse_budget(text) == budget
    assert parse_budget(budget) is budget


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        ("30d", "1 per 30d"), ("1 per 30", "30 events` or `1 per 30d"), ("0 per 30d", "allow 1"), (1, "1 per 30d"),
        (None, "no budget"), ([], "no budget"), ("1 per 0s", "any number"), ("1 per 30 days", "write 30d"),
        ("1 per 99 events", "not to 1 in 99"), ("11 per 1000 events", "not to 11 in 1,000"),
        ("-1 per 30d", "no budget"), ("1 per 1e6 events", "number and its unit"), ("٣ per 30d", "no budget"),
    ],
)  # fmt: skip
def test_anything_else_is_refused_with_what_to_write(value, hint):
    with pytest.raises(ValueError, match=hint):
        parse_budget(value)


@given(st.integers(1, 1000), st.integers(FEWEST, MOST // 1000), st.integers(1, 10**15))
def test_a_written_budget_reads_back_as_it_was(alarms, events, time):
    for budget in (Budget(alarms, alarms * events, None), Budget(alarms, None, time)):
        assert parse_budget(format_budget(budget)) == budget


def test_a_model_that_says_nothing_allows_one_a_year():
    assert Model.model_fields["false_alarms"].default == parse_budget("1 per 365d")
