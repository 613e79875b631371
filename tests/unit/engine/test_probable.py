"""Probabilities of classes are kept until the label comes, and give the losses of windows and an estimate before it."""

import math

import numpy as np
import pytest
from tests.property.worlds import Run, World
from tests.unit.engine.labelled_stream import START, a_model, messages, take

from anchorwatch.engine.fingerprint import fingerprint_of
from anchorwatch.engine.performance import figures_shown
from anchorwatch_detectors import metrics
from anchorwatch_detectors.base import Direction, Level

CLASSES = "abc"
EPS = np.finfo(np.float64).eps


def steady(n=7000, quality=0.9):
    return np.full(n, quality)


def naive(p, truth):
    """Return (log loss, Brier score, accuracy) of one prediction."""
    loss = -math.log(min(max(p.get(truth, 0.0), EPS), 1 - EPS))
    brier = sum((p[c] - (c == truth)) ** 2 for c in p) + (truth not in p)
    return loss, brier, float(max(p, key=p.get) == truth)


def by_window(taken, rows, labels):
    """Return for each closed window the mean of what the naive definitions say of its labelled predictions."""
    performance = taken.state.versions[0].performance
    truth = {body["id"]: body["y"] for _, body in labels}
    windows = {}
    for _, body in rows:
        at = round(body["t"] * 10**9)
        if at >= performance.terms.begin and body["id"] in truth:
            number = (at - performance.terms.origin) // performance.terms.span
            windows.setdefault(number, []).append(naive(body["p"], truth[body["id"]]))
    assert performance.late == 0
    return [np.mean(np.array(windows[number]), axis=0).tolist() for number in sorted(windows)]


def test_the_losses_of_a_window_are_those_of_its_predictions_by_definition():
    """The label of some names a class that has no probability: it was given none."""
    rows, labels = messages("probable", 3, steady(8000))
    labels = [(t, {**body, "y": "d"} if i % 50 == 0 else body) for i, (t, body) in enumerate(labels)]
    taken = take(a_model("probable", mature="6h"), rows, labels)
    found = [taken.of(name) for name in ("log_loss", "brier", "accuracy")]
    assert len(found[0]) >= 6
    for window, expected in zip(zip(*found, strict=True), by_window(taken, rows, labels), strict=False):
        assert [each.verdict.statistic for each in window] == pytest.approx(expected, rel=1e-12)
        assert all(each.verdict.low < each.verdict.statistic < each.verdict.high for each in window)


def test_a_model_that_gets_too_sure_of_itself_is_told_by_its_losses_though_it_is_right_as_often():
    rows, labels = messages("probable", 4, steady(11_000))
    judged = ["accuracy", "log_loss", "brier", "calibration_error"]
    sure = [(t, {**body, "p": _sharpened(body["p"])}) if i > 6000 else (t, body) for i, (t, body) in enumerate(rows)]
    taken = take(a_model("probable", judged), sure, labels)
    told = {m: {(e.verdict.level, e.verdict.direction) for e in taken.of(m)} for m in judged}
    assert (Level.DRIFT, Direction.WORSE) not in told.pop("accuracy")
    assert all((Level.DRIFT, Direction.WORSE) in said for said in told.values())


def _sharpened(p):
    powers = {c: each**4 for c, each in p.items()}
    return {c: each / sum(powers.values()) for c, each in powers.items()}


def test_the_estimated_accuracy_of_each_window_holds_the_real_one():
    """Later predictions are less sure and as calibrated: the estimate falls before any label says so."""
    rows, labels = messages("probable", 5, steady(9000, 1.0))
    rng = np.random.default_rng(5)
    truth = {body["id"]: body["y"] for _, body in labels}
    unsure, moved = [], {}
    for i, (t, body) in enumerate(rows):
        if i <= 5000:
            unsure.append((t, body))
            continue
        p = rng.dirichlet([3.0] * 3)
        moved[body["id"]] = CLASSES[int(rng.choice(3, p=p))]
        unsure.append((t, {**body, "p": dict(zip(CLASSES, p.tolist(), strict=True))}))
    labels = [(t, {**body, "y": moved.get(body["id"], body["y"])}) for t, body in labels]
    taken = take(a_model("probable"), unsure, labels)
    found = [e.verdict for e in taken.evidence if e.identity.monitor == "cbpe"]
    truth |= moved
    right = [max(b["p"], key=b["p"].get) == truth.get(b["id"]) for _, b in unsure if b["id"] in truth]
    before, after = np.mean(right[:4500]), np.mean(right[4600:])
    assert before - after > 0.1
    assert found[0].statistic == pytest.approx(before, abs=0.03)
    assert found[-1].statistic == pytest.approx(after, abs=0.03)
    assert sum(v.low <= after <= v.high for v in found[-6:]) >= 4


