"""One level for sets of monitors that share a budget, on sets whose false alarms are known."""

import pytest

from anchorwatch_detectors.calibrate import LENGTHS, Curve
from anchorwatch_detectors.shared_level import Share, common_level, grid_for, pooled

FREQUENT = Share(monitors=20, between=2e9, least=1000)
RARE = Share(monitors=2, between=5e8, least=1000)


def ringing(worth):
    """Return monitors that ring like so many independent ones."""
    return lambda run_length, events, rng: int(rng.poisson(events * worth / run_length))


def whole(worths, shares=(FREQUENT, RARE), seed=1, streams=16):
    grid = grid_for(shares, 1_000_000, streams, 4)
    curves = [
        Curve.simulated(ringing(worth), share.monitors, levels, streams, [seed, place])
        for place, (worth, share, levels) in enumerate(zip(worths, shares, grid.sets, strict=True))
    ]
    return pooled(curves, grid.levels)


def test_every_set_is_simulated_at_the_same_share_of_its_union_bound():
    grid = grid_for((FREQUENT, RARE), 10_000_000, 16, 3)
    for share, levels in zip((FREQUENT, RARE), grid.sets, strict=True):
        for level, (run_length, rows) in zip(grid.levels, levels, strict=True):
            assert run_length == pytest.approx(level * share.monitors * share.between, rel=1e-3)
            assert share.monitors * rows / run_length == pytest.approx(LENGTHS)
    assert 16 * sum(rows for _, rows in grid.sets[0]) <= 10_000_000


def test_a_set_with_few_events_is_simulated_where_it_has_as_many_as_it_needs():
    grid = grid_for((FREQUENT, RARE._replace(between=100_000.0)), 1_000_000, 16, 3)
    assert [rows for _, rows in grid.sets[1]] == [1000] * 3
    assert {run_length for run_length, _ in grid.sets[1]} == {2 * 1000 / LENGTHS}


def test_together_the_sets_are_worth_the_mean_of_what_each_is_worth_of_its_union_bound():
    """5 of 20 and 1 of 2 are a quarter and a half: with equal parts of the budget three eighths."""
    found = whole([5.0, 1.0])
    assert found.worth.low < 0.375 < found.worth.high
    assert found.worth.high < 0.6
    assert found.expected(common_level(found), 1.0).high == pytest.approx(1.0)


def test_the_budget_is_kept_by_the_common_level_in_99_of_100_calibrations():
    broken = sum(common_level(whole([5.0, 1.0], seed=seed)) < 0.375 for seed in range(200))
    assert broken <= 4


def test_one_set_alone_gets_the_level_that_its_own_curve_gives():
    grid = grid_for((FREQUENT,), 1_000_000, 16, 4)
    alone = Curve.simulated(ringing(5.0), 20, grid.sets[0], 16, [3])
    level = common_level(pooled([alone], grid.levels))
    assert level * 20 * FREQUENT.between == pytest.approx(alone.level(FREQUENT.between))


def test_no_level_is_above_the_union_bound_unless_the_simulation_contradicts_it():
    few = whole([19.0, 1.9], streams=1)
    assert few.worth.high > 1.0
    assert common_level(few) == 1.0
    broken = whole([60.0, 6.0])
    assert common_level(broken) == broken.worth.high > 3.0
