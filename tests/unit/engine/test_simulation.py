"""A model's monitors on simulated rows: the engine itself, on blocks of a log or rows drawn from a baseline."""

from dataclasses import replace

import msgspec
import numpy as np
import pytest
from tests.unit.engine.simulated_model import (
    FEATURES,
    ROWS,
    WRONG_RATE,
    a_baseline,
    a_log,
    a_watch,
    in_segments,
    labelled,
    rows,
)

from anchorwatch.calibration import Effort, calibrate
from anchorwatch.engine.baseline import Baseline, profile_of
from anchorwatch.engine.budget import at_level
from anchorwatch.engine.reference import Reference
from anchorwatch.engine.simulated_changes import error_rate, more_errors, shifted
from anchorwatch.engine.simulated_rows import Drawn, Resampled
from anchorwatch.engine.simulated_scenes import Logged, scenes_of
from anchorwatch.engine.simulation import alerts, false_alarms
from anchorwatch.engine.state import Version, attach
from anchorwatch.engine.track import Track
from anchorwatch.errors import NoData
from anchorwatch.events.columns import Fault
from anchorwatch_detectors.copula import Dependence

BUDGET = 5000
CURVE = Effort(events=45_000, streams=8, points=2, repeats=0)
QUICK = Effort(events=10_000, streams=2, points=1, repeats=0)


@pytest.fixture(scope="module")
def correlated():
    """Calibrate a model of 20 features that hang together and have a memory."""
    watch, block = a_watch(), rows(ROWS, 1, correlation=0.6)
    return watch, calibrate(watch, a_baseline(watch, block), a_log(block), CURVE)


def test_on_new_data_like_the_baseline_the_calibrated_model_keeps_its_budget(correlated):
    """Ten baselines of their own, each followed by one budget's length of new rows: ten false alarms are allowed."""
    watch, calibration = correlated
    told = 0
    for seed in range(10, 20):
        part = a_baseline(watch, rows(ROWS, seed, correlation=0.6)).predictions
        reference = Reference.of("", part, watch.predictions.columns, ())
        plan = at_level(watch.predictions, part, calibration.tracks[0].level)
        told += sum(1 for _ in alerts(plan, reference, watch.rules, rows(BUDGET, 100 + seed, correlation=0.6)))
    assert told <= 19  # 99 % of Poisson counts of mean 10


def test_what_the_calibration_expects_of_its_level_is_within_the_budget_and_below_the_union_bound(correlated):
    calibration = correlated[1]
    track = calibration.tracks[0]
    assert track.between == BUDGET
    assert calibration.expected.high == track.expected.high == pytest.approx(1.0)
    assert 0.0 < calibration.expected.value < 1.0
    assert track.level == calibration.level * track.union < track.union
    assert sum(track.alarms.values()) == sum(sum(point.alarms) for point in track.curve.points) > 5


def test_columns_that_hang_together_get_a_less_strict_level_than_independent_ones():
    worth = {}
    for correlation in (0.0, 0.99):
        watch, block = a_watch(), rows(ROWS, 2, correlation)
        effort = CURVE._replace(events=24_000)
        worth[correlation] = calibrate(watch, a_baseline(watch, block), a_log(block), effort).tracks[0].curve.worth
    assert worth[0.0].value > 2.0 * worth[0.99].value
    assert worth[0.99].high < 26


def test_the_same_seed_gives_the_same_calibration_and_another_one_another():
    watch, block = a_watch(), rows(ROWS, 3)
    results = [
        calibrate(watch, a_baseline(watch, block), a_log(block), QUICK._replace(seed=seed)).result.id
        for seed in (1, 1, 2)
    ]
    assert results[0] == results[1] != results[2]


def test_progress_is_told_from_beginning_to_end():
    watch, block, told = a_watch(labels=True), rows(ROWS, 3), []
    outcomes = labelled(ROWS, 4)
    calibrate(watch, a_baseline(watch, block, outcomes), a_log(block, outcomes), QUICK, told.append)
    assert told == sorted(told)
    assert 0.0 < told[0] < 0.5 < told[-1] == 1.0


def plan_of(watch, baseline):
    version = Version("1", baseline, Track.fresh(), None)
    attach(replace(watch, given=baseline), version)
    return version.predictions_plan


