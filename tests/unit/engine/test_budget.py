"""From a budget of false alarms to the level of each monitor."""

import dataclasses

import msgspec
import numpy as np
import pytest

from anchorwatch.engine import budget
from anchorwatch.engine.baseline import Baseline, Rows, Segment, summarise
from anchorwatch.engine.reference import Reference
from anchorwatch.engine.state import fresh, from_parts, to_parts
from anchorwatch.engine.track import Track
from anchorwatch.engine.version import Version, attach
from anchorwatch.engine.watch import compile_watch
from anchorwatch.settings.budgets import Budget, parse_budget
from anchorwatch.settings.models import Model
from anchorwatch.settings.units import NS

ROWS = 1000
PER_EVENTS = Budget(alarms=2, events=1_000_000, time=None)


def model(**changes):
    """Return a model of three features and labels."""
    document = {
        "predictions": {
            "topic": "p", "id": "id", "time": "t", "prediction": {"kind": "binary", "score": "s"},
            "features": {"amount": "numeric", "hour": "numeric", "country": "category"},
        },
        "labels": {"topic": "l", "id": "id", "time": "t", "value": "y"}, "baseline": {"first": ROWS},
        **changes,
    }  # fmt: skip
    return Model.model_validate(document)


def part_of(plan, *, hours=1000.0, segments=()):
    """Return a part of rows that come each in the same time."""
    rng = np.random.default_rng(1)
    none = np.zeros(ROWS, np.uint8)
    rows = Rows(
        time=np.linspace(0, hours * NS["h"], ROWS).astype(np.int64),
        ident=np.zeros((ROWS, 2), np.uint64),
        numeric={c.name: (rng.random(ROWS), none) for c in plan.columns if c.numeric},
        category={c.name: (rng.integers(0, 2, ROWS).astype(np.int32), ("a", "b"), none) for c in plan.columns
                  if not c.numeric},
    )  # fmt: skip
    return summarise(rows, segments)


def references(watch, part):
    return Reference.of("bl", part, watch.predictions.columns, watch.predictions.segment_columns)


def compiled(**changes):
    return compile_watch("/a", "m", model(**changes), None, "0")


def test_every_lane_family_and_share_that_sees_all_events_counts_once():
    """Three features, score and class have a lane each; windows of numbers and of words, twice; and quality."""
    watch = compiled()
    assert budget.monitors(watch.predictions, references(watch, part_of(watch.predictions))) == 5 + 4 + 1


def test_what_the_baseline_does_not_know_is_no_monitor():
    watch = compiled()
    part = part_of(watch.predictions)
    columns = {name: c for name, c in part.columns.items() if name not in {"amount", "country"}}
    assert budget.monitors(watch.predictions, references(watch, msgspec.structs.replace(part, columns=columns))) == 7


def test_the_segments_of_a_column_share_its_events_and_count_as_one():
    watch = compiled(segments=["country"])
    plan = watch.outcomes
    half = np.arange(ROWS) % 2 == 0
    segments = [Segment("country", "a", half), Segment("country", "b", ~half), Segment("country", None, half & ~half)]
    reference = Reference.of("bl", part_of(plan, segments=segments), plan.columns, plan.segment_columns)
    assert len(reference.groups) == 4
    assert budget.monitors(plan, reference) == 2 + 1


def test_each_of_several_monitors_may_raise_its_share():
    part = part_of(compiled().predictions)
    assert budget.run_length(PER_EVENTS, part, 10) == 10 * 1_000_000 / 2


def test_a_budget_per_time_goes_by_the_rows_of_the_baseline():
    """A thousand rows in a thousand hours: 30 days are 720 events."""
    part = part_of(compiled().predictions)
    assert budget.run_length(parse_budget("1 per 30d"), part, 10) == pytest.approx(7200)


def test_rows_that_all_came_at_once_give_the_longest_run_length_there_is():
    part = part_of(compiled().predictions, hours=0.0)
    assert budget.run_length(parse_budget("1 per 30d"), part, 1) == budget.LONGEST


