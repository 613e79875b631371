"""Exact distances of raw rows, and the law of the Kolmogorov-Smirnov gap."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from anchorwatch_detectors.kolmogorov_law import asymptotic_tail, critical_gap, exact_tail
from anchorwatch_detectors.samples import SortedSample, distances

VALUES = st.lists(st.floats(-1e6, 1e6) | st.sampled_from([0.0, 1.0, 2.0, -1.0]), min_size=1, max_size=40)


def apart(reference, current):
    return distances(SortedSample.of(reference), SortedSample.of(current))


def largest_gap(reference, current):
    """Return scipy's statistic, which scipy itself warns about for two single values."""
    if len(reference) == len(current) == 1:
        return float(reference[0] != current[0])
    return stats.ks_2samp(reference, current, method="asymp").statistic


@settings(max_examples=150, deadline=None)
@given(reference=VALUES, current=VALUES)
def test_distances_are_scipy_s(reference, current):
    found = apart(reference, current)
    assert found.kolmogorov_smirnov == pytest.approx(largest_gap(reference, current), abs=1e-12)
    assert found.wasserstein == pytest.approx(stats.wasserstein_distance(reference, current), rel=1e-12, abs=1e-9)


@pytest.mark.parametrize(("n", "m"), [(10_000, 10_000), (10_000, 9_999), (7, 5000), (1, 1)])
@pytest.mark.parametrize("digits", [1, 12])
def test_distances_of_many_rows_are_scipy_s_with_and_without_ties(n, m, digits):
    rng = np.random.default_rng(n + m)
    reference, current = rng.normal(size=n).round(digits), rng.normal(0.03, 1, m).round(digits)
    prepared = SortedSample.of(reference)
    for moved in (0.0, 0.5, 30.0):
        found = distances(prepared, SortedSample.of(current + moved))
        assert found.kolmogorov_smirnov == pytest.approx(largest_gap(reference, current + moved), abs=1e-12)
        expected = stats.wasserstein_distance(reference, current + moved)
        assert found.wasserstein == pytest.approx(expected, rel=1e-12, abs=1e-15)


def test_values_that_are_not_finite_are_left_out_and_an_empty_side_is_nan():
    found = apart([math.nan, 1.0, math.inf, 2.0], [2.0, -math.inf])
    assert (found.n, found.m, found.kolmogorov_smirnov, found.wasserstein) == (2, 1, 0.5, 0.5)
    for sides in (([], [1.0]), ([1.0], [math.nan]), ([], [])):
        nothing = apart(*sides)
        assert math.isnan(nothing.kolmogorov_smirnov)
        assert math.isnan(nothing.wasserstein)


def test_distances_at_the_ends_of_the_number_line_do_not_overflow():
    assert apart([-1e308, 0.0], [0.0, 1e308]).wasserstein == pytest.approx(1e308, rel=1e-12)
    assert apart([-1.7e308, 1.7e308], [-1.7e308, 1.7e308]).wasserstein == 0.0
    assert apart([0.0, 1e-300], [1e-300]).wasserstein == pytest.approx(0.5e-300, rel=1e-12)


SIZES = [(20, 20), (7, 31), (1, 1), (1, 9), (2, 3), (150, 40), (60, 61), (100, 100), (300, 200), (1000, 37)]


@pytest.mark.parametrize(("n", "m"), SIZES)
def test_exact_p_values_are_scipy_s_down_to_the_smallest(n, m):
    rng = np.random.default_rng(n * m)
    for shift in (0.0, 0.3, 1.0, 5.0):
        reference, current = rng.normal(size=n), rng.normal(shift, 1, m)
        expected = stats.ks_2samp(reference, current, method="exact").pvalue
        said = exact_tail(apart(reference, current).gap, n, m)
        assert said == pytest.approx(expected, rel=1e-9, abs=1e-300)


def test_exact_p_values_of_ten_thousand_rows_are_scipy_s():
    rng = np.random.default_rng(0)
    reference, current = rng.normal(size=10_000), rng.normal(0.04, 1, 10_000)
    expected = stats.ks_2samp(reference, current, method="exact").pvalue
    assert exact_tail(apart(reference, current).gap, 10_000, 10_000) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("method", ["asymptotic", "exact"])
@pytest.mark.parametrize(("n", "m"), [*SIZES, (10_000, 1000), (500, 500)])
def test_a_gap_is_critical_if_and_only_if_its_p_value_is_at_most_the_level(n, m, method):
    unit = math.gcd(n, m)
    for level in (0.9, 0.5, 0.1, 0.05, 0.01, 1e-5, 1e-12):
        gap = critical_gap(n, m, level, method)
        assert gap % unit == 0
        p = [
            exact_tail(g, n, m) if method == "exact" else float(asymptotic_tail(g / (n * m), n, m))
            for g in (gap - unit, gap)
        ]
        assert gap == unit or p[0] > level
        assert gap > n * m or p[1] <= level
        assert gap <= n * m + unit


@settings(max_examples=100, deadline=None)
@given(sizes=st.tuples(st.integers(1, 60), st.integers(1, 60)), level=st.floats(1e-6, 0.99), seed=st.integers(0, 999))
def test_the_decision_by_the_critical_gap_is_that_by_the_p_value(sizes, level, seed):
    rng = np.random.default_rng(seed)
    found = apart(rng.normal(size=sizes[0]), rng.normal(0.5, 1, sizes[1]))
    p = exact_tail(found.gap, *sizes)
    assert (found.gap >= critical_gap(*sizes, level, "exact")) == (p <= level)


def test_critical_values_are_those_of_the_tables():
    """Of 20 and 20 values: Massey, F. J. (1952), Annals of Mathematical Statistics 23(3), 435-441."""
    assert critical_gap(20, 20, 0.05, "exact") / 20 == 9
    assert critical_gap(20, 20, 0.01, "exact") / 20 == 11


@pytest.mark.parametrize(("n", "m", "level"), [(0, 5, 0.1), (5, 0, 0.1), (5, 5, 0.0), (5, 5, 1.0), (5, 5, math.nan)])
def test_sizes_and_levels_that_cannot_be_are_refused(n, m, level):
    with pytest.raises(ValueError, match="a level lies in"):
        critical_gap(n, m, level)