def lengths(plan):
    return {lookout.detector.average_run_length for lookout in plan.lookouts}


def test_a_watch_with_a_calibrated_baseline_is_at_its_level(correlated):
    watch, calibration = correlated
    track = calibration.tracks[0]
    assert lengths(plan_of(watch, calibration.result)) == {track.level}
    assert lengths(plan_of(watch, calibration.baseline)) == {track.union}
    assert calibration.result.extends == calibration.baseline.id


def test_another_budget_takes_the_level_in_proportion_and_another_set_of_monitors_the_union_bound(correlated):
    calibration = correlated[1]
    track = calibration.tracks[0]
    rarer = a_watch(budget="1 per 1000000 events")
    assert min(lengths(plan_of(rarer, calibration.result))) == pytest.approx(200 * track.level)
    fewer = a_watch(monitors={"prediction": {"enabled": False}})
    assert lengths(plan_of(fewer, calibration.result)) == {BUDGET * (track.curve.monitors - 4)}


def test_a_calibrated_baseline_travels_as_json_with_its_curve(correlated):
    result = correlated[1].result
    again = Baseline.from_json(result.to_json())
    assert again.id == result.id
    assert again.predictions.calibration["curve"][0]["alarms"] == list(correlated[1].tracks[0].curve.points[0].alarms)


def test_blocks_of_a_log_keep_rows_whole_and_go_on_in_time():
    watch, block = a_watch(), rows(ROWS, 5, memory=0.7)
    source = Resampled.of(block, a_baseline(watch, block).predictions, watch.predictions)
    drawn = source.draw(2000, np.random.default_rng(1))
    assert 60 < source.length < 160
    assert (np.diff(drawn.time) == 10**9).all()
    places = [np.flatnonzero(block.numeric[0] == value)[0] for value in drawn.numeric[0]]
    assert np.array_equal(block.numeric[:, places], drawn.numeric)
    assert np.array_equal(block.category[:, places], drawn.category)


def test_rows_drawn_from_a_baseline_have_its_margins_correlations_faults_and_segments():
    watch, block = a_watch(segments=["region"]), in_segments(rows(ROWS, 6, correlation=0.5))
    block.numeric_fault[3, ::5] = Fault.ABSENT
    part = a_baseline(watch, block).predictions
    drawn = Drawn(part, watch.predictions, ("region",)).draw(20_000, np.random.default_rng(2))
    again = a_baseline(watch, drawn).predictions
    assert np.mean(drawn.numeric_fault[3] == Fault.ABSENT) == pytest.approx(0.2, abs=0.01)
    for name in ("f0", "f7", "prediction:score"):
        knots = profile_of(part.columns[name]).grid
        assert (
            np.abs(profile_of(part.columns[name]).cdf(knots) - profile_of(again.columns[name]).cdf(knots)).max() < 0.02
        )
    before, after = (Dependence.from_plain(p.dependence).correlation for p in (part, again))
    assert np.abs(before - after).max() < 0.08
    shares = [{g.label: g.rows / p.rows for g in p.groups} for p in (part, again)]
    assert shares[0]["region=north"] == pytest.approx(shares[1]["region=north"], abs=0.01)
    assert set(shares[0]) == set(shares[1])


def test_a_baseline_from_before_correlations_were_kept_is_drawn_as_independent_and_that_is_said():
    watch, block = a_watch(), rows(ROWS, 7, correlation=0.9)
    baseline = a_baseline(watch, block)
    old = msgspec.structs.replace(baseline, predictions=msgspec.structs.replace(baseline.predictions, dependence=None))
    said = [calibrate(watch, each, None, QUICK).tracks[0].rows for each in (baseline, old)]
    assert "correlations and memory it keeps" in said[0]
    assert "it keeps no correlations" in said[1]


def test_a_column_that_the_baseline_does_not_know_is_drawn_as_absent():
    watch, block = a_watch(), rows(ROWS, 8)
    part = a_baseline(watch, block).predictions
    fewer = msgspec.structs.replace(part, columns={n: c for n, c in part.columns.items() if n != "f3"}, dependence=None)
    drawn = Drawn(fewer, watch.predictions, ("region",)).draw(100, np.random.default_rng(1))
    assert (drawn.numeric_fault[3] == Fault.ABSENT).all()
    assert not drawn.numeric_fault[4].any()


