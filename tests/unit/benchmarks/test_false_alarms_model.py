"""The benchmark of false alarms: a few of its streams, and that it would see an alarm."""

import pytest
from benchmarks import false_alarms_model as benchmark

ROWS = 16_000
STEADY = [kind for kind in benchmark.KINDS if kind != "daily" or benchmark.SEASON]


@pytest.mark.parametrize("kind", STEADY)
def test_a_model_of_twenty_features_that_does_not_change_raises_no_alert(kind):
    """6,000 events at one in 100,000: one of these streams in seventeen may have one, and these have none."""
    assert benchmark.alerts(kind, *benchmark.stream(kind, 1, ROWS)) == []


def test_a_change_of_one_of_its_features_or_of_its_errors_is_an_alert():
    columns, wrong = benchmark.stream("normal", 1, ROWS)
    columns[7, 12_000:] += 0.5
    wrong[12_000:] = benchmark.stream("normal", 2, ROWS)[1][12_000:] + wrong[12_000:] > 0
    told = {notice.identity.subject for notice in benchmark.alerts("normal", columns, wrong)}
    assert told == {"f07", "error rate"}


def test_as_many_streams_may_have_a_false_alarm_as_budget_and_chance_allow():
    """A fifth of an alarm in each of 200 streams: 36 are expected to have one, 49 are still chance."""
    assert benchmark.bound(200, 20_000) == 49
    assert benchmark.bound(200, 1) == 0
