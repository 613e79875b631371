"""Accuracy by the time of the prediction, matured, and held against the baseline's by a margin."""

import math
from collections import Counter

import numpy as np
import pytest
from tests.unit.engine.labelled_stream import GAP, SECOND, START, a_model, messages, take

from anchorwatch.decide.incident_summary import incident_summary
from anchorwatch.decide.notices import Status
from anchorwatch.engine.performance import figures_shown
from anchorwatch.engine.state import to_parts
from anchorwatch_detectors import metrics
from anchorwatch_detectors.base import Direction, Level

KINDS = ("binary", "multiclass", "probable", "regression", "ranking")
CHANGE = 8000


def every_metric(kind):
    """Return the metrics of a kind of stream; `probable` are classes that come with their probabilities."""
    scores = kind in {"binary", "probable"}
    return [m.name for m in metrics.suiting("multiclass" if kind == "probable" else kind, scores=scores)]


def changing(before, after, back=None):
    """Return a quality that changes after so many rows, and may change once more."""
    parts = [np.full(CHANGE, before), np.full(5000, after)]
    return np.concatenate([*parts, np.full(6000, back)] if back is not None else parts)


@pytest.fixture(scope="module")
def fallen():
    """Return what came of models that get worse, by kind, every metric of theirs judged."""
    worse = {"binary": 0.2, "multiclass": 0.6, "probable": 0.2, "regression": 0.6, "ranking": 0.6}
    return {
        kind: take(a_model(kind, every_metric(kind)), *messages(kind, 1, changing(0.9, worse[kind]))) for kind in KINDS
    }


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind in KINDS for name in every_metric(kind)])
def test_a_fall_is_told_by_each_metric_that_is_judged_with_its_interval_and_coverage(fallen, kind, name):
    first = next(e for e in fallen[kind].of(name) if e.verdict.level is Level.DRIFT)
    verdict = first.verdict
    assert (verdict.reason, verdict.direction, first.decisive) == ("worse", Direction.WORSE, True)
    usual = verdict.statistic - verdict.effect
    assert verdict.low < verdict.statistic < verdict.high
    assert (verdict.high < usual) if metrics.find(name).larger_is_better else (verdict.low > usual)
    assert 0.8 < verdict.coverage < 1.0
    assert abs(verdict.since / SECOND - START - CHANGE * GAP) < 1.5 * 5700
    (fired, *_) = [n for n in fallen[kind].notices if n.identity == first.identity]
    assert (fired.status, fired.identity.kind.value) == (Status.FIRING, "accuracy")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("seed", [11, 12])
def test_nothing_is_told_of_a_stream_that_never_moved(kind, seed):
    taken = take(a_model(kind, every_metric(kind), segments=True), *messages(kind, seed, np.full(14_000, 0.8)))
    said = Counter(e.verdict.reason for name in every_metric(kind) for e in taken.of(name))
    assert set(said) == {"within_margin"}
    assert taken.notices == []


@pytest.mark.parametrize("kind", KINDS)
def test_an_improvement_is_told_as_one_and_pages_nobody(kind):
    taken = take(a_model(kind, every_metric(kind)), *messages(kind, 4, changing(0.5, 0.95)))
    told = [e.verdict for name in every_metric(kind) for e in taken.of(name) if e.verdict.level is Level.DRIFT]
    assert {(v.reason, v.direction) for v in told} == {("better", Direction.BETTER)}
    assert [n.identity for n in taken.notices if n.identity.monitor == "non_inferiority"] == []


def test_a_metric_that_is_not_listed_is_shown_and_never_judged():
    taken = take(a_model("binary", ["recall"]), *messages("binary", 1, changing(0.9, 0.2)))
    shown = taken.of("roc_auc")
    assert {(e.verdict.level, e.verdict.reason) for e in shown} == {(Level.UNDETERMINED, "not_judged")}
    assert all(e.verdict.low < e.verdict.statistic < e.verdict.high for e in shown)
    assert {n.identity.subject for n in taken.notices if n.identity.monitor == "non_inferiority"} == {"recall"}


