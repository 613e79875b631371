"""Probabilities of classes become columns: the score of what was predicted, and all of them until the label comes."""

import json
import math

import numpy as np
import pytest
from hypothesis import given as given_cells
from hypothesis import settings
from hypothesis import strategies as st

from anchorwatch.events.classes import token
from anchorwatch.events.columns import Fault
from anchorwatch.events.probabilities import ABOUT

PATHS = {"cat": "p.cat", "dog": "p.dog", "2": "p.two"}
SORTED = ("2", "cat", "dog")


def stand(bench, **more):
    prediction = {"kind": "multiclass", "probabilities": PATHS, "score": ..., **more}
    return bench(predictions={"prediction": prediction})


def given(cat, dog, two):
    return {"p": {"cat": cat, "dog": dog, "two": two}}


def test_the_most_probable_class_is_the_predicted_one_and_its_probability_the_score(bench, event):
    decoder = stand(bench)
    assert decoder.shape.numeric == ("amount", "age", "prediction:score", "latency")
    assert decoder.shape.classes == SORTED
    batch, letters = decoder.predictions(
        {**event, **given(0.2, 0.7, 0.1)}, {**event, **given(0.25, 0.25, 0.5)}, {**event, **given(0.5, 0.5, 0)}
    )
    assert letters == []
    assert [decoder.word(batch, "prediction:class", row)[0] for row in range(3)] == ["dog", "2", "cat"]
    assert [decoder.number(batch, "prediction:score", row) for row in range(3)] == [(0.7, 0), (0.5, 0), (0.5, 0)]
    assert decoder.number(batch, "latency") == (12.5, Fault.NONE)
    assert batch.predictions.token.tolist() == [token("dog"), token("2"), token("cat")]
    assert batch.predictions.probabilities.tolist() == [[0.1, 0.2, 0.7], [0.5, 0.25, 0.25], [0.0, 0.5, 0.5]]


def test_the_order_in_the_configuration_means_nothing(bench, event):
    """Of equally probable classes the first by name is predicted."""
    turned = stand(bench, probabilities=dict(reversed(PATHS.items())))
    batches = [each.predictions({**event, **given(0.4, 0.4, 0.2)})[0].predictions for each in (stand(bench), turned)]
    assert [batch.token.tolist() for batch in batches] == [[token("cat")]] * 2
    assert batches[0].probabilities.tolist() == batches[1].probabilities.tolist()


@pytest.mark.parametrize(
    ("broken", "fault"),
    [
        (given(None, 0.7, 0.3), Fault.NULL),
        ({"p": {"cat": 0.5, "dog": 0.5}}, Fault.ABSENT),
        ({}, Fault.ABSENT),
        ({"p": "none"}, Fault.ABSENT),
        (given("0.5", 0.25, 0.25), Fault.WRONG_TYPE),
        (given(cat=True, dog=0.0, two=0.0), Fault.WRONG_TYPE),
        (given([1.0], 0.0, 0.0), Fault.WRONG_TYPE),
        (given(-0.1, 0.6, 0.5), Fault.WRONG_TYPE),
        (given(1.1, -0.1, 0.0), Fault.WRONG_TYPE),
        (given(0.5, 0.3, 0.1), Fault.WRONG_TYPE),
        (given(0.9, 0.9, 0.9), Fault.WRONG_TYPE),
        (given(1e308, 1e308, 1e308), Fault.WRONG_TYPE),
        (given(0, 0, 0), Fault.WRONG_TYPE),
        (given(math.nan, 0.5, 0.5), Fault.NOT_FINITE),
        (given(math.inf, 0.5, 0.5), Fault.NOT_FINITE),
        (given(10**400, 0.5, 0.5), Fault.NOT_FINITE),
    ],
)
def test_probabilities_that_cannot_be_used_spoil_class_and_score_and_not_the_row(bench, event, broken, fault):
    decoder = stand(bench)
    batch, letters = decoder.predictions({**event, **broken}, {**event, **given(0.2, 0.2, 0.6)})
    value, found = decoder.number(batch, "prediction:score")
    assert (letters, found, math.isnan(value)) == ([], fault, True)
    assert decoder.word(batch, "prediction:class") == (None, fault)
    assert batch.predictions.token.tolist() == [0, token("2")]
    assert np.isnan(batch.predictions.probabilities).tolist() == [[True] * 3, [False] * 3]
    assert decoder.number(batch, "amount") == (99.5, Fault.NONE)