@pytest.mark.parametrize(
    ("windows", "most"),
    [
        ({}, 1000 / 1e7), ({"size": 200}, 200 / 1e7), ({"size": None, "time": "50h"}, 50 / 1e7),
        ({"size": 10_000, "time": "50h"}, 50 / 1e7), ({"size": 1_000_000}, 0.001),
    ],
)  # fmt: skip
def test_a_window_may_be_wrong_as_often_as_its_events_allow_and_once_in_a_thousand_at_most(windows, most):
    watch = compiled(windows=windows)
    level = budget.at_level(watch.predictions, part_of(watch.predictions), 1e7)
    assert [family.significance for family in level.families] == pytest.approx([most] * 4, rel=0.01)
    assert level.shares["quality"].significance == pytest.approx(most, rel=0.01)
    assert {lookout.detector.average_run_length for lookout in level.lookouts} == {1e7}


def test_what_the_configuration_sets_itself_stays():
    watch = compiled(
        monitors={
            "drift": {
                "significance": 0.01,
                "sequential": {"name": "shiryaev_roberts_ranks", "parameters": {"average_run_length": 5000}},
            },
            "prediction": {"sequential": "adwin"},
            "quality": {"significance": 0.02},
        }
    )
    level = budget.at_level(watch.predictions, part_of(watch.predictions), 1e7)
    drift, prediction = level.lookouts
    assert drift.detector.average_run_length == 5000
    assert prediction == watch.predictions.lookouts[1]
    assert [family.significance for family in level.families[:2]] == [0.01, 0.01]
    assert level.shares["quality"].significance == 0.02


def test_half_of_the_budget_goes_to_accuracy_where_labels_come():
    alone, labelled = compiled(labels=None), compiled()
    blind = compiled(monitors={"accuracy": {"enabled": False}})
    lengths = []
    for watch in (alone, labelled, blind):
        part = part_of(watch.predictions)
        plan = budget.resolved(PER_EVENTS, watch.predictions, part, references(watch, part), watch.tracks())
        lengths.append(plan.lookouts[0].detector.average_run_length)
    assert lengths == [5e6, 1e7, 5e6]


def begun(watch, *, level=None):
    """Return a version with a baseline of both parts."""
    predictions = msgspec.structs.replace(part_of(watch.predictions), level=level)
    outcomes = part_of(watch.outcomes)
    baseline = Baseline("m", "1", predictions, outcomes, extends="", code="0", configuration="c")
    version = Version("1", baseline, Track.fresh(), Track.fresh())
    attach(watch, version)
    version.predictions.begin(version.predictions_plan, version.predictions_reference)
    version.outcomes.begin(version.outcomes_plan, version.outcomes_reference)
    return version


def test_a_calibrated_level_takes_the_place_of_the_union_bound():
    version = begun(compiled(), level=123_456.0)
    assert version.predictions_plan.lookouts[0].detector.average_run_length == 123_456.0
    assert version.outcomes_plan.lookouts[0].detector.average_run_length != 123_456.0


def test_a_baseline_without_a_level_has_the_id_it_always_had():
    """The field is not in its document; with a level it is another baseline, which a document brings back."""
    plain = begun(compiled()).baseline
    assert b"level" not in plain.to_json()
    calibrated = begun(compiled(), level=5000.0).baseline
    assert calibrated.id != plain.id
    assert Baseline.from_json(calibrated.to_json()) == calibrated


def test_a_restored_version_goes_on_at_its_level():
    watch = compiled(false_alarms="1 per 3d")
    state = fresh(watch)
    state.versions.append(begun(watch))
    again = from_parts(watch, to_parts(watch, state)).versions[0]
    assert again.predictions_plan == state.versions[0].predictions_plan
    assert again.predictions.lanes[0].to_plain()["state"]["parameters"]["average_run_length"] == pytest.approx(1440.0)


def test_lanes_begin_with_the_moments_of_their_baseline():
    """Mean 1/2 and variance 1/12 of ranks, a thousand rows, and the smallest shift of the configuration."""
    version = begun(compiled(monitors={"drift": {"smallest_shift": 0.03}}))
    lanes = version.predictions.lanes[0].to_plain()["state"]["rows"]
    mean, variance, rows, smallest, memory = lanes[0, 0, :5].tolist()
    assert (rows, smallest, memory) == (1000.0, 0.03, 1.0)
    assert mean == pytest.approx(0.5, abs=1e-3)
    assert variance == pytest.approx(1 / 12, abs=1e-3)


def test_a_third_partys_detector_without_a_run_length_is_left_alone():
    watch = compiled()
    lookout = dataclasses.replace(watch.predictions.lookouts[0], detector=object())
    plan = watch.predictions._replace(lookouts=(lookout,))
    assert budget.at_level(plan, part_of(watch.predictions), 1e7).lookouts == (lookout,)
