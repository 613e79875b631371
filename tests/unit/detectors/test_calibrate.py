"""The level for a budget, on sets of monitors whose false alarms are known."""

import math
from itertools import pairwise

import numpy as np
import pytest

from anchorwatch_detectors.calibrate import (
    Curve,
    error_divergence,
    levels_for,
    lorden,
    rate_of,
    shift_divergence,
)


def poisson(worth):
    """Return monitors that ring like so many independent ones."""
    return lambda run_length, events, rng: int(rng.poisson(events * worth / run_length))


def curve(simulate, seed=1, points=4, streams=16):
    return Curve.simulated(simulate, 25, levels_for(25, 1_000_000, streams, points, 1e9, 1000), streams, [seed])


def test_the_limits_of_a_rate_cover_the_truth_in_99_of_100_simulations():
    rng = np.random.default_rng(1)
    rates = [rate_of(rng.poisson(2.0, 12).tolist(), events=1000) for _ in range(1000)]
    missed = sum(not rate.low <= 0.002 <= rate.high for rate in rates)
    assert missed <= 18


def test_streams_that_differ_more_than_chance_give_wider_limits():
    even, uneven = rate_of([2] * 8, 1000), rate_of([0, 0, 0, 0, 0, 0, 8, 8], 1000)
    assert even.value == uneven.value
    assert uneven.high - uneven.low > 1.5 * (even.high - even.low)


def test_a_rate_without_streams_or_events_is_refused():
    for alarms, events in (([], 100), ([1], 0)):
        with pytest.raises(ValueError, match="at least one stream of some length"):
            rate_of(alarms, events)


def test_levels_rise_within_the_events_allowed_and_stop_where_the_budget_is_met():
    levels = levels_for(25, 1_000_000, 16, 4, 1e9, 1000)
    assert 900_000 < 16 * sum(rows for _, rows in levels) <= 1_000_000
    assert [b[1] / a[1] for a, b in pairwise(levels)] == pytest.approx([2.0] * 3, rel=0.01)
    assert max(rows for _, rows in levels_for(25, 1_000_000, 16, 4, 2000.0, 100)) == 10_000
    assert levels_for(25, 1000, 16, 4, 1e9, 3000) == ((15_000.0, 3000),)


def test_the_worth_of_a_set_is_found_and_the_level_keeps_the_budget_on_the_safe_side():
    found = curve(poisson(7.0))
    assert found.constant
    assert found.worth.low < 7.0 < found.worth.high
    assert found.level(1e6) == found.worth.high * 1e6
    assert found.expected(found.level(1e6), 1e6).high == pytest.approx(1.0)
    assert found.expected(found.level(1e6), 1e6).value < 1.0


def test_a_budget_is_kept_by_the_level_in_99_of_100_calibrations():
    broken = sum(curve(poisson(7.0), seed).level(1e6) < 7.0 * 1e6 for seed in range(200))
    assert broken <= 4


def test_a_set_without_any_false_alarm_gets_a_level_from_what_was_not_seen():
    found = curve(poisson(0.0))
    assert found.constant
    assert 0.0 < found.level(1e6) < 25 * 1e6


def test_where_the_worth_changes_with_the_level_the_highest_level_counts():
    found = curve(lambda run_length, events, rng: int(rng.poisson(events * 2e-4 * run_length / run_length)))
    assert not found.constant
    assert found.rising
    assert found.worth == found.points[-1].worth


def test_monitors_that_follow_the_level_are_not_taken_for_ones_that_do_not():
    assert not any(curve(poisson(7.0), seed).rising for seed in range(50))


def test_the_same_seed_gives_the_same_curve_and_progress_is_told_to_the_end():
    told = []
    levels = levels_for(25, 100_000, 4, 3, 1e9, 100)
    first, again = (Curve.simulated(poisson(7.0), 25, levels, 4, [5], told.append) for _ in range(2))
    assert first == again
    assert told[-1] == 4 * sum(rows for _, rows in levels)
    assert told == [*sorted(told[: len(told) // 2])] * 2


def test_lordens_bound_is_the_logarithm_over_the_divergence():
    assert lorden(1e6, shift_divergence(1.0)) == pytest.approx(2 * math.log(1e6))
    assert lorden(1e6, error_divergence(0.05, 0.10)) == pytest.approx(math.log(1e6) / 0.020654, rel=0.001)
    assert error_divergence(0.1, 0.1) == 0.0
    assert math.isnan(error_divergence(0.0, 0.1))
    assert math.isnan(error_divergence(0.7, 1.05))
