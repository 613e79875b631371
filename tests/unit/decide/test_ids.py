"""Ids: the same for the same thing, different for different things."""

import re
import uuid

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from anchorwatch.decide.ids import NAMESPACE, alert_id, fingerprint, idempotency_key, trigger_id

LABELS = {"alertname": "ModelAccuracy", "model": "fraud"}
RFC1123 = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?")
TRICKY = st.text(alphabet="a|\\-", max_size=4)


def test_ids_are_what_they_were_in_the_first_release():
    """A changed id makes every consumer take an old event for a new one."""
    assert fingerprint(LABELS) == "8597011731540731"
    assert alert_id("/aw", "8597011731540731", 1, "firing", 1) == "38ecb227-29ff-5135-9190-83962aade00c"
    assert trigger_id("/aw", "fraud", "default", 42) == "c3146fe8-d508-57d0-8a02-84920f99b0ee"


def test_an_id_is_a_uuid_of_the_names_it_stands_for():
    assert trigger_id("/aw", "fraud", "p1", 42) == str(uuid.uuid5(NAMESPACE, "/aw|fraud|p1|42"))
    assert alert_id("/aw", "abc", 3, "resolved", 2) == str(uuid.uuid5(NAMESPACE, "/aw|abc|3|resolved|2"))


def test_a_fingerprint_does_not_depend_on_the_order_of_labels():
    assert fingerprint(dict(reversed(LABELS.items()))) == fingerprint(LABELS)


@settings(deadline=None)
@example([("a|b", "c", "d"), ("a", "b|c", "d")])
@example([("a\\", "b", "c|d"), ("a|b", "c\\", "d")])
@given(st.lists(st.tuples(TRICKY, TRICKY, TRICKY), min_size=2, max_size=2, unique=True))
def test_different_names_never_share_an_id_even_with_bars_in_them(names):
    one, other = names
    assert trigger_id(*one, 1) != trigger_id(*other, 1)


@settings(deadline=None)
@given(st.dictionaries(TRICKY, TRICKY, max_size=3), st.dictionaries(TRICKY, TRICKY, max_size=3))
def test_different_labels_never_share_a_fingerprint(one, other):
    assert (fingerprint(one) == fingerprint(other)) == (one == other)


@pytest.mark.parametrize(
    "change",
    [
        ("/b", "f", 1, "firing", 1),
        ("/a", "g", 1, "firing", 1),
        ("/a", "f", 2, "firing", 1),
        ("/a", "f", 1, "resolved", 1),
        ("/a", "f", 1, "firing", 2),
    ],
)
def test_every_part_of_an_alert_id_counts(change):
    assert alert_id(*change) != alert_id("/a", "f", 1, "firing", 1)


def key(source, model, policy, incident):
    return idempotency_key(trigger_id(source, model, policy, incident), model, policy, incident)


def test_a_key_reads_like_its_trigger():
    assert re.fullmatch(r"retrain-fraud-scorer-p1-42-[0-9a-f]{8}", key("/aw", "fraud-scorer", "p1", 42))
    assert re.fullmatch(r"retrain-kreditw-rdigkeit-eu-7-[0-9a-f]{8}", key("/aw", "Kreditwürdigkeit", "(EU)", 7))


@settings(deadline=None)
@given(st.text(max_size=80), st.text(max_size=80), st.integers(1, 10**9))
def test_any_key_is_an_rfc_1123_label(model, policy, incident):
    found = key("/aw", model, policy, incident)
    assert len(found) <= 63
    assert RFC1123.fullmatch(found)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("/aw", "a-b", "c", 1), ("/aw", "a", "b-c", 1)),
        (("/eu", "a", "b", 1), ("/us", "a", "b", 1)),
        (("/aw", "a b", "c", 1), ("/aw", "a.b", "c", 1)),
        (("/aw", "x" * 100, "c", 1), ("/aw", "x" * 100, "c", 2)),
    ],
)
def test_triggers_that_would_read_alike_have_different_keys(one, other):
    assert key(*one) != key(*other)
