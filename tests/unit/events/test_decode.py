from __future__ import annotations

import json
import math

import numpy as np
import pytest

from anchorwatch.events.classes import token
from anchorwatch.events.columns import Fault
from anchorwatch.events.identity import identify
from anchorwatch.events.records import Partition, Records

SECOND = 10**9
TEN = 1_767_607_200 * SECOND  # 2026-01-05T10:00:00Z


def test_an_event_becomes_one_row_of_the_shape(usual):
    batch, letters = usual.event()
    rows = batch.predictions
    assert usual.shape.numeric == ("amount", "age", "prediction:score", "latency")
    assert usual.shape.category == ("country", "prediction:class", "shop")
    assert rows.numeric[:, 0].tolist() == [99.5, 40.0, 0.7, 12.5]
    assert [usual.word(batch, name) for name in usual.shape.category] == [("DE", 0), ("1", 0), ("s1", 0)]
    assert rows.time.tolist() == [TEN]
    assert rows.versions[rows.version[0]] == "3"
    assert rows.ident.tolist() == identify(["a1"]).tolist()
    assert rows.token[0] == token("1")
    assert (rows.offset.tolist(), batch.partitions[rows.partition[0]]) == ([10], "p/0")
    assert (letters, batch.dead, batch.skipped, len(batch.labels)) == ([], (), (), 0)


def test_partition_codes_index_the_sorted_names(usual):
    parts = [Partition("p", 10), Partition("l", 0), Partition("p", 2)]
    payload = json.dumps({"id": "x", "ts": TEN}).encode()
    records = [Records(part, [0], [None], [payload]) for part in parts if part.topic == "p"]
    batch, _ = usual.decoder.decode(records, parts, TEN, idle=[parts[1]])
    assert batch.partitions == ("l/0", "p/10", "p/2")
    assert batch.predictions.partition.tolist() == [1, 2]
    assert batch.idle == {"l/0"}


def test_records_of_a_strange_topic_are_a_mistake_of_the_caller(usual):
    with pytest.raises(ValueError, match="none of model"):
        usual.raw([b"{}"], topic="other")


@pytest.mark.parametrize(
    ("change", "column", "fault"),
    [
        ({"amount": None}, "amount", Fault.NULL),
        ({"amount": ...}, "amount", Fault.ABSENT),
        ({"amount": "12"}, "amount", Fault.WRONG_TYPE),
        ({"amount": True}, "amount", Fault.WRONG_TYPE),
        ({"amount": [1.0]}, "amount", Fault.WRONG_TYPE),
        ({"amount": math.nan}, "amount", Fault.NOT_FINITE),
        ({"amount": -math.inf}, "amount", Fault.NOT_FINITE),
        ({"amount": 10**400}, "amount", Fault.NOT_FINITE),
        ({"score": None}, "prediction:score", Fault.NULL),
        ({"ms": "fast"}, "latency", Fault.WRONG_TYPE),
        ({"customer": {"age": ...}}, "age", Fault.ABSENT),
        ({"customer": ...}, "age", Fault.ABSENT),
        ({"customer": None}, "age", Fault.ABSENT),
        ({"customer": "c7"}, "age", Fault.ABSENT),
    ],
)
def test_a_number_that_cannot_be_used_spoils_its_cell_and_not_its_row(usual, change, column, fault):
    batch, letters = usual.event(**change)
    value, found = usual.number(batch, column)
    assert (letters, found) == ([], fault)
    assert math.isnan(value)
    others = [name for name in ("amount", "latency") if name != column]
    assert all(usual.number(batch, name)[1] == Fault.NONE for name in others)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("DE", ("DE", Fault.NONE)),
        (7, ("7", Fault.NONE)),
        (7.0, ("7", Fault.NONE)),
        (7.5, ("7.5", Fault.NONE)),
        (True, ("true", Fault.NONE)),
        ("", ("", Fault.NONE)),
        (None, (None, Fault.NULL)),
        (..., (None, Fault.ABSENT)),
        ({"a": 1}, (None, Fault.WRONG_TYPE)),
        ("\ud800", (None, Fault.WRONG_TYPE)),
        (math.nan, (None, Fault.NOT_FINITE)),
    ],
)
def test_a_category_is_any_scalar_in_canonical_text(usual, value, expected):
    batch, letters = usual.event(country=value)
    assert letters == []
    assert usual.word(batch, "country") == expected