def test_a_fall_that_ends_is_resolved():
    taken = take(a_model("binary", ["roc_auc"]), *messages("binary", 6, changing(0.9, 0.3, back=0.9)))
    told = [n.status for n in taken.notices if n.identity.subject == "roc_auc"]
    assert told == [Status.FIRING, Status.RESOLVED]
    assert [e.verdict.reason for e in taken.of("roc_auc")].count("back_to_baseline") == 1


def naive_windows(taken, rows, labels):
    """Return (predictions, answers in time) of each span, by what the messages say."""
    terms = taken.state.versions[0].performance.terms
    made = {body["id"]: round(body["t"] * SECOND) for _, body in rows}
    said = {body["id"]: body for _, body in rows}
    spans = {}
    for ident, at in made.items():
        if at >= terms.begin:
            spans.setdefault((at - terms.origin) // terms.span, ([], []))[0].append(ident)
    late = 0
    for _, body in labels:
        at = made[body["id"]]
        if at < terms.begin:
            continue
        number = (at - terms.origin) // terms.span
        if body["t"] * SECOND < terms.due(number):
            spans[number][1].append((body["y"], said[body["id"]]))
        else:
            late += 1
    return spans, late


def test_windows_hold_predictions_by_their_own_time_and_the_labels_that_came_until_they_were_mature():
    rows, labels = messages("binary", 5, np.full(9000, 0.8))
    taken = take(a_model("binary", ["accuracy"]), rows, labels, cuts=7)
    performance = taken.state.versions[0].performance
    spans, late = naive_windows(taken, rows, labels)
    found = taken.of("accuracy")
    assert len(found) >= 8
    for number, evidence in enumerate(found):
        predictions, answers = spans[number]
        right = [(body["s"] >= 0.5) == bool(y) for y, body in answers]
        assert evidence.at == performance.terms.due(number)
        assert evidence.verdict.n == len(answers)
        assert evidence.verdict.coverage == len(answers) / len(predictions)
        assert evidence.verdict.statistic == sum(right) / len(right)
    assert performance.late == late > 0
    open_spans = [spans[number] for number in sorted(performance.opened)]
    shown = performance.shown()["maturing"]
    assert shown["predictions"] == sum(len(p) for p, _ in open_spans)
    assert shown["labelled"] == sum(len(a) for _, a in open_spans)


def test_a_longer_time_to_mature_waits_for_more_labels():
    log = messages("binary", 5, np.full(8000, 0.8))
    quick, slow = (take(a_model("binary", mature=mature), *log) for mature in ("5m", "2h"))
    assert quick.of("accuracy")[0].verdict.coverage < slow.of("accuracy")[0].verdict.coverage - 0.02
    terms = slow.state.versions[0].performance.terms
    assert terms.mature == 7200 * SECOND
    assert slow.state.versions[0].performance.late < quick.state.versions[0].performance.late


def test_a_window_whose_labels_stay_away_is_undetermined_and_says_how_few_came():
    rows, labels = messages("binary", 8, np.full(8000, 0.8))
    labels = [(t, body) for t, body in labels if t < 50_000 or int(body["id"][1:]) % 20 == 0]
    taken = take(a_model("binary", ["roc_auc"]), rows, labels)
    last = taken.of("roc_auc")[-1].verdict
    assert (last.level, last.reason) == (Level.UNDETERMINED, "too_few_labels")
    assert last.n < 100
    assert last.coverage < 0.15
    assert figures_shown(taken.state.versions)[0]["labelled"] >= 100


def test_the_incident_says_what_the_metric_was_and_what_it_is():
    taken = take(a_model("binary", ["roc_auc"], smallest_shift=0.5), *messages("binary", 1, changing(0.9, 0.2)))
    verdict = next(e.verdict for e in taken.of("roc_auc") if e.verdict.level is Level.DRIFT)
    usual = verdict.statistic - verdict.effect
    assert f"roc_auc {usual:.3g} -> {verdict.statistic:.3g}" in incident_summary(taken.incidents[0])


def test_segments_are_judged_against_their_own_baseline():
    taken = take(a_model("binary", ["roc_auc"], segments=True), *messages("binary", 1, changing(0.9, 0.2)))
    part = taken.baselines[-1].outcomes
    known = {group.label: group.metrics["roc_auc"].value for group in part.groups if group.rows > 200}
    for segment in ("", "region=north", "region=south"):
        verdict = taken.of("roc_auc", segment)[-1].verdict
        assert (verdict.level, verdict.reason) == (Level.DRIFT, "worse")
        assert verdict.statistic - verdict.effect == pytest.approx(known[segment])
    assert len(set(known.values())) == 3


def test_a_metric_that_few_values_carry_is_not_judged():
    """One positive in a hundred says nothing certain about the recall, however many labels there are."""
    rows, labels = messages("binary", 2, np.full(8000, 0.9))
    labels = [(t, {**body, "y": int(body["y"] and int(body["id"][1:]) % 30 == 0)}) for t, body in labels]
    taken = take(a_model("binary", ["recall", "accuracy"]), rows, labels)
    assert {e.verdict.reason for e in taken.of("recall")} == {"too_few_values"}
    assert {e.verdict.reason for e in taken.of("accuracy")} == {"within_margin"}


@pytest.mark.parametrize("kind", KINDS)
def test_cutting_and_restarting_change_neither_verdicts_nor_state(kind):
    log = messages(kind, 9, changing(0.9, 0.4))
    model = a_model(kind, every_metric(kind), segments=True)
    one = take(model, *log)
    other = take(model, *log, cuts=23, restart=True)
    for name in every_metric(kind):
        for segment in ("", "region=north", "region=south"):
            assert list(map(repr, other.of(name, segment))) == list(map(repr, one.of(name, segment)))
    assert to_parts(other.watch, other.state) == to_parts(one.watch, one.state)
    assert any(math.isfinite(e.verdict.statistic) for e in one.of(every_metric(kind)[0], "region=south"))


def test_the_counts_of_classes_are_shown_by_name():
    taken = take(a_model("multiclass"), *messages("multiclass", 3, np.full(6000, 0.8)))
    (figures,) = figures_shown(taken.state.versions)
    counts = {(each["predicted"], each["true"]): each["n"] for each in figures["confusion"]}
    assert {word for pair in counts for word in pair} == {"a", "b", "c"}
    right = sum(n for (said, true), n in counts.items() if said == true)
    assert sum(counts.values()) == figures["labelled"]
    assert right / figures["labelled"] == figures["metrics"]["accuracy"]["value"]


def test_labels_that_come_in_bursts_are_held_against_windows_of_the_predictions_pace():
    """All labels of six hours come at once: the baseline's labels have nearly one time, its predictions have not."""
    rows, labels = messages("binary", 13, np.full(12_000, 0.9))
    made = {body["id"]: t for t, body in rows}
    nightly = [((made[body["id"]] // 21_600 + 1) * 21_600 + 60 + made[body["id"]] / 1e5, body) for _, body in labels]
    nightly = [(t, {**body, "t": START + t}) for t, body in sorted(nightly, key=lambda each: each[0])]
    taken = take(a_model("binary", ["roc_auc"], first=2000, size=1000), rows, nightly, cuts=5)
    terms = taken.state.versions[0].performance.terms
    assert 0.9 < terms.span / (1000 * GAP * SECOND) < 1.1
    verdicts = [e.verdict for e in taken.of("roc_auc")]
    assert {v.reason for v in verdicts} == {"within_margin"}
    assert min(v.coverage for v in verdicts) > 0.85


def test_with_a_sample_of_labels_the_coverage_is_that_of_the_sample():
    document = a_model("binary", ["accuracy"]).model_dump(mode="json", by_alias=True)
    document["labels"]["sample"] = 0.4
    model = type(a_model()).model_validate(document)
    taken = take(model, *messages("binary", 14, np.full(16_000, 0.9)))
    verdicts = [e.verdict for e in taken.of("accuracy")]
    assert len(verdicts) >= 5
    assert min(v.coverage for v in verdicts) > 0.85
    assert 400 < np.mean([v.n for v in verdicts]) < 500