def test_an_alert_ends_a_watch_and_the_next_begins_behind_it():
    """A stream that has moved rings again and again, at a distance that the monitors need to find it."""
    watch, block = a_watch(), rows(ROWS, 9)
    part = a_baseline(watch, block).predictions
    reference = Reference.of("", part, watch.predictions.columns, ())
    moved = rows(800, 10)
    moved.numeric[:FEATURES] += 1.0
    told = [alert.row for alert in alerts(at_level(watch.predictions, part, 1e6), reference, watch.rules, moved)]
    assert len(told) > 8
    assert np.diff(told).min() > 5
    assert told == sorted(told)


def test_delays_fall_with_the_size_of_the_shift_and_a_scene_without_false_alarms_has_none(correlated):
    watch, block = a_watch(), rows(ROWS, 11)
    effort = QUICK._replace(repeats=1)
    delays = calibrate(watch, a_baseline(watch, block), a_log(block), effort).tracks[0].delays
    assert [each.change for each in delays] == [f"a feature by {shift} sd" for shift in ("0.1", "0.25", "0.5", "1")]
    assert all(each.found == each.streams == 1 for each in delays[1:])
    assert delays[1].mean > delays[2].mean > delays[3].mean > 0.2 * delays[3].bound
    assert delays[0].bound == pytest.approx(100 * delays[3].bound)


def test_a_shift_moves_a_column_by_deviations_of_its_normal_score_and_leaves_the_others():
    watch, block = a_watch(), rows(20_000, 12)
    block.numeric[0] = np.exp(block.numeric[0])
    part = a_baseline(watch, block).predictions
    moved = shifted(block, part, np.random.default_rng(1), column=("f0", 0), deviations=0.5)
    assert np.log(moved.numeric[0]).mean() == pytest.approx(0.5, abs=0.03)
    assert np.array_equal(moved.numeric[1:], block.numeric[1:])


def test_errors_are_added_at_random_until_the_rate_has_risen_by_the_factor():
    watch, outcomes = a_watch(labels=True), labelled(50_000, 13)
    part = a_baseline(watch, rows(ROWS, 1), outcomes).outcomes
    rate = error_rate(part, "error rate")
    more = more_errors(outcomes, part, np.random.default_rng(1), rate=rate, factor=1.5)
    assert rate == pytest.approx(WRONG_RATE, abs=0.01)
    assert (more.category[0] == 1).mean() == pytest.approx(1.5 * rate, rel=0.03)
    assert (more.category[0] >= outcomes.category[0]).all()


@pytest.fixture(scope="module")
def with_labels():
    """Calibrate a model with labels."""
    watch, block, outcomes = a_watch(labels=True), rows(ROWS, 14), labelled(ROWS, 15)
    effort = Effort(events=24_000, streams=4, points=2, repeats=0)
    return watch, calibrate(watch, a_baseline(watch, block, outcomes), None, effort)


def test_all_tracks_of_a_model_get_the_same_share_of_their_union_bound_and_each_half_of_the_budget(with_labels):
    calibration = with_labels[1]
    predictions, outcomes = calibration.tracks
    assert [predictions.part, outcomes.part] == ["predictions", "outcomes"]
    assert {track.between for track in calibration.tracks} == {2 * BUDGET}
    assert predictions.level == calibration.level * 2 * BUDGET * predictions.curve.monitors
    assert outcomes.level == calibration.level * 2 * BUDGET * outcomes.curve.monitors
    assert outcomes.curve.monitors == 2
    assert calibration.level < 1.0
    assert calibration.result.predictions.level == predictions.level
    assert calibration.result.outcomes.level == outcomes.level


def test_the_level_is_the_smallest_whose_upper_limit_of_the_false_alarms_of_all_tracks_meets_the_budget(with_labels):
    """What is expected of the model is the mean of what is expected of its tracks, each in units of its share."""
    calibration = with_labels[1]
    assert calibration.expected.high == pytest.approx(1.0)
    assert calibration.curve.expected(0.99 * calibration.level, 1.0).high > 1.0
    alarms = [[sum(point.alarms) for point in track.curve.points] for track in calibration.tracks]
    assert min(sum(each) for each in alarms) > 0
    assert [sum(point.alarms) for point in calibration.curve.points] == [sum(at) for at in zip(*alarms, strict=True)]
    tracks = np.mean([sum(each) / (2 * 4 * 5) for each in alarms])  # levels, streams, alarms by the union bound in each
    assert calibration.expected.value == pytest.approx(tracks / calibration.level, rel=0.01)


