from __future__ import annotations

import itertools
import json

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anchorwatch.events.columns import Predictions
from anchorwatch.events.reasons import Reason, Skip
from anchorwatch.events.records import Partition, Records

quick = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(10**300, 10**320),
    st.floats(),
    st.text(st.characters(), max_size=8),
    st.sampled_from(
        ["1", "true", "1.0", "2026-01-05T10:00:00Z", "2026-01-05 10:00:00.5", "1767607200", "\ud800", "\x00"]
    ),
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)
FIELDS = ("id", "ts", "version", "ms", "amount", "country", "customer", "score", "fraud", "type")
EVENTS = st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=10)
LIKELY = st.fixed_dictionaries(
    {"id": st.text(min_size=1, max_size=4) | st.integers(0, 99), "ts": st.integers(1_700_000_000, 1_800_000_000)},
    optional={
        "amount": JSON,
        "country": JSON,
        "score": st.floats(0, 1) | JSON,
        "customer": st.fixed_dictionaries({}, optional={"age": JSON, "shop": JSON}) | JSON,
        "fraud": JSON,
        "version": JSON,
    },
)
PAYLOADS = st.one_of(
    st.none(),
    st.binary(max_size=40),
    JSON.map(lambda value: json.dumps(value).encode()),
    EVENTS.map(lambda value: json.dumps(value).encode()),
    LIKELY.map(lambda value: json.dumps(value).encode()),
)


@st.composite
def mutated(draw):
    """Draw a likely event with some of its bytes replaced, removed or doubled."""
    payload = bytearray(json.dumps(draw(LIKELY)).encode())
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(payload) - 1))
        end = at + draw(st.integers(0, 3))
        payload[at:end] = draw(st.binary(max_size=3))
        payload = payload or bytearray(b"x")
    return bytes(payload)


def counted(batch, letters):
    assert sum(count for _, count in batch.dead) == len(letters)
    assert {reason for reason, _ in batch.dead} <= set(Reason)
    assert {rule for rule, _ in batch.skipped} <= set(Skip)
    return len(batch.predictions) + len(batch.labels) + len(letters) + sum(count for _, count in batch.skipped)


@quick
@given(st.lists(PAYLOADS | mutated(), max_size=12), st.sampled_from("pl"), st.booleans())
def test_any_bytes_are_one_row_one_dead_letter_or_skipped(usual, payloads, topic, text):
    batch, letters = usual.raw(payloads, topic=topic, text=text)
    assert counted(batch, letters) == len(payloads)
    assert np.isfinite(batch.predictions.numeric[batch.predictions.numeric_fault == 0]).all()
    assert np.isnan(batch.predictions.numeric[batch.predictions.numeric_fault > 0]).all()
    assert ((batch.predictions.category < 0) == (batch.predictions.category_fault > 0)).all()
    assert all(letter.value == payloads[letter.offset - 10] for letter in letters)


@quick
@given(st.lists(PAYLOADS | mutated(), max_size=12))
def test_in_a_shared_topic_only_a_labelled_prediction_counts_twice(bench, payloads):
    stand = bench(labels={"topic": "p"}, predictions={"where": {"type": 1}})
    batch, letters = stand.raw(payloads)
    both = set(batch.predictions.offset) & set(batch.labels.offset)
    dead = {letter.offset for letter in letters}
    half = dead & (set(batch.predictions.offset) | set(batch.labels.offset))
    assert counted(batch, letters) == len(payloads) + len(both) + len(half)


def row(predictions, i):
    """Everything of one row, vocabularies resolved."""
    words = [
        words[code] if code >= 0 else None
        for words, code in zip(predictions.vocabulary, predictions.category[:, i], strict=True)
    ]
    return (
        int(predictions.time[i]),
        predictions.ident[i].tolist(),
        predictions.versions[predictions.version[i]],
        np.nan_to_num(predictions.numeric[:, i], nan=-1.25).tolist(),
        predictions.numeric_fault[:, i].tolist(),
        words,
        predictions.category_fault[:, i].tolist(),
        int(predictions.token[i]),
    )


@quick
@given(LIKELY)
def test_the_quick_and_the_lenient_reading_of_an_event_agree(usual, event):
    text = json.dumps(event)
    slow = text[:-1] + ', "~": NaN}'  # no JSON for the quick parser, which leaves it to the lenient one
    (quickly, letters), (leniently, others) = usual.raw([text.encode()]), usual.raw([slow.encode()])
    assert [letter.reason for letter in letters] == [letter.reason for letter in others]
    assert [row(quickly.predictions, i) for i in range(len(quickly.predictions))] == [
        row(leniently.predictions, i) for i in range(len(leniently.predictions))
    ]


@quick
@given(st.lists(PAYLOADS, max_size=12), st.lists(st.integers(0, 12), max_size=3))
def test_however_the_records_are_cut_the_rows_and_letters_are_the_same(usual, now, payloads, cuts):
    partition = Partition("p", 0)
    bounds = sorted({0, len(payloads), *(cut for cut in cuts if cut < len(payloads))})
    parts = [Records(partition, range(a, b), [None] * (b - a), payloads[a:b]) for a, b in itertools.pairwise(bounds)]
    whole, letters = usual.decoder.decode(
        [Records(partition, range(len(payloads)), [None] * len(payloads), payloads)], [partition], now
    )
    batches = [usual.decoder.decode([part], [partition], now) for part in parts]
    pieces = Predictions.concat([batch.predictions for batch, _ in batches] or [Predictions.empty(usual.shape)])
    assert [row(whole.predictions, i) for i in range(len(whole.predictions))] == [
        row(pieces, i) for i in range(len(pieces))
    ]
    assert letters == [letter for _, some in batches for letter in some]
