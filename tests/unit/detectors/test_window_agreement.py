"""Tests of two samples say what scipy says of one column at a time, or the definition written out where it is mute."""

import warnings

import numpy as np
import pytest
from scipy import stats

from anchorwatch_detectors.profile import pooled_counts
from anchorwatch_detectors.window.anderson_darling import _LAW as ANDERSON_DARLING_LAW
from anchorwatch_detectors.window.anderson_darling import AndersonDarling
from anchorwatch_detectors.window.cramer_von_mises import CramerVonMises
from anchorwatch_detectors.window.energy_distance import EnergyDistance
from anchorwatch_detectors.window.epps_singleton import EppsSingleton
from anchorwatch_detectors.window.fisher_exact import FisherExact
from anchorwatch_detectors.window.kuiper import Kuiper
from anchorwatch_detectors.window.mann_whitney import MannWhitney


def smooth():
    """Pairs of samples without ties: unmoved, moved, spread, of many sizes and scales."""
    rng = np.random.default_rng(0)
    pairs = [
        (rng.normal(size=n), rng.normal(shift, 1, m))
        for n, m in ((300, 200), (40, 900), (7, 6), (2, 3))
        for shift in (0.0, 0.3, 1.0)
    ]
    pairs += [(rng.normal(size=150), rng.normal(0, spread, 90)) for spread in (0.3, 1.5, 4.0)]
    pairs += [(rng.lognormal(0, 2, 500), rng.lognormal(0.5, 2, 50)), (rng.standard_cauchy(200), rng.normal(size=200))]
    pairs += [(1e9 + rng.normal(size=100), 1e9 + rng.normal(size=90)), (1e-9 * rng.normal(size=100), rng.random(50))]
    return pairs


def tied():
    """Pairs of samples with ties: rounded, counts, flags."""
    rng = np.random.default_rng(1)
    pairs = [(np.round(rng.normal(size=200), 1), np.round(rng.normal(shift, 1, 300), 1)) for shift in (0, 0.2, 0.7)]
    pairs += [(rng.poisson(3, 400), rng.poisson(rate, 60)) for rate in (3, 3.5, 6)]
    return pairs


def said_of(test, pairs):
    position, reference, current = pooled_counts(*zip(*pairs, strict=True))
    return test.compare(reference, current, position)


def test_cramer_von_mises_is_scipy_s_where_no_values_are_tied():
    said = said_of(CramerVonMises(), smooth())
    expected = [stats.cramervonmises_2samp(a, b, method="asymptotic") for a, b in smooth()]
    np.testing.assert_allclose(said.statistic, [e.statistic for e in expected], rtol=1e-9)
    np.testing.assert_allclose(said.p_value, [e.pvalue for e in expected], rtol=1e-6, atol=1e-7)


def test_cramer_von_mises_of_ties_is_the_mean_of_the_squared_distances_before_and_after_each_value():
    said = said_of(CramerVonMises(), tied())
    for (a, b), statistic, effect in zip(tied(), said.statistic, said.effect, strict=True):
        pooled = np.concatenate([a, b])
        after, before = (
            np.searchsorted(np.sort(a), pooled, side) / len(a) - np.searchsorted(np.sort(b), pooled, side) / len(b)
            for side in ("right", "left")
        )
        mean = np.mean(after**2 + before**2) / 2
        assert statistic == pytest.approx(len(a) * len(b) / len(pooled) * mean, rel=1e-9)
        assert effect == pytest.approx(np.sqrt(mean), rel=1e-9)


def test_anderson_darling_statistic_is_scipy_s_before_it_is_standardized_by_the_sizes():
    pairs = [pair for pair in smooth() + tied() if min(map(len, pair)) > 2]
    said = said_of(AndersonDarling(), pairs)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # scipy warns that its p-value is capped
        standardized = np.array([stats.anderson_ksamp(list(pair), midrank=True).statistic for pair in pairs])
    np.testing.assert_allclose(said.statistic, 1 + standardized * [deviation(*map(len, p)) for p in pairs], rtol=1e-9)