def test_one_and_true_in_one_column_stay_two_categories(usual, event):
    batch, _ = usual.predictions(*({**event, "country": value} for value in (1, True, 1.0, "1", "true")))
    assert [usual.word(batch, "country", i)[0] for i in range(5)] == ["1", "true", "1", "1", "true"]


def test_whole_numbers_are_numbers_too(usual):
    assert usual.number(usual.event(amount=7)[0], "amount") == (7.0, Fault.NONE)
    assert usual.number(usual.event(amount=2**70)[0], "amount") == (float(2**70), Fault.NONE)


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"", "not_json"),
        (b"{", "not_json"),
        (b'{"id": "a"} {}', "not_json"),
        (b"\xff\xfe", "not_utf8"),
        (b'{"id": "\xff", "ts": 1}', "not_utf8"),
        (b"null", "not_an_object"),
        (b'[{"id": "a"}]', "not_an_object"),
        (b"[" * 100_000, "too_deep"),
        (b'{"x":' + b"[" * 100_000, "too_deep"),
        (b'{"x": "' + b"y" * (16 * 2**20) + b'"}', "too_large"),
    ],
)
def test_a_payload_that_is_no_object_is_a_dead_letter(usual, payload, reason):
    batch, [letter] = usual.raw([payload], keys=[b"k"])
    assert (letter.reason, letter.value, letter.key) == (reason, payload, b"k")
    assert (letter.model, letter.topic, letter.partition, letter.offset) == ("fraud", "p", 0, 10)
    assert letter.detail
    assert (len(batch.predictions), batch.dead) == (0, ((reason, 1),))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"id": ...}, "id_missing"),
        ({"id": None}, "id_missing"),
        ({"id": ""}, "id_missing"),
        ({"id": True}, "id_wrong_type"),
        ({"id": 1.5}, "id_wrong_type"),
        ({"id": 2.0**60}, "id_wrong_type"),
        ({"id": ["a"]}, "id_wrong_type"),
        ({"id": "\udfff"}, "id_wrong_type"),
        ({"ts": ...}, "time_missing"),
        ({"ts": None}, "time_missing"),
        ({"ts": "yesterday"}, "time_invalid"),
        ({"ts": True}, "time_invalid"),
        ({"ts": {}}, "time_invalid"),
        ({"ts": "2027-01-15T09:00:01Z"}, "time_in_future"),
    ],
)
def test_an_event_without_a_usable_id_or_time_is_a_dead_letter(usual, change, reason):
    batch, [letter] = usual.event(**change)
    assert letter.reason == reason
    assert "models.fraud.predictions" in letter.detail
    assert len(batch.predictions) == 0


def test_an_event_within_the_allowed_future_is_taken(usual):
    assert len(usual.event(ts="2027-01-15T09:00:00Z")[0].predictions) == 1


@pytest.mark.parametrize("number", [17, 17.0, "17"])
def test_an_id_is_the_same_as_text_and_as_a_number(usual, number):
    batch, _ = usual.event(id=number)
    assert batch.predictions.ident.tolist() == identify(["17"]).tolist()


def test_a_long_whole_number_is_a_usable_id(usual):
    batch, _ = usual.event(id=10**30)
    assert batch.predictions.ident.tolist() == identify(["1" + "0" * 30]).tolist()


def test_dead_letters_keep_their_order_and_everything_else_its_place(usual, event):
    good = json.dumps(event).encode()
    batch, letters = usual.raw([good, b"x", None, good, b"{}", b"[]", good])
    assert [(letter.offset, letter.reason) for letter in letters] == [
        (11, "not_json"),
        (14, "id_missing"),
        (15, "not_an_object"),
    ]
    assert batch.predictions.offset.tolist() == [10, 13, 16]
    assert batch.skipped == (("tombstone", 1),)
    assert batch.dead == (("id_missing", 1), ("not_an_object", 1), ("not_json", 1))


def test_a_byte_order_mark_is_no_fault(usual, event):
    batch, letters = usual.raw([b"\xef\xbb\xbf" + json.dumps(event).encode()])
    assert (len(batch.predictions), letters) == (1, [])


def test_the_last_of_two_equal_keys_counts_whichever_way_the_event_is_read(usual):
    text = b'{"id": "a", "ts": 1767607200, "amount": 1, "amount": 2'
    batch, _ = usual.raw([text + b"}", text + b', "other": NaN}'])
    assert batch.predictions.numeric[0].tolist() == [2.0, 2.0]