@pytest.mark.parametrize("total", [0.951, 1.0, 1.049])
def test_a_sum_that_is_off_by_rounding_is_taken_as_it_is(bench, event, total):
    batch, _ = stand(bench).predictions({**event, **given(0.5, 0.25, total - 0.75)})
    assert batch.predictions.probabilities.sum() == pytest.approx(total)


@pytest.mark.parametrize(
    ("said", "score", "word"),
    [
        ("cat", (0.2, Fault.NONE), "cat"),
        (2, (0.1, Fault.NONE), "2"),
        (2.0, (0.1, Fault.NONE), "2"),
        ("bird", (0.0, Fault.NONE), "bird"),
    ],
)
def test_a_named_class_is_the_predicted_one_also_where_another_is_more_probable(bench, event, said, score, word):
    """A class that has no probability was given none."""
    decoder = stand(bench, **{"class": "said"})
    batch, _ = decoder.predictions({**event, **given(0.2, 0.7, 0.1), "said": said})
    assert decoder.number(batch, "prediction:score") == score
    assert decoder.word(batch, "prediction:class") == (word, Fault.NONE)
    assert batch.predictions.token.tolist() == [token(word)]


def test_a_named_class_stands_without_probabilities_and_is_not_guessed_where_it_is_missing(bench, event):
    decoder = stand(bench, **{"class": "said"})
    batch, _ = decoder.predictions(
        {**event, **given(0.2, 0.7, None), "said": "cat"}, {**event, **given(0.2, 0.7, 0.1), "said": None}
    )
    assert [decoder.word(batch, "prediction:class", row) for row in range(2)] == [("cat", 0), (None, Fault.NULL)]
    assert [decoder.number(batch, "prediction:score", row)[1] for row in range(2)] == [Fault.NULL, Fault.NULL]


def test_text_values_of_a_flat_table_are_read_as_numbers(bench):
    """As the rows of a CSV file come: every value is text, a path is a column's whole name."""
    cells = {"id": "a1", "ts": "2026-01-05T10:00:00Z", "p.cat": "0.25", "p.dog": "0.5", "p.two": "2.5e-1"}
    batch, _ = stand(bench).raw([json.dumps(cells).encode(), json.dumps({**cells, "p.dog": ""}).encode()], text=True)
    assert batch.predictions.probabilities[0].tolist() == [0.25, 0.25, 0.5]
    assert batch.predictions.token.tolist() == [token("dog"), 0]


CELL = (
    st.floats(0, 1) | st.floats() | st.none() | st.booleans() | st.text(max_size=3) | st.integers(-(10**320), 10**320)
)


@settings(max_examples=200, deadline=None)
@given_cells(st.lists(st.tuples(CELL, CELL), min_size=1, max_size=8), st.booleans())
def test_whatever_stands_there_is_probabilities_that_add_up_or_a_fault(bench, event, cells, whole):
    """With `whole` the third one makes up for what is missing of 1, so that most of the rest can be used."""
    rows = [given(a, b, 1.0 - a - b if whole and {type(a), type(b)} == {float} else 0.5) for a, b in cells]
    batch, letters = stand(bench).predictions(*({**event, **row} for row in rows))
    p, faults = batch.predictions.probabilities, batch.predictions.numeric_fault[2]
    assert (len(batch.predictions), letters) == (len(cells), [])
    assert np.isnan(p).all(axis=1).tolist() == (faults > 0).tolist()
    usable = p[faults == Fault.NONE]
    assert ((usable >= 0) & (usable <= 1)).all()
    assert np.abs(usable.sum(axis=1) - 1).max(initial=0) <= ABOUT
    assert batch.predictions.numeric[2][faults == Fault.NONE].tolist() == usable.max(axis=1, initial=0).tolist()
    assert ((batch.predictions.token == 0) == (faults > 0)).all()


def test_in_a_topic_of_both_an_event_with_probabilities_is_a_prediction(bench, event):
    prediction = {"kind": "multiclass", "probabilities": PATHS, "score": ...}
    bare = {"features": {"amount": ..., "country": ..., "age": ...}, "latency": ..., "dimensions": ...}
    decoder = bench(predictions={**bare, "prediction": prediction}, labels={"topic": "p"})
    alone = {"id": "a1", "ts": event["ts"], "fraud": "cat"}
    batch, letters = decoder.predictions({**alone, "p": {"cat": 0.5, "dog": 0.5, "two": 0}}, alone)
    assert (len(batch.predictions), len(batch.labels), letters) == (1, 2, [])
