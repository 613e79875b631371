"""Accuracy that is estimated before labels come is shown for each window of predictions, and never alerts."""

import msgspec
import numpy as np
import pytest
from tests.property.worlds import Run, World
from tests.unit.engine.labelled_stream import a_model, messages, take

from anchorwatch.engine.estimate_monitor import _verdict
from anchorwatch.engine.state import fresh
from anchorwatch.engine.watch import compile_watch
from anchorwatch_detectors.base import Direction, Level
from anchorwatch_detectors.estimated import Estimated


def estimates(run):
    return [text for text in run.told.evidence if "'cbpe'" in text or "'dle'" in text]


@pytest.mark.parametrize(
    ("kind", "subject", "monitor"),
    [
        ("binary", "estimated accuracy", "cbpe"),
        ("multiclass", "estimated accuracy", "cbpe"),
        ("probable", "estimated accuracy", "cbpe"),
        ("regression", "estimated error size", "dle"),
    ],
)
def test_each_window_of_predictions_has_an_estimate(kind, subject, monitor):
    """A window closes with every 20th prediction; before the baseline has labels there is nothing to go by."""
    run = Run(World(seed=1, n=900, kind=kind, first=200, versions=False, segments=False)).take_all()
    found = estimates(run)
    assert len(found) >= 25
    assert all(f"subject='{subject}'" in text and f"monitor='{monitor}'" in text for text in found)
    assert not any(f"subject='{subject}'" in text for text in run.told.notices)


def test_cutting_and_restarts_change_no_estimate():
    world = World(seed=2, n=700, kind="regression", first=200)
    whole = Run(world).take_all()
    cut = Run(world).take_cut(np.random.default_rng(2), restarts=0.1)
    assert estimates(whole)
    assert cut.told.evidence == whole.told.evidence
    assert cut.parts() == whole.parts()


@pytest.mark.parametrize(
    "extra",
    [
        {"monitors": {"accuracy": {"estimate": False}}},
        {"monitors": {"accuracy": {"enabled": False}}, "retrain": []},
    ],
)
def test_it_can_be_switched_off(extra):
    run = Run(World(seed=1, n=700, first=200, versions=False, extra=extra)).take_all()
    assert estimates(run) == []
    assert all(v.baseline.outcomes is None or v.baseline.outcomes.curve is None for v in run.state.versions)


def test_a_model_without_scores_has_no_estimate():
    """The class alone says nothing of how sure the model was."""
    world = World(seed=1, n=700, kind="multiclass", first=200, versions=False)
    settings = world.settings.model_dump(mode="json", by_alias=True)["predictions"]
    settings["prediction"] = {"kind": "multiclass", "class": "class"}
    run = Run(World(seed=1, n=700, kind="multiclass", first=200, versions=False, extra={"predictions": settings}))
    run.take_all()
    assert run.state.versions[0].baseline.outcomes is not None
    assert estimates(run) == []


def test_the_estimate_says_which_way_it_moved_and_how_sure_it_is():
    """Errors are worse when larger, accuracy when smaller; too few values are undetermined."""
    watch = World(seed=1).watch()
    worse = _verdict(watch, Estimated(0.7, 0.6, 0.8, 50), 0.8)
    assert (worse.direction, worse.level, worse.low, worse.high) == (Direction.WORSE, Level.STABLE, 0.6, 0.8)
    assert worse.effect == pytest.approx(-0.1)
    assert _verdict(watch, Estimated(0.9, 0.8, 1.0, 50), 0.8).direction is Direction.BETTER
    assert _verdict(watch, Estimated(0.7, 0.6, 0.8, 9), 0.8).level is Level.UNDETERMINED
    regression = World(seed=1, kind="regression").watch()
    assert _verdict(regression, Estimated(3.0, 2.0, 4.0, 50), 2.0).direction is Direction.WORSE


def test_a_model_without_labels_is_estimated_by_the_baseline_it_was_given():
    """A baseline that was built with labels knows enough; the stream itself needs none."""
    taught = Run(World(seed=1, n=500, kind="multiclass", first=200, versions=False)).take_all()
    given = taught.state.versions[0].baseline
    bare = World(seed=2, n=200, kind="multiclass", versions=False, labels=False)
    run = Run(bare)
    run.watch = compile_watch("/test", "fraud", bare.settings, given, "test")
    run.state = fresh(run.watch)
    run.take_all()
    assert run.state.versions[0].outcomes is None
    assert len(estimates(run)) >= 9


@pytest.fixture(scope="module")
def regions():
    """Return what came of a model whose scores in the south say nothing, and of whose rows few are of the east."""
    rows, labels = messages("binary", 5, np.full(9000, 0.9))
    rng = np.random.default_rng(5)
    south = {body["id"] for _, body in rows if body["r"] == "south"}
    labels = [(t, {**b, "y": int(rng.random() < 0.5)} if b["id"] in south else b) for t, b in labels]
    rows = [(t, {**b, "r": "east"} if i % 97 == 0 else b) for i, (t, b) in enumerate(rows)]
    return take(a_model("binary", first=3000, segments=True), rows, labels)


def estimated(taken, segment):
    return [e for e in taken.evidence if e.identity.monitor == "cbpe" and e.identity.segment == segment]


def test_each_segment_is_estimated_by_what_its_own_scores_were_worth(regions):
    real = {
        s: np.mean([e.verdict.statistic for e in regions.of("accuracy", s)]) for s in ("region=north", "region=south")
    }
    assert real["region=north"] > real["region=south"] + 0.15
    for segment, value in real.items():
        found = estimated(regions, segment)
        assert len(found) >= 3
        assert np.mean([e.verdict.statistic for e in found]) == pytest.approx(value, abs=0.03)
        assert all(e.verdict.low < e.verdict.statistic < e.verdict.high and not e.decisive for e in found)
        assert {e.verdict.level for e in found} == {Level.STABLE}


def test_a_segment_with_few_labels_in_the_baseline_has_no_estimate(regions):
    """One row in 97 is of the east: too few to be a segment of its own, so it is among the others."""
    assert {e.identity.segment for e in regions.evidence if e.identity.monitor == "cbpe"} == {
        "", "region=north", "region=south",
    }  # fmt: skip


def test_a_model_without_segments_keeps_the_curve_of_the_whole_alone():
    taken = take(a_model("binary", first=1000), *messages("binary", 5, np.full(3000, 0.9)))
    part = taken.baselines[-1].outcomes
    assert part.curve is not None
    assert [group.curve for group in part.groups] == [msgspec.UNSET]
