"""Lists of items are read rank by rank, and whatever a list holds, its event is a row or a dead letter."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.events.test_decode_properties import EVENTS, JSON, PAYLOADS, counted, mutated, quick

from anchorwatch.events.classes import token
from anchorwatch.events.columns import Fault

ITEMS = st.lists(st.integers(0, 5) | st.sampled_from("abc") | JSON, max_size=6) | JSON
LISTS = st.fixed_dictionaries(
    {"id": st.text(min_size=1, max_size=3), "ts": st.integers(1_700_000_000, 1_800_000_000)},
    optional={"items": ITEMS, "bought": ITEMS, "amount": JSON},
)
BYTES = PAYLOADS | mutated() | LISTS.map(lambda value: json.dumps(value).encode())


@pytest.fixture(scope="session")
def shop(bench):
    return bench(**ranking())


def ranking(**changes):
    prediction = {"kind": "ranking", "items": "items", "k": 3, "relevant": 2, "score": ...}
    return {"predictions": {"prediction": prediction}, "labels": {"value": "bought"}, **changes}


def listed(shop, event, value, **options):
    batch, letters = shop.predictions({**event, "items": value}, **options)
    assert letters == []
    return shop.word(batch, "prediction:class"), batch.predictions.items[0].tolist()


def named(shop, label, value, **options):
    return shop.raw([json.dumps({**label, "bought": value}).encode()], topic="l", **options)


def tokens(*words):
    return [token(word) if word else 0 for word in words]


@pytest.mark.parametrize(
    ("value", "first", "expected"),
    [
        (["a", "b", "c"], "a", ("a", "b", "c")),
        (["a", "b", "c", {"x": 1}], "a", ("a", "b", "c")),  # nobody asks for the fourth
        ([7, "8", 9.0], "7", ("7", "8", "9")),
        ([7.0, "8.0"], "7", ("7", "8", "")),
        (["a", "a", "b", "c"], "a", ("a", "", "b")),
        ([10**30], str(10**30), (str(10**30), "", "")),
    ],
)
def test_the_first_k_items_count_in_their_order_each_at_its_first_rank(shop, event, value, first, expected):
    assert listed(shop, event, value) == ((first, Fault.NONE), tokens(*expected))


@pytest.mark.parametrize(
    ("value", "fault"),
    [
        ([], Fault.NULL),
        (None, Fault.NULL),
        ("a", Fault.WRONG_TYPE),
        (7, Fault.WRONG_TYPE),
        ({"a": 1}, Fault.WRONG_TYPE),
        ([["a"], "b"], Fault.WRONG_TYPE),
        ([{"id": 1}], Fault.WRONG_TYPE),
        (["a", None], Fault.WRONG_TYPE),
        ([1, True], Fault.WRONG_TYPE),
        ([0.5], Fault.WRONG_TYPE),
        (["a", math.nan], Fault.WRONG_TYPE),
        ([math.inf], Fault.WRONG_TYPE),
        (["\ud800"], Fault.WRONG_TYPE),
    ],
)
def test_a_list_that_cannot_be_used_is_a_fault_and_its_event_is_kept(shop, event, value, fault):
    assert listed(shop, event, value) == ((None, fault), [0, 0, 0])


def test_an_event_without_a_list_is_kept_as_one_whose_prediction_is_absent(shop, event):
    batch, _ = shop.predictions(event)
    assert shop.word(batch, "prediction:class") == (None, Fault.ABSENT)
    assert batch.predictions.token.tolist() == [0]


@pytest.mark.parametrize(
    ("value", "words"),
    [("a", ["a"]), (7.0, ["7"]), (["b", "a"], ["a", "b"]), (["a", "a"], ["a"]), ([], []), (None, [])],
)
def test_a_label_names_one_item_or_several_or_none(shop, label, value, words):
    batch, letters = named(shop, label, value)
    assert letters == []
    assert sorted(batch.labels.items[0].tolist()) == sorted([*tokens(*words), *[0] * (2 - len(words))])


def test_labels_are_the_same_if_they_name_the_same_items_in_whatever_order(shop, label):
    same = [["a", 7], [7.0, "a", "a"]]
    first, second, *others = [named(shop, label, v)[0].labels.token[0] for v in (*same, ["a"], "a", "b", [], None)]
    assert first == second
    assert others[0] == others[1]
    assert others[3] == others[4]
    assert len({first, *others}) == 4
    assert 0 not in others


@pytest.mark.parametrize(
    ("value", "reason", "why"),
    [
        (["a", "b", "c"], "label_wrong_type", "more than 2 items"),
        (True, "label_wrong_type", "not an item"),
        (0.5, "label_wrong_type", "not an item"),
        ({"item": "a"}, "label_wrong_type", "not an item"),
        ([["a"]], "label_wrong_type", "not an item"),
        ("\ud800", "label_wrong_type", "not an item"),
    ],
)
def test_a_label_that_names_nothing_usable_or_too_much_is_a_dead_letter(shop, label, value, reason, why):
    batch, [letter] = named(shop, label, value)
    assert (letter.reason, len(batch.labels)) == (reason, 0)
    assert why in letter.detail


def test_a_label_without_a_place_for_items_is_a_dead_letter(shop, label):
    _, [letter] = shop.raw([json.dumps(label).encode()], topic="l")
    assert letter.reason == "label_missing"


@pytest.mark.parametrize("value", ['["a", 7]', ' ["a","7"]'])
def test_where_values_stand_as_text_a_list_is_json_in_the_text(shop, event, label, value):
    assert listed(shop, event, value, text=True) == (("a", Fault.NONE), tokens("a", "7", ""))
    assert named(shop, label, value, text=True)[0].labels.items[0].tolist() == sorted(tokens("a", "7"))
    assert named(shop, label, "", text=True)[0].labels.items[0].tolist() == [0, 0]
    assert named(shop, label, "[a", text=True)[0].labels.items[0].tolist() == [token("[a"), 0]
    assert listed(shop, event, "[a", text=True) == ((None, Fault.WRONG_TYPE), [0, 0, 0])


def test_in_one_topic_an_empty_list_is_a_label_and_null_is_none_yet(bench, event):
    stand = bench(**ranking(labels={"topic": "p", "value": "bought"}))
    batch, letters = stand.predictions(
        {**event, "items": ["a"], "bought": None},
        {**event, "items": ["a"], "bought": []},
        {"id": "a2", "ts": event["ts"], "bought": None},
    )
    assert letters == []
    assert batch.predictions.offset.tolist() == [10, 11]
    assert batch.labels.offset.tolist() == [11, 12]


def test_a_list_where_a_scalar_is_asked_for_too_is_of_the_wrong_type_there(bench, event):
    stand = bench(**ranking(predictions={**ranking()["predictions"], "dimensions": {"shop": "items"}}))
    batch, letters = stand.predictions({**event, "items": ["a"]})
    assert letters == []
    assert stand.word(batch, "shop") == (None, Fault.WRONG_TYPE)
    assert batch.predictions.items[0].tolist() == tokens("a", "", "")


@quick
@given(st.lists(BYTES, max_size=10), st.sampled_from("pl"), st.booleans())
def test_any_bytes_are_one_row_one_dead_letter_or_skipped(shop, payloads, topic, text):
    batch, letters = shop.raw(payloads, topic=topic, text=text)
    assert counted(batch, letters) == len(payloads)
    p, labels = batch.predictions, batch.labels
    assert ((p.category < 0) == (p.category_fault > 0)).all()
    if len(p):
        assert p.items.shape == (len(p), 3)
        assert ((p.items[:, 0] == 0) == (p.category[list(shop.shape.category).index("prediction:class")] < 0)).all()
    if len(labels):
        assert labels.items.shape == (len(labels), 2)
        assert (labels.token != 0).all()


@quick
@given(LISTS | EVENTS, st.sampled_from("pl"))
def test_the_quick_and_the_lenient_reading_of_a_list_agree(shop, event, topic):
    text = json.dumps(event)
    slow = text[:-1] + (", " if event else "") + '"~": NaN}'  # no JSON for the quick parser
    (quickly, letters), (leniently, others) = (shop.raw([t.encode()], topic=topic) for t in (text, slow))
    assert [letter.reason for letter in letters] == [letter.reason for letter in others]
    for one, other in ((quickly.predictions, leniently.predictions), (quickly.labels, leniently.labels)):
        assert len(one) == len(other)
        assert one.token.tolist() == other.token.tolist()
        assert np.array_equal(one.items, other.items) if len(one) else True
