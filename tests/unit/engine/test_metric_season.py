"""A model that errs more by day than by night is held against its own hours, not against whole days."""

import numpy as np
import pytest
from tests.unit.engine.labelled_stream import GAP, SECOND, START, a_model, messages, take

from anchorwatch.engine.baseline import Baseline, Group
from anchorwatch.engine.known import Hours, Known
from anchorwatch.engine.metric_season import usual
from anchorwatch.engine.season import Season, slots_of
from anchorwatch.engine.state import to_parts
from anchorwatch_detectors import metrics
from anchorwatch_detectors.base import Level
from anchorwatch_detectors.non_inferiority import standing

N = 60_000


def seasonal(kind, names, season, **more):
    """Return a model whose metrics are judged, with windows of some three hours and a baseline of two days."""
    model = a_model(kind, names, first=18_000, size=1000, **more)
    return model.model_copy(update={"baseline": model.baseline.model_copy(update={"season": season})})


def by_day(middle, swing, n=N):
    """Return a quality that is least at noon and best at midnight."""
    return middle - swing * np.sin(2 * np.pi * ((START + np.arange(n) * GAP) / 3600 - 6) / 24)


@pytest.fixture(scope="module")
def days():
    """Return a week of predictions of values, the same every day, whose errors are more than twice as large at noon."""
    return messages("regression", 1, by_day(0.75, 0.35))


@pytest.fixture(scope="module")
def worse():
    """Return the same with errors a third larger from the fifth day on."""
    return messages("regression", 1, by_day(0.75, 0.35) * np.where(np.arange(N) < 43_000, 1.0, 0.75))


def told(taken):
    return [n for n in taken.notices if n.identity.monitor == "non_inferiority"]


def test_errors_that_are_the_same_every_day_raise_no_alarm_with_a_season_and_many_without(days):
    quiet = take(seasonal("regression", ["mae", "rmse"], "day", segments=True), *days)
    assert {e.verdict.reason for e in quiet.of("rmse")} == {"within_margin"}
    assert len(quiet.of("rmse")) > 30
    assert told(quiet) == []
    assert len(told(take(seasonal("regression", ["mae", "rmse"], None), *days))) > 5


def test_a_change_is_told_once_though_the_hours_differ(worse):
    taken = take(seasonal("regression", ["rmse"], "day"), *worse)
    assert [str(n.status) for n in told(taken)] == ["firing"]
    first = next(e.verdict for e in taken.of("rmse") if e.verdict.level is Level.DRIFT)
    assert abs(first.since / SECOND - START - 43_000 * GAP) < 3 * 3600


def test_a_window_is_held_against_the_value_of_its_own_hours(days):
    taken = take(seasonal("regression", ["rmse"], "day"), *days)
    found = [e.verdict for e in taken.of("rmse")]
    usually = np.array([v.statistic - v.effect for v in found])
    assert usually.max() > 1.7 * usually.min()
    assert np.median(np.abs([v.effect for v in found]) / usually) < 0.04


def test_cutting_and_restarting_change_neither_verdicts_nor_state_with_a_season():
    log = messages("binary", 2, by_day(0.6, 0.35, 30_000))
    model = seasonal("binary", ["recall", "roc_auc"], "day", segments=True)
    one, other = take(model, *log), take(model, *log, cuts=17, restart=True)
    assert len(one.of("recall", "region=south")) > 5
    assert list(map(repr, other.evidence)) == list(map(repr, one.evidence))
    assert to_parts(other.watch, other.state) == to_parts(one.watch, one.state)


def test_a_baseline_with_the_metrics_of_its_hours_travels_as_json(days):
    rows, labels = days
    baseline = take(seasonal("regression", ["rmse"], "day"), rows[:22_000], labels[:20_000]).baselines[-1]
    assert len(baseline.outcomes.groups[0].hours) == max(baseline.outcomes.metric_season.buckets) + 1
    assert Baseline.from_json(baseline.to_json()).id == baseline.id


def samples(name):
    """Return (metric, season, the baseline's group, slots of its rows) of two halves of a day that differ."""
    rng, metric = np.random.default_rng(3), metrics.find(name)
    time = rng.integers(0, 86_400, 8000) * SECOND
    slots, late = slots_of("day", time), time >= 43_200 * SECOND
    if name == "rmse":
        truth, given = np.zeros(8000), rng.normal(0, np.where(late, 3.0, 1.0))
    else:
        truth = (rng.random(8000) < np.where(late, 0.4, 0.1)).astype(float)
        given = np.where(rng.random(8000) < np.where(late, 0.9, 0.7), truth, 1 - truth)
    hours = [Hours(int(h.sum()), {name: Known.of(metric.of(truth[h], given[h]))}) for h in (~late, late)]
    group = Group("", None, 8000, {}, metrics={name: Known.of(metric.of(truth, given))}, hours=hours)
    return metric, Season("day", [0] * 24 + [1] * 24), group, slots


@pytest.mark.parametrize("name", ["accuracy", "precision", "recall", "rmse", "f1"])
def test_rows_spread_like_the_baselines_are_held_against_the_whole_and_those_of_one_hour_against_that_hour(name):
    metric, season, group, slots = samples(name)
    whole = usual(metric, season, [group], 0, np.bincount(slots, minlength=48))
    assert whole.value == pytest.approx(group.metrics[name].value, rel=0.005)
    assert whole.error == pytest.approx(group.metrics[name].error, rel=0.15)
    late = np.zeros(48, np.int64)
    late[30] = 500
    then, known = usual(metric, season, [group], 0, late), group.hours[1].metrics[name]
    assert then.value == pytest.approx(known.value, abs=0.005)
    assert (then.error, then.support) == pytest.approx((known.error, known.support))


def test_a_segment_with_too_few_rows_at_some_time_differs_from_itself_as_that_time_does_for_all():
    """Nothing is known of its evening, in which all rows have errors three times those of the morning."""
    metric, season, everything, _ = samples("rmse")
    mine = Group("region", "south", 300, {}, metrics={"rmse": Known(4.0, 0.2, 300, 300, 0.0)},
                 hours=[everything.hours[0], Hours(5, {})])  # fmt: skip
    late = np.zeros(48, np.int64)
    late[30] = 500
    found = usual(metric, season, [everything, mine], 1, late)
    ratio = everything.hours[1].metrics["rmse"].value / everything.metrics["rmse"].value
    assert found.value == pytest.approx(4.0 * ratio, rel=0.01)
    assert found.error > 0.2


def test_errors_of_hours_that_go_together_weigh_as_one_error_of_all_where_they_are_alike():
    worse, variance = np.array([0.1, 0.3, 0.2]), np.array([0.01, 0.02, 0.03])
    one = standing(worse, variance, 0.004, 0.1)
    assert standing(worse, variance, np.full(3, 0.004), 0.1) == pytest.approx(one)
    assert standing(worse, variance, np.array([0.004, 0.1, 0.1]), 0.1).evidence < one.evidence
