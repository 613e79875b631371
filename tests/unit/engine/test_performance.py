"""Spans of predictions that wait for their labels, and what a baseline knows of metrics."""

import msgspec
import numpy as np
import pytest
from tests.unit.engine.labelled_stream import SECOND, a_model, messages, take

from anchorwatch.engine.answers import WIDTH
from anchorwatch.engine.baseline import Baseline
from anchorwatch.engine.figures import figures_of
from anchorwatch.engine.performance import EARLIEST, Opened, Rows, Terms
from anchorwatch.engine.watch import compile_watch

HOUR = 3600 * SECOND


@pytest.fixture(scope="module")
def made():
    """Return the baseline of a stream's first rows, and the stream."""
    log = messages("binary", 21, np.full(9000, 0.8))
    return take(a_model("binary", ["roc_auc"]), *log).baselines[-1], log


def test_a_baseline_knows_each_metric_with_its_error_and_the_time_labels_took(made):
    baseline, _ = made
    everything = baseline.outcomes.groups[0]
    assert set(everything.metrics) == set(figures_of(a_model("binary")).names)
    assert 0.7 < everything.metrics["roc_auc"].value < 0.9
    assert 0.005 < everything.metrics["roc_auc"].error < 0.03
    assert everything.metrics["accuracy"].n < baseline.outcomes.rows
    assert 2000 < baseline.outcomes.mature / SECOND < 4000


def test_a_baseline_from_before_metrics_were_kept_keeps_its_id(made):
    baseline, _ = made
    groups = [msgspec.structs.replace(g, metrics=msgspec.UNSET) for g in baseline.outcomes.groups]
    old = msgspec.structs.replace(
        baseline, outcomes=msgspec.structs.replace(baseline.outcomes, groups=groups, mature=None)
    )
    assert b"metrics" not in old.to_json()
    assert b"mature" not in old.to_json()
    assert Baseline.from_json(old.to_json()).id == old.id != baseline.id
    assert Baseline.from_json(baseline.to_json()).id == baseline.id


def given(made, baseline):
    """Return what a model with a given baseline says of a stream, from its first row on."""
    _, log = made
    document = a_model("binary", ["roc_auc"]).model_dump(mode="json", by_alias=True)
    document["baseline"] = {"name": "a"}
    model = type(a_model()).model_validate(document)
    return take(model, *log, given=baseline)


def test_a_given_baseline_is_held_against_from_the_first_prediction_on(made):
    taken = given(made, made[0])
    reasons = [e.verdict.reason for e in taken.of("roc_auc")]
    assert set(reasons[1:]) == {"within_margin"}
    assert len(reasons) > 14
    assert taken.state.versions[0].performance.terms.begin == EARLIEST


def test_a_given_baseline_that_knows_no_metrics_leaves_them_shown(made):
    baseline = made[0]
    groups = [msgspec.structs.replace(g, metrics=msgspec.UNSET) for g in baseline.outcomes.groups]
    old = msgspec.structs.replace(baseline, outcomes=msgspec.structs.replace(baseline.outcomes, groups=groups))
    verdicts = [e.verdict for e in given(made, old).of("roc_auc")]
    assert {v.reason for v in verdicts[1:]} == {"not_in_baseline"}
    assert np.isfinite([v.statistic for v in verdicts[1:]]).all()


@pytest.mark.parametrize(
    ("windows", "mature", "span"),
    [
        ({"size": 100}, "10m", 1000 * SECOND),
        ({"size": None, "time": "1h"}, "10m", HOUR),
        ({"size": 1000, "time": "1h"}, "10m", HOUR),
        ({"size": 100}, "32h", 4000 * SECOND),
    ],
)
def test_spans_hold_as_much_as_windows_say_and_few_are_open_at_once(made, windows, mature, span):
    document = a_model("binary", mature=mature).model_dump(mode="json", by_alias=True)
    document["labels"]["wait"] = "40h"
    model = type(a_model()).model_validate({**document, "windows": {**windows, "min_sample": 50}})
    terms = Terms.of(figures_of(model), made[0].outcomes, 0.1 / SECOND, made_here=True)
    assert terms.span == span
    assert terms.mature / terms.span <= 32
    assert terms.begin == terms.origin == made[0].outcomes.end + 1


def test_labels_are_waited_for_no_longer_than_the_join_waits(made):
    figures = figures_of(a_model("binary", mature="3d"))
    assert Terms.of(figures, made[0].outcomes, 0.1 / SECOND, made_here=False).mature == 24 * HOUR


def test_a_span_keeps_the_same_sample_however_its_rows_came():
    rng = np.random.default_rng(1)
    rows = Rows(np.arange(WIDTH * 1000, dtype=np.uint64).reshape(WIDTH, 1000), np.zeros((1, 1000), np.int32),
                rng.integers(0, 2**63, 1000).astype(np.uint64))  # fmt: skip
    nothing = np.zeros(1, np.int64)
    fresh = Opened(nothing, nothing, Rows.joined([], 1))
    whole = fresh.added(nothing, nothing + 1000, [rows], 300)
    pieces = fresh
    for start in range(0, 1000, 70):
        part = rows.take(slice(start, start + 70))
        pieces = pieces.added(nothing, nothing + len(part.ident), [part], 300)
    assert len(whole.rows.ident) == 300
    assert (whole.rows.ident == pieces.rows.ident).all()
    assert (whole.rows.words == pieces.rows.words).all()
    assert set(whole.rows.ident) == set(np.sort(rows.ident)[:300])
    assert whole.labelled == pieces.labelled == 1000


def test_a_model_without_labels_has_no_figures():
    document = a_model("binary").model_dump(mode="json", by_alias=True)
    model = type(a_model()).model_validate({**document, "labels": None})
    assert figures_of(model) is None
    assert compile_watch("/a", "m", model, None, "0").figures is None


def test_metrics_that_nobody_judges_are_left_out_where_they_are_not_to_be_shown():
    document = a_model("binary").model_dump(mode="json", by_alias=True)
    named = {name: {"shown": False, "metrics": metrics} for name, metrics in (("some", ["recall"]), ("none", []))}
    models = {
        name: type(a_model()).model_validate({**document, "monitors": {"accuracy": accuracy}})
        for name, accuracy in named.items()
    }
    assert figures_of(models["some"]).names == ("recall",)
    assert figures_of(models["none"]) is None
