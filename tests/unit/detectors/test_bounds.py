"""Bounds from counts over a grid: the rows' statistic lies between them, and nearly reaches them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anchorwatch_detectors import bounds, registry
from anchorwatch_detectors.bounds import Bounds, Side
from anchorwatch_detectors.kolmogorov_law import critical_gap, exact_tail
from anchorwatch_detectors.profile import NumericProfile, pooled_counts
from anchorwatch_detectors.samples import SortedSample, distances

NAMES = ("kolmogorov_smirnov", "kuiper", "wasserstein", "energy_distance")
ROWS = st.lists(st.floats(-100, 100) | st.sampled_from([0.0, 1.0, 2.0]), min_size=1, max_size=60)


def bounded(name, profile, rows):
    """Return the bounds of one window of rows against a baseline that keeps a grid."""
    counts = profile.counts[np.newaxis], np.bincount(profile.cells(rows), minlength=len(profile.counts))[np.newaxis]
    with_grid = (profile.grid[np.newaxis],) if name in {"wasserstein", "energy_distance"} else ()
    return getattr(bounds, name)(*counts, *with_grid)


def exact(name, reference, current):
    position, old, new = pooled_counts([reference], [current])
    return registry.window(name).compare(old, new, position, p_values=False).statistic.item()


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=100, deadline=None)
@given(reference=ROWS, current=ROWS, knots=st.integers(2, 12))
def test_the_statistic_of_the_rows_lies_between_its_bounds(name, reference, current, knots):
    found = bounded(name, NumericProfile.of(reference, knots), current)
    statistic = exact(name, reference, current)
    slack = 1e-9 + 1e-7 * (name == "energy_distance")  # a root of rounding
    assert found.lower.item() <= statistic + slack
    assert statistic <= found.upper.item() + slack


@pytest.mark.parametrize("name", NAMES)
def test_bounds_of_a_grid_that_holds_every_value_are_the_statistic_itself(name):
    rng = np.random.default_rng(1)
    reference, current = rng.integers(0, 30, 500).astype(float), rng.integers(2, 30, 90).astype(float)
    reference[:30] = np.arange(30)
    found = bounded(name, NumericProfile.of(reference), current)
    statistic = exact(name, reference, current)
    assert (found.lower.item(), found.upper.item()) == pytest.approx((statistic, statistic), abs=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_bounds_of_the_usual_grid_are_narrow(name):
    rng = np.random.default_rng(2)
    reference = rng.normal(size=10_000)
    current = np.clip(rng.normal(0.2, 1, 1000), reference.min(), reference.max())
    found = bounded(name, NumericProfile.of(reference), current)
    statistic = exact(name, reference, current)
    assert statistic * 0.8 < found.lower.item() <= statistic <= found.upper.item() < statistic * 1.25


def test_values_beyond_the_grid_may_be_anywhere():
    found = bounded("wasserstein", NumericProfile.of([0.0, 1.0, 2.0]), [1.0, 5.0])
    assert found.lower.item() <= exact("wasserstein", [0.0, 1.0, 2.0], [1.0, 5.0])
    assert np.isinf(found.upper.item())


def test_what_a_grid_calls_significant_is_so_for_the_rows_and_what_it_leaves_open_the_rows_decide():
    rng = np.random.default_rng(3)
    baseline = rng.normal(size=2000)
    profile, prepared, seen = NumericProfile.of(baseline), SortedSample.of(baseline), set()
    critical = critical_gap(2000, 300, 0.01, "exact") / (2000 * 300)
    for shift in np.linspace(0.0, 0.2, 60):
        rows = rng.normal(shift, 1, 300)
        (side,) = bounds.decided(bounded("kolmogorov_smirnov", profile, rows), critical)
        significant = exact_tail(distances(prepared, SortedSample.of(rows)).gap, 2000, 300) <= 0.01
        assert side is Side.OPEN or significant == (side is Side.ABOVE)
        seen.add(side)
    assert seen == set(Side)


def test_only_columns_that_bounds_leave_open_are_asked_for_their_rows_and_without_rows_they_are_not_significant():
    rng = np.random.default_rng(3)
    baseline, shifts = rng.normal(size=2000), np.linspace(0.0, 0.2, 40)
    windows = [rng.normal(shift, 1, 300) for shift in shifts]
    profile, prepared = NumericProfile.of(baseline), SortedSample.of(baseline)
    critical = critical_gap(2000, 300, 0.01, "exact")
    counts = np.array([np.bincount(profile.cells(rows), minlength=len(profile.counts)) for rows in windows])
    found = bounds.kolmogorov_smirnov(np.tile(profile.counts, (40, 1)), counts)
    asked = []

    def exact_test(column):
        asked.append(column)
        return distances(prepared, SortedSample.of(windows[column])).gap >= critical

    sides = bounds.decided(found, critical / (2000 * 300))
    by_rows = [distances(prepared, SortedSample.of(rows)).gap >= critical for rows in windows]
    assert [decision.significant for decision in bounds.settled(sides, exact_test)] == by_rows
    assert asked == [column for column, side in enumerate(sides) if side is Side.OPEN]
    assert 0 < len(asked) < 20
    careful = bounds.settled(sides)
    assert [careful[column] for column in asked] == [(False, "rows_unknown")] * len(asked)


def test_a_statistic_on_its_critical_value_is_left_to_the_rows():
    exactly = np.array([0.2])
    assert bounds.decided(Bounds(exactly, exactly), 0.2) == [Side.OPEN]


def test_a_column_without_values_is_nan_and_open():
    for name in NAMES:
        found = bounded(name, NumericProfile.of([0.0, 1.0]), [])
        assert np.isnan([found.lower.item(), found.upper.item()]).all()
        assert bounds.decided(found, 0.1) == [Side.OPEN]


def test_padding_with_cells_empty_on_both_sides_leaves_bounds_alone():
    profile = NumericProfile.of(np.random.default_rng(4).normal(size=50), 9)
    rows = np.random.default_rng(5).normal(size=40)
    counts = [profile.counts[np.newaxis], np.bincount(profile.cells(rows), minlength=len(profile.counts))[np.newaxis]]
    wide = [np.pad(side, ((0, 0), (0, 5))) for side in counts]
    for name in NAMES:
        grid = (profile.grid[np.newaxis],) if name in {"wasserstein", "energy_distance"} else ()
        bare, padded = getattr(bounds, name)(*counts, *grid), getattr(bounds, name)(*wide, *grid)
        np.testing.assert_allclose(padded, bare, rtol=1e-12)
