"""Accuracy that is estimated before labels come is shown for each window of predictions, and never alerts."""

import numpy as np
import pytest
from tests.property.worlds import Run, World

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