def test_a_waiting_prediction_takes_eight_bytes_for_each_class_and_nothing_where_there_are_no_probabilities():
    for kind, fields in (("probable", 7), ("multiclass", 6)):
        taken = take(a_model(kind, first=100), *messages(kind, 10, steady(300)))
        (run,) = taken.state.join.predictions.runs
        assert len(run.fields) == fields
        assert kind != "probable" or (run.fields[6].shape, run.fields[6].dtype) == ((300, 3), np.float64)


def test_a_corrected_label_brings_the_probability_of_the_class_that_it_names():
    rows, labels = messages("probable", 6, steady())
    first = [(t, {**body, "y": "a"}) for t, body in labels]
    later = [(t + 1.0, body) for t, body in labels]
    document = a_model("probable", mature="6h").model_dump(mode="json", by_alias=True)
    document["labels"]["revisions"] = "latest"
    model = type(a_model()).model_validate(document)
    both = sorted([(t, {**body, "t": START + t}) for t, body in [*first, *later]], key=lambda each: each[0])
    taken = take(model, rows, both)
    expected = by_window(taken, rows, labels)
    found = [e.verdict.statistic for e in taken.of("log_loss")]
    assert len(found) >= 5
    assert found == pytest.approx([loss for loss, *_ in expected][: len(found)], rel=1e-12)


def test_counts_of_classes_know_the_names_of_all_that_have_a_probability():
    """Also of one that the baseline's predictions never named."""
    rows, labels = messages("probable", 7, steady())
    rare = {"a": "p.a", "b": "p.b", "c": "p.c", "never": "p.d"}
    document = a_model("probable").model_dump(mode="json", by_alias=True)
    document["predictions"]["prediction"]["probabilities"] = rare
    rows = [(t, {**body, "p": {**body["p"], "d": 0.0}}) for t, body in rows]
    labels = [(t, {**body, "y": "never"} if i % 10 == 0 else body) for i, (t, body) in enumerate(labels)]
    taken = take(type(a_model()).model_validate(document), rows, labels)
    (figures,) = figures_shown(taken.state.versions)
    assert {pair["true"] for pair in figures["confusion"]} == {"a", "b", "c", "never"}
    assert set(figures["metrics"]) == {m.name for m in metrics.suiting("multiclass", scores=True)}


def test_a_state_belongs_to_the_classes_whose_probabilities_it_keeps_in_whatever_order_they_are_named():
    def fingerprint(**paths):
        document = a_model("probable").model_dump(mode="json", by_alias=True)
        document["predictions"]["prediction"]["probabilities"] = paths
        return fingerprint_of(type(a_model()).model_validate(document), None)

    assert fingerprint(a="p.a", b="p.b") == fingerprint(b="p.b", a="p.a")
    assert fingerprint(a="p.a", b="p.b") != fingerprint(a="p.a", b="p.b", c="p.c")


@pytest.mark.parametrize("changes", [{}, {"shared": True}, {"sample": 0.5, "segments": False}, {"early": 40}])
def test_cutting_and_restarts_change_nothing_said_of_probabilities(changes):
    """They wait in the join and in the buffer of events, and some cannot be used."""
    world = World(seed=11, n=900, kind="probable", size=80, first=160, versions=False, **changes)
    whole = Run(world).take_all()
    assert sum("log_loss" in said and "within_margin" in said for said in whole.told.evidence) >= 3
    cut = Run(world).take_cut(np.random.default_rng(2), restarts=0.2)
    assert cut.told == whole.told
    assert cut.parts() == whole.parts()