def test_the_curve_of_the_whole_model_travels_once_in_the_baseline(with_labels):
    calibration = with_labels[1]
    kept = Baseline.from_json(calibration.result.to_json()).calibration
    assert kept["level"] == calibration.level
    assert [point["level"] for point in kept["curve"]] == [point.run_length for point in calibration.curve.points]
    assert kept["expected"] == list(calibration.expected)
    assert b'"calibration"' not in calibration.baseline.to_json()


def test_a_track_that_has_the_budget_for_itself_again_goes_by_what_it_needs_alone(with_labels):
    """Without labels the predictions have the whole budget: their level for half of it is halved."""
    calibration = with_labels[1]
    predictions = calibration.tracks[0]
    assert predictions.alone != pytest.approx(predictions.level)
    assert lengths(plan_of(a_watch(labels=True), calibration.result)) == {predictions.level}
    assert min(lengths(plan_of(a_watch(), calibration.result))) == pytest.approx(predictions.alone / 2)


def test_a_budget_that_can_be_simulated_is_checked_once_for_the_whole_model_at_the_level_chosen():
    watch, block, outcomes = a_watch(labels=True, budget="1 per 200 events"), rows(ROWS, 16), labelled(ROWS, 17)
    effort = Effort(events=16_000, streams=8, points=1, repeats=0)
    calibration = calibrate(watch, a_baseline(watch, block, outcomes), a_log(block, outcomes), effort)
    check = calibration.check
    assert check.run_length == calibration.level
    assert check.seen == pytest.approx(8 * 5 * 2)  # streams, shares of the budget in each, tracks: in budgets
    assert 0 < sum(check.alarms) <= 1.5 * check.seen


def test_simulated_false_alarms_are_of_streams_with_a_baseline_of_their_own(correlated):
    watch, calibration = correlated
    block = rows(ROWS, 1, correlation=0.6)
    part = calibration.baseline.predictions
    scene = scenes_of(watch, calibration.baseline, a_log(block))["predictions"]
    parts = [scene.reference(np.random.default_rng(seed))[0] for seed in (1, 2)]
    assert parts[0].rows == part.rows
    assert parts[0].columns["f0"]["mean"] != parts[1].columns["f0"]["mean"] != part.columns["f0"]["mean"]
    assert false_alarms(scene, 1e15, 1000, np.random.default_rng(1)) == []


def test_without_rows_there_is_nothing_to_simulate():
    watch = a_watch()
    with pytest.raises(NoData, match="no predictions"):
        calibrate(watch, Baseline("m", "1", None, None, "", "test", ""), None, QUICK)
    with pytest.raises(NoData, match="no usable prediction"):
        Logged.of([], None)


def test_with_a_season_rows_of_a_log_stay_at_their_time_of_the_day_and_drawn_ones_say_that_they_have_none():
    """A feature that swings by three standard deviations within the day would ring at once at another time."""
    watch = a_watch(baseline={"first": ROWS, "season": "day"})
    block = replace(rows(4000, 17), time=np.arange(4000) * 60 * 10**9)
    hour = 2.0 * np.pi * block.time / (86_400 * 10**9)
    block.numeric[0] += 3.0 * np.sin(hour)
    baseline = a_baseline(watch, block)
    source = Resampled.of(block, baseline.predictions, watch.predictions)
    drawn = source.draw(2000, np.random.default_rng(1))
    assert source.length < 150  # of 400 at most: the day is no memory
    assert baseline.predictions.dependence["memory"][0] < 8.0
    assert np.corrcoef(drawn.numeric[0], np.sin(2.0 * np.pi * drawn.made / (86_400 * 10**9)))[0, 1] > 0.8
    by_rows, by_profile = (calibrate(watch, baseline, each, QUICK).tracks[0] for each in (a_log(block), None))
    assert by_rows.curve.worth.value < by_rows.curve.monitors
    assert "without its season" in by_profile.rows
    assert "season" not in by_rows.rows
