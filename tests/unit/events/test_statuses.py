"""What others report of retrainings: any bytes give a report, a dead letter, or are passed over by a rule."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anchorwatch.events.decode import Decoder
from anchorwatch.events.records import Partition, Records
from anchorwatch.settings.models import Model

NOW = 1_777_622_400 * 10**9
STAMP = NOW - 5 * 10**9
MODEL = Model.model_validate(
    {
        "predictions": {"topic": "p", "id": "id", "prediction": {"kind": "binary", "score": "score"}},
        "labels": {"topic": "l", "id": "id", "value": "y"},
        "baseline": {"first": 1000},
        "retrain": {"when": "accuracy"},
    }
)
STATUSES = Partition("status", 0)


def decoded(*values, stamps=None):
    records = Records(STATUSES, range(len(values)), stamps or [STAMP] * len(values), values)
    return Decoder("fraud", MODEL, "status").decode([records], [STATUSES, Partition("p", 0)], NOW)


def said(**fields):
    return json.dumps(fields).encode()


GOOD = {
    "the trigger's id": (said(id="a-1", status="running"), ("a-1", "running", "", STAMP)),
    "its idempotency key": (said(idempotency_key="k-1", status="acknowledged"), ("k-1", "acknowledged", "", STAMP)),
    "a new version": (said(id="a", status="succeeded", version="2"), ("a", "succeeded", "2", STAMP)),
    "a version that is a number": (said(id="a", status="succeeded", version=2), ("a", "succeeded", "2", STAMP)),
    "a time of its own": (
        said(id="a", status="failed", time="2026-05-01T07:59:00Z"), ("a", "failed", "", NOW - 60 * 10**9),
    ),
    "the model it is about": (said(id="a", status="cancelled", model="fraud"), ("a", "cancelled", "", STAMP)),
    "a CloudEvent, whose own id is another thing": (
        json.dumps({
            "specversion": "1.0", "id": "event-7", "time": "2026-05-01T07:59:00Z", "type": "x", "source": "/airflow",
            "data": {"id": "a", "status": "running"},
        }).encode(),
        ("a", "running", "", NOW - 60 * 10**9),
    ),
}  # fmt: skip


@pytest.mark.parametrize("title", GOOD)
def test_a_report_is_read_however_it_is_written(title):
    value, expected = GOOD[title]
    batch, letters = decoded(value)
    found = batch.statuses
    assert (letters, len(found), found.offset.tolist()) == ([], 1, [0])
    assert (found.retraining[0], found.progress[0], found.version[0], int(found.time[0])) == expected
    assert batch.partitions[found.partition[0]] == "status/0"


@pytest.mark.parametrize(("by", "found"), [("argo", "argo"), (7, "7"), (None, ""), ([], ""), ("x" * 2000, "")])
def test_who_reports_is_read_where_it_is_short_text_and_a_report_counts_without(by, found):
    batch, letters = decoded(said(id="a", status="running", by=by))
    assert (letters, batch.statuses.progress, batch.statuses.by) == ([], ("running",), (found,))


BAD = {
    "not_json": b"done!",
    "not_utf8": b"\xff",
    "not_an_object": b"[1]",
    "id_missing": said(status="running"),
    "status_unknown": said(id="a", status="requested"),
    "status_version_wrong": said(id="a", status="succeeded", version=[2]),
    "time_invalid": said(id="a", status="running", time="soon"),
    "time_in_future": said(id="a", status="running", time="2027-01-01T00:00:00Z"),
}


@pytest.mark.parametrize("reason", BAD)
def test_a_report_that_cannot_be_used_is_a_dead_letter_with_its_reason(reason):
    batch, (letter,) = decoded(said(id="a", status="running"), BAD[reason])
    assert (letter.reason, letter.topic, letter.offset, letter.value) == (reason, "status", 1, BAD[reason])
    assert len(batch.statuses) == 1


def test_a_report_without_any_time_is_a_dead_letter():
    _, (letter,) = decoded(said(id="a", status="running"), stamps=[None])
    assert letter.reason == "time_missing"


def test_what_is_about_another_model_is_passed_over_and_counted():
    batch, letters = decoded(said(id="a", status="running", model="churn"), None)
    assert (letters, len(batch.statuses)) == ([], 0)
    assert batch.skipped == (("other_model", 1), ("tombstone", 1))


def test_the_engine_is_told_which_partitions_hold_reports():
    assert decoded()[0].reporting == frozenset({"status/0"})


@given(
    st.lists(
        st.one_of(
            st.binary(max_size=40),
            st.recursive(
                st.none()
                | st.booleans()
                | st.floats()
                | st.integers()
                | st.text(max_size=5)
                | st.sampled_from(["running", "a"]),
                lambda inner: (
                    st.dictionaries(
                        st.sampled_from(["id", "idempotency_key", "status", "version", "time", "model", "data"]),
                        inner,
                        max_size=7,
                    )
                    | st.lists(inner, max_size=2)
                ),
                max_leaves=8,
            ).map(lambda value: json.dumps(value).encode()),
        ),
        max_size=8,
    )
)
def test_any_bytes_give_a_report_a_dead_letter_or_are_counted(values):
    batch, letters = decoded(*values)
    assert len(batch.statuses) + len(letters) + sum(n for _, n in batch.skipped) == len(values)