def test_an_event_without_a_version_is_of_the_empty_version(usual, event):
    batch, _ = usual.predictions(event, {**event, "version": None}, {**event, "version": 3}, {**event, "version": "3"})
    names = [batch.predictions.versions[code] for code in batch.predictions.version]
    assert names == ["3", "", "3", "3"]


def test_without_a_version_path_all_events_are_one_version(bench, event):
    batch, _ = bench(predictions={"version": ...}).predictions(event, {**event, "version": "9"})
    assert (batch.predictions.versions, batch.predictions.version.tolist()) == (("",), [0, 0])


def test_without_a_time_path_the_records_own_time_counts(bench, event):
    stand = bench(predictions={"time": ...})
    batch, [letter] = stand.predictions(event, event, timestamps=[5, None])
    assert batch.predictions.time.tolist() == [5]
    assert letter.reason == "time_missing"
    assert "set models.fraud.predictions.time" in letter.detail


def test_where_passes_over_what_it_does_not_ask_for_before_anything_else_is_looked_at(bench, event):
    stand = bench(predictions={"where": {"model": "fraud", "live": True}})
    batch, letters = stand.predictions(
        {**event, "model": "fraud", "live": True},
        {**event, "model": "fraud", "live": "true"},
        {**event, "model": "fraud", "live": 1},
        {**event, "model": "churn", "live": True, "ts": None},
        {**event, "live": True},
        {"id": [], "amount": "x"},
    )
    assert batch.predictions.offset.tolist() == [10, 11]
    assert (letters, batch.skipped) == ([], (("where", 4),))


def test_a_dot_with_a_backslash_belongs_to_the_name(bench):
    stand = bench(predictions={"id": r"a\.b.c"})
    batch, letters = stand.predictions({"a.b": {"c": "x"}, "ts": TEN})
    assert letters == []
    assert batch.predictions.ident.tolist() == identify(["x"]).tolist()


def test_one_field_may_be_a_number_and_a_category_at_once(bench, event):
    stand = bench(predictions={"dimensions": {"size": "amount"}})
    batch, _ = stand.predictions(event, {**event, "amount": "big"})
    assert stand.number(batch, "amount") == (99.5, Fault.NONE)
    assert stand.number(batch, "amount", 1)[1] == Fault.WRONG_TYPE
    assert [stand.word(batch, "size", i)[0] for i in (0, 1)] == ["99.5", "big"]


def test_text_is_parsed_where_the_format_knows_nothing_else(usual):
    row = {"id": "7", "ts": "1767607200", "amount": " 1.5", "country": "1.0", "customer.age": "", "score": "0.5"}
    batch, letters = usual.predictions({**row, "ms": "1_0", "customer.shop": ""}, text=True)
    assert letters == []
    assert batch.predictions.time.tolist() == [TEN]
    assert usual.number(batch, "amount") == (1.5, Fault.NONE)
    assert usual.number(batch, "age")[1] == Fault.NULL
    assert usual.number(batch, "latency")[1] == Fault.WRONG_TYPE
    assert usual.word(batch, "country") == ("1.0", Fault.NONE)
    assert usual.word(batch, "shop") == (None, Fault.NULL)
    assert usual.word(batch, "prediction:class") == ("1", Fault.NONE)


@pytest.mark.parametrize(
    ("text", "fault"), [("nan", Fault.NOT_FINITE), ("inf", Fault.NOT_FINITE), ("x", Fault.WRONG_TYPE)]
)
def test_text_that_is_no_finite_number_is_a_fault(usual, event, text, fault):
    flat = {**event, "amount": text}
    batch, _ = usual.predictions(flat, text=True)
    assert usual.number(batch, "amount")[1] == fault


def test_a_score_at_the_threshold_is_positive(usual):
    assert usual.word(usual.event(score=0.5)[0], "prediction:class")[0] == "1"
    assert usual.word(usual.event(score=0.4999)[0], "prediction:class")[0] == "0"


def test_without_a_usable_score_there_is_no_prediction_and_the_features_stay(usual):
    batch, _ = usual.event(score="high")
    assert usual.word(batch, "prediction:class") == (None, Fault.WRONG_TYPE)
    assert batch.predictions.token.tolist() == [0]
    assert usual.number(batch, "amount") == (99.5, Fault.NONE)