def deviation(n, m):
    """Return the standard deviation of the statistic by Scholz and Stephens' formula (4)."""
    total = n + m
    inverse = 1 / np.arange(1, total)
    h, half = inverse.sum(), 1 / n + 1 / m
    g = sum((1 / ((total - i) * np.arange(i + 1, total))).sum() for i in range(1, total - 1))
    a = (4 * g - 6) + (10 - 6 * g) * half
    b = (2 * g - 4) * 4 + 8 * h * 2 + (2 * g - 14 * h - 4) * half - 8 * h + 4 * g - 6
    c = (6 * h + 2 * g - 2) * 4 + (4 * h - 4 * g + 6) * 2 + (2 * h - 6) * half + 4 * h
    d = (2 * h + 6) * 4 - 4 * h * 2
    return np.sqrt((a * total**3 + b * total**2 + c * total + d) / ((total - 1) * (total - 2) * (total - 3)))


@pytest.mark.parametrize(("value", "tail"), [(1.248, 0.25), (1.933, 0.1), (2.492, 0.05), (3.070, 0.025), (3.857, 0.01)])
def test_anderson_darling_law_has_the_critical_values_of_its_tables(value, tail):
    assert ANDERSON_DARLING_LAW.tail(np.array([value])).item() == pytest.approx(tail, rel=0.025)


def test_anderson_darling_p_value_is_the_share_of_permutations_with_a_larger_statistic():
    rng = np.random.default_rng(4)
    for pooled in (rng.normal(size=120), rng.poisson(2, 120).astype(float)):
        shuffled = [rng.permutation(pooled) for _ in range(4000)]
        said = said_of(AndersonDarling(), [(s[:50], s[50:]) for s in shuffled])
        for level in (0.5, 0.1, 0.02):
            assert np.mean(said.p_value <= level) == pytest.approx(level, rel=0.3)


def test_kuiper_is_its_formula_and_its_p_value_the_share_of_permutations_with_a_larger_statistic():
    said = said_of(Kuiper(), smooth() + tied())
    for (a, b), statistic in zip(smooth() + tied(), said.statistic, strict=True):
        above, below = (
            stats.ks_2samp(a, b, alternative=side, method="asymp").statistic for side in ("less", "greater")
        )
        assert statistic == pytest.approx(above + below, rel=1e-12)
    rng = np.random.default_rng(4)
    said = said_of(Kuiper(), [(rng.normal(size=100), rng.normal(size=80)) for _ in range(4000)])
    for level in (0.5, 0.1, 0.02):
        assert np.mean(said.p_value <= level) == pytest.approx(level, rel=0.3)


def test_energy_distance_is_scipy_s():
    pairs = smooth() + tied()
    said = said_of(EnergyDistance(), pairs)
    np.testing.assert_allclose(said.statistic, [stats.energy_distance(a, b) for a, b in pairs], rtol=1e-6)


def test_energy_distance_effect_is_the_coefficient_of_inhomogeneity_written_out():
    pairs = smooth()[:9] + tied()
    said = said_of(EnergyDistance(), pairs)
    for (a, b), effect in zip(pairs, said.effect, strict=True):
        across, first, second = (np.abs(np.subtract.outer(x, y)).mean() for x, y in ((a, b), (a, a), (b, b)))
        assert effect**2 == pytest.approx((2 * across - first - second) / (2 * across), abs=1e-9)


def test_energy_distance_p_value_is_the_share_of_permutations_with_a_larger_statistic_whatever_the_tails():
    rng = np.random.default_rng(4)
    for pooled in (rng.normal(size=300), rng.lognormal(0, 1, 300), (rng.random(300) < 0.3).astype(float)):
        shuffled = [rng.permutation(pooled) for _ in range(3000)]
        said = said_of(EnergyDistance(), [(s[:100], s[100:]) for s in shuffled])
        for level in (0.5, 0.1, 0.02):
            assert np.mean(said.p_value <= level) == pytest.approx(level, rel=0.35)


def test_energy_distance_at_the_ends_of_the_number_line_does_not_overflow():
    said = said_of(EnergyDistance(), [([-1e308, 0.0], [0.0, 1e308]), ([0.0, 1e-300], [1e-300])])
    np.testing.assert_allclose(said.statistic, [1e154, np.sqrt(0.5) * 1e-150], rtol=1e-12)
    assert np.isfinite(said.effect).all()


