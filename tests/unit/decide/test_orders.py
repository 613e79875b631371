"""Matchers, and what becomes of orders that people give."""

import re

import msgspec
import pytest

from anchorwatch.decide.orders import (
    Acknowledge,
    BeginSilence,
    EndSilence,
    Given,
    OrderReason,
    Standing,
    as_document,
    obey,
    of_document,
)
from anchorwatch.decide.silences import Matcher

AMOUNT = {"kind": "drift", "model": "fraud", "subject": "amount", "severity": "warning", "segment": "country=DE"}


def begin(*matchers, until=1000):
    return BeginSilence(tuple(map(Matcher.of_text, matchers)), until, "deploying", "ann")


BEGIN = begin("kind=drift")

# orders given one after the other at event time 100, while incident 3 is open: model, order, what becomes of it
TABLE = [
    ("", BEGIN, "silence_begun"),
    ("fraud", BEGIN, "silence_begun"),
    ("churn", BEGIN, "another_model"),
    ("", begin("model=churn"), "another_model"),
    ("", begin("model=~fr.*"), "silence_begun"),
    ("", begin("kind=drift", until=100), "silence_over"),
    ("", EndSilence(1, "bob"), "silence_ended"),
    ("", EndSilence(1, "bob"), "no_such_silence"),
    ("", EndSilence(3, "bob"), "no_such_silence"),
    ("fraud", Acknowledge(3, "on it", "bob"), "acknowledged"),
    ("fraud", Acknowledge(3, "still on it", "ann"), "acknowledged"),
    ("fraud", Acknowledge(2, "too late", "bob"), "incident_not_open"),
]
GIVEN = [Given(number, model, order) for number, (model, order, _) in enumerate(TABLE, 1)]


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("kind=drift", True),
        ("kind=dri", False),
        ("kind!=drift", False),
        ("kind!=accuracy", True),
        ("subject=~am.*", True),
        ("subject=~am", False),
        ("subject!~am", True),
        ("segment=country=DE", True),
        ("segment=~country=(DE|CH)", True),
        ("version=", True),
        ("version!=", False),
        ("kind = drift", True),
    ],
)
def test_a_matcher_looks_at_the_whole_value_of_one_label(text, fits):
    assert Matcher.of_text(text).matches(AMOUNT) is fits


@pytest.mark.parametrize(
    ("text", "said"),
    [("drift", "is no matcher"), ("=drift", "is no matcher"), ("colour=red", "no label 'colour'"), ("kind=~(", "'('")],
)
def test_a_wrong_matcher_says_what_is_wrong(text, said):
    with pytest.raises(ValueError, match=re.escape(said)):
        Matcher.of_text(text)


def test_a_matcher_reads_as_it_was_written():
    for text in ("kind=drift", "subject!=amount", "segment=~country=(DE|CH)", "version!~1.*"):
        assert str(Matcher.of_text(text)) == text


def test_every_order_finds_the_end_that_the_table_names():
    _, obeyed = obey(Standing(), "fraud", GIVEN, 100, {3})
    assert [(each.number, each.reason.value) for each in obeyed] == [(i, row[-1]) for i, row in enumerate(TABLE, 1)]
    assert {row[-1] for row in TABLE} == {reason.value for reason in OrderReason}


@pytest.mark.parametrize("cut", range(len(GIVEN) + 1))
def test_orders_count_once_however_often_they_are_given(cut):
    whole, obeyed = obey(Standing(), "fraud", GIVEN, 100, {3})
    half, first = obey(Standing(), "fraud", GIVEN[:cut], 100, {3})
    again, rest = obey(half, "fraud", GIVEN, 100, {3})
    assert again == whole
    assert (*first, *rest) == obeyed
    assert obey(again, "fraud", GIVEN, 100, {3}) == (whole, ())


def test_a_second_acknowledgement_takes_the_place_of_the_first():
    standing, _ = obey(Standing(), "fraud", GIVEN, 100, {3})
    assert [(each.incident, each.by) for each in standing.acknowledged] == [(3, "ann")]


def test_what_is_over_is_forgotten_when_event_time_has_come_so_far():
    standing, _ = obey(Standing(), "fraud", GIVEN, 100, {3})
    assert len(standing.current(999, {3}).silences) == 2
    assert standing.current(1000, {3}).silences == ()
    assert standing.current(999, {4}).acknowledged == ()
    assert standing.current(1000, ()).taken == len(TABLE)


def test_an_order_comes_back_from_its_document_and_nothing_else_does():
    for _, order, _ in TABLE:
        assert of_document(as_document(order)) == order
    with pytest.raises(msgspec.ValidationError):
        of_document(b'{"order":"obey"}')