def test_the_class_counts_where_the_score_is_missing(bench, event):
    stand = bench(predictions={"prediction": {"class": "said", "positive": "fraud"}})
    batch, _ = stand.predictions(
        {**event, "said": "ok"},
        {**event, "score": None, "said": "ok"},
        {**event, "score": None, "said": "fraud"},
        {**event, "score": None, "said": None},
    )
    assert [stand.word(batch, "prediction:class", i)[0] for i in range(4)] == ["1", "0", "1", None]
    assert stand.word(batch, "prediction:class", 3)[1] == Fault.NULL


def test_classes_of_several_kinds_are_compared_in_canonical_form(bench, event, label):
    stand = bench(predictions={"prediction": {"kind": "multiclass", "class": "said", "score": ...}})
    said = [2, 2.0, "2", "2.0", "two", None]
    batch, _ = stand.predictions(*({**event, "said": value} for value in said))
    two = token("2")
    assert batch.predictions.token.tolist() == [two, two, two, two, token("two"), 0]
    truth, _ = stand.raw([json.dumps({**label, "fraud": value}).encode() for value in said[:5]], topic="l")
    assert truth.labels.token.tolist() == [two, two, two, two, token("two")]


@pytest.mark.parametrize(
    ("value", "positive"),
    [
        (1, True), (1.0, True), (True, True), ("1", True), ("1.0", True), ("true", True), ("True", True),
        (0, False), (False, False), ("0", False), ("no", False), (2, False), ("yes", False),
    ],
)  # fmt: skip
def test_a_binary_label_is_positive_in_whatever_form_its_one_comes(usual, value, positive):
    batch, letters = usual.label(fraud=value)
    assert letters == []
    assert batch.labels.token.tolist() == [token("1" if positive else "0")]
    assert math.isnan(batch.labels.number[0])


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "label_missing"),
        (..., "label_missing"),
        ([1], "label_wrong_type"),
        (math.nan, "label_wrong_type"),
        ("\ud800", "label_wrong_type"),
    ],
)
def test_a_label_that_cannot_be_used_is_a_dead_letter(usual, value, reason):
    batch, [letter] = usual.label(fraud=value)
    assert (letter.reason, len(batch.labels)) == (reason, 0)
    assert "models.fraud.labels.value" in letter.detail


def test_a_regression_has_values_and_no_classes(bench, event, label):
    stand = bench(predictions={"prediction": {"kind": "regression", "value": "score", "score": ...}})
    batch, _ = stand.predictions(event)
    assert stand.number(batch, "prediction:value") == (0.7, Fault.NONE)
    assert "prediction:class" not in stand.shape.category
    assert batch.predictions.token.tolist() == [0]
    values = [3, 2.5, True, "4", None]
    truth, letters = stand.raw([json.dumps({**label, "fraud": value}).encode() for value in values], topic="l")
    assert truth.labels.number.tolist() == [3.0, 2.5]
    assert truth.labels.token.tolist() == [0, 0]
    assert [letter.reason for letter in letters] == ["label_wrong_type", "label_wrong_type", "label_missing"]


def test_one_topic_may_hold_predictions_and_labels_told_apart_by_where(bench, event, label):
    stand = bench(predictions={"where": {"type": "prediction"}}, labels={"topic": "p", "where": {"type": "label"}})
    batch, letters = stand.predictions(
        {**event, "type": "prediction"}, {**label, "type": "label"}, {**label, "type": "other"}
    )
    assert batch.predictions.offset.tolist() == [10]
    assert batch.labels.offset.tolist() == [11]
    assert (letters, batch.skipped) == ([], (("where", 1),))


def test_in_a_shared_topic_without_where_what_an_event_holds_tells_what_it_is(bench, event, label):
    stand = bench(labels={"topic": "p"})
    batch, letters = stand.predictions(
        event, label, {**event, "fraud": 1}, {**event, "fraud": None}, {**label, "fraud": None}
    )
    assert batch.predictions.offset.tolist() == [10, 12, 13]
    assert batch.labels.offset.tolist() == [11, 12]
    assert [(letter.offset, letter.reason) for letter in letters] == [(14, "label_missing")]


def test_no_records_give_an_empty_batch(usual):
    batch, letters = usual.decoder.decode([], [Partition("p", 0)], 0)
    assert (len(batch.predictions), len(batch.labels), letters) == (0, 0, [])
    assert batch.predictions.numeric.shape == (4, 0)
    assert batch.predictions.category.shape == (3, 0)
    assert batch.predictions.ident.dtype == np.uint64