def test_epps_singleton_with_separate_covariances_is_scipy_s():
    pairs = [pair for pair in smooth()[:16] + tied() if min(map(len, pair)) >= 5]
    said = said_of(EppsSingleton(covariance="separate"), pairs)
    expected = [stats.epps_singleton_2samp(a, b) for a, b in pairs]
    np.testing.assert_allclose(said.statistic, [e.statistic for e in expected], rtol=1e-6)
    np.testing.assert_allclose(said.p_value, [e.pvalue for e in expected], rtol=1e-6)


def test_epps_singleton_finds_what_scipy_cannot_look_at():
    pairs = [
        (np.zeros(50), np.ones(40)),
        (np.zeros(50), np.r_[np.zeros(30), np.ones(10)]),
        (np.zeros(9), np.zeros(9)),
        (1e9 + np.arange(90) % 9, 1e9 + np.arange(90) % 9),
        ([-1e308, 1e308] * 5, [1e300] * 9),
    ]
    said = said_of(EppsSingleton(), pairs)
    assert (said.p_value[:2] < 1e-3).all()
    assert said.p_value[2:4].tolist() == [1.0, 1.0]
    assert np.isfinite(said.statistic).all()


def test_mann_whitney_is_scipy_s():
    pairs = smooth() + tied()
    said = said_of(MannWhitney(), pairs)
    expected = [stats.mannwhitneyu(a, b, method="asymptotic") for a, b in pairs]
    middle = np.array([len(a) * len(b) / 2 for a, b in pairs])
    np.testing.assert_allclose(said.statistic, np.abs([e.statistic for e in expected] - middle), rtol=1e-12)
    np.testing.assert_allclose(said.p_value, [e.pvalue for e in expected], rtol=1e-9)
    np.testing.assert_allclose(said.effect, said.statistic / middle, rtol=1e-12)


def two_words():
    rng = np.random.default_rng(5)
    sizes = [(1, 1), (3, 4), (20, 20), (5000, 300), (300, 5000), (30_000, 30_000), (100, 10**6)]
    shares = ((0.5, 0.5), (0.5, 0.7), (0.01, 0.03), (0.0, 1.0), (0.3, 0.3))
    return [
        np.array([[(k := rng.binomial(n, p)), n - k], [(j := rng.binomial(m, q)), m - j]])
        for n, m in sizes
        for p, q in shares
    ]


def test_fisher_s_p_value_of_two_words_is_scipy_s():
    tables = np.array(two_words())
    said = FisherExact().compare(tables[:, 0], tables[:, 1])
    np.testing.assert_allclose(
        said.p_value, [stats.fisher_exact(t).pvalue for t in two_words()], rtol=1e-6, atol=1e-300
    )


def test_fisher_s_p_value_of_more_words_is_the_smallest_of_each_against_the_rest_times_their_number():
    rng = np.random.default_rng(6)
    weights = rng.dirichlet(np.full(12, 0.4), 2)
    for moved in (0, 1):
        reference, current = rng.multinomial(800, weights[0]), rng.multinomial(90, weights[moved])
        seen = reference + current > 0
        each = [
            stats.fisher_exact([[r, 800 - r], [c, 90 - c]]).pvalue
            for r, c in zip(reference[seen], current[seen], strict=True)
        ]
        said = FisherExact().compare(reference[np.newaxis], current[np.newaxis])
        assert said.p_value.item() == pytest.approx(min(1.0, min(each) * len(each)), rel=1e-6)


def test_fisher_s_p_value_of_large_counts_and_of_many_columns_at_once_is_scipy_s():
    tables = np.array([[[60_000, 39_000], [30_600, 19_000]], [[10**6, 10**6], [10**5, 10**5 + 900]]]).repeat(25, axis=0)
    said = FisherExact().compare(tables[:, 0], tables[:, 1])
    expected = [stats.fisher_exact(table).pvalue for table in tables[::25]]
    np.testing.assert_allclose(said.p_value, np.repeat(expected, 25), rtol=1e-6)


@pytest.mark.parametrize("test", [EnergyDistance(), EppsSingleton()])
def test_a_test_of_values_without_positions_is_refused(test):
    with pytest.raises(ValueError, match="needs a numeric column's positions"):
        test.compare(np.ones((1, 2), np.int64), np.ones((1, 2), np.int64))
