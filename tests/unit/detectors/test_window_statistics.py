"""The window tests say what scipy, or the formula written out, says of one column at a time."""

import numpy as np
import pytest
from scipy import stats
from scipy.spatial import distance

from anchorwatch_detectors.profile import pooled_counts
from anchorwatch_detectors.window.chi_square import ChiSquare
from anchorwatch_detectors.window.g_test import GTest
from anchorwatch_detectors.window.hellinger import Hellinger
from anchorwatch_detectors.window.jensen_shannon import JensenShannon
from anchorwatch_detectors.window.kolmogorov_smirnov import KolmogorovSmirnov
from anchorwatch_detectors.window.psi import Psi
from anchorwatch_detectors.window.total_variation import TotalVariation
from anchorwatch_detectors.window.wasserstein import Wasserstein

EXACT = {"rtol": 1e-12, "atol": 1e-14}


def samples():
    """Pairs of samples: smooth, tied, discrete, constant, tiny, far apart, of very different sizes and scales."""
    rng = np.random.default_rng(0)
    pairs = [(rng.normal(size=300), rng.normal(0.3, 1, 200)) for _ in range(5)]
    pairs += [(np.round(rng.normal(size=200), 1), np.round(rng.normal(0.2, 1, 500), 1)) for _ in range(5)]
    pairs += [(rng.poisson(3, 400).astype(float), rng.poisson(3.5, 60).astype(float)) for _ in range(5)]
    pairs += [(rng.normal(size=k), rng.normal(size=k + 1)) for k in (1, 2, 3)]
    pairs += [([1.0], [1.0]), ([1.0], [2.0]), (np.zeros(50), np.zeros(20)), (np.zeros(50), np.r_[np.zeros(20), 1.0])]
    pairs += [(rng.normal(size=100), rng.normal(100, 1, 100)), (rng.lognormal(0, 3, 500), rng.lognormal(0.5, 3, 50))]
    pairs += [(1e9 + rng.normal(size=100), 1e9 + rng.normal(size=90)), (1e-9 * rng.normal(size=100), [0.0, 1e-9])]
    return pairs


def tables():
    """Pairs of category counts: many words, few, one, seen on one side only, on neither."""
    rng = np.random.default_rng(1)
    pairs = []
    for words, n, m in ((3, 100, 100), (20, 5000, 300), (200, 300, 5000), (500, 400, 400), (2, 7, 5)):
        for _ in range(4):
            weights = rng.dirichlet(np.full(words, 0.5), 2)
            pairs.append((rng.multinomial(n, weights[0]), rng.multinomial(m, weights[1])))
    pairs += [(np.array([5, 0, 0]), np.array([0, 7, 0])), (np.array([9]), np.array([4])), (np.array([3, 3]),) * 2]
    return pairs


def stacked(pairs):
    """All tables as one call takes them, padded with empty cells."""
    width = max(len(reference) for reference, _ in pairs)
    return [np.array([np.pad(pair[side], (0, width - len(pair[side]))) for pair in pairs]) for side in (0, 1)]


def occupied(reference, current):
    seen = (reference + current) > 0
    return reference[seen], current[seen]


def shares(reference, current):
    return reference / reference.sum(), current / current.sum()


def binned(reference, current, bins=10):
    """Return the bins of one column, cell by cell, as `coarsened` describes them."""
    out = np.zeros((2, bins), np.int64)
    before, n = 0, int(reference.sum())
    for r, c in zip(reference.tolist(), current.tolist(), strict=True):
        at = min((2 * before + r) * bins // (2 * n), bins - 1)
        out[:, at] += (r, c)
        before += r
    return out


def test_kolmogorov_smirnov_distance_is_scipy_s():
    position, reference, current = pooled_counts(*zip(*samples(), strict=True))
    said = KolmogorovSmirnov().compare(reference, current, position)
    expected = [stats.ks_2samp(a, b).statistic for a, b in samples()]
    np.testing.assert_allclose(said.statistic, expected, **EXACT)
    np.testing.assert_array_equal(said.effect, said.statistic)


def test_kolmogorov_smirnov_exact_p_value_is_scipy_s():
    rng = np.random.default_rng(2)
    sizes = [(20, 20), (7, 31), (1, 1), (1, 9), (150, 40), (60, 61), (100, 100)]
    pairs = [(rng.normal(size=n), rng.normal(shift, 1, m)) for n, m in sizes for shift in (0.0, 0.5, 3.0)]
    position, reference, current = pooled_counts(*zip(*pairs, strict=True))
    said = KolmogorovSmirnov(method="exact").compare(reference, current, position)
    expected = [stats.ks_2samp(a, b, method="exact").pvalue for a, b in pairs]
    np.testing.assert_allclose(said.p_value, expected, rtol=1e-9)
    assert said.p_value.min() < 1e-15  # far tails keep their digits


def test_kolmogorov_smirnov_asymptotic_p_value_is_close_to_the_exact_one():
    rng = np.random.default_rng(3)
    pairs = [(rng.normal(size=400), rng.normal(shift, 1, 200)) for shift in np.linspace(0, 0.35, 30)]
    position, reference, current = pooled_counts(*zip(*pairs, strict=True))
    quick = KolmogorovSmirnov().compare(reference, current, position).p_value
    exact = KolmogorovSmirnov(method="exact").compare(reference, current, position).p_value
    np.testing.assert_allclose(quick, exact, rtol=0.15)
    assert quick.min() < 0.01 < quick.max()


def test_wasserstein_distance_is_scipy_s_and_its_effect_is_in_baseline_deviations():
    position, reference, current = pooled_counts(*zip(*samples(), strict=True))
    said = Wasserstein().compare(reference, current, position)
    expected = np.array([stats.wasserstein_distance(a, b) for a, b in samples()])
    np.testing.assert_allclose(said.statistic, expected, rtol=1e-11, atol=1e-300)
    deviation = np.array([np.std(a) for a, _ in samples()])
    moves = deviation > 0
    np.testing.assert_allclose(said.effect[moves], expected[moves] / deviation[moves], rtol=1e-6)


def test_wasserstein_effect_of_a_constant_baseline_is_in_deviations_of_both_sides():
    position, reference, current = pooled_counts([[5.0] * 9, [5.0] * 9], [[5.0] * 3, [6.0] * 3])
    assert Wasserstein().compare(reference, current, position).effect.tolist() == [0.0, 2.0]


def test_wasserstein_at_the_ends_of_the_number_line_does_not_overflow():
    position, reference, current = pooled_counts([[-1e308, 0.0], [0.0, 1e-300]], [[0.0, 1e308], [1e-300]])
    said = Wasserstein().compare(reference, current, position)
    np.testing.assert_allclose(said.effect, [2.0, 1.0], rtol=1e-12)
    np.testing.assert_allclose(said.statistic, [1e308, 0.5e-300], rtol=1e-12)


def test_wasserstein_without_positions_is_refused():
    with pytest.raises(ValueError, match="needs a numeric column's positions"):
        Wasserstein().compare(np.ones((1, 2), np.int64), np.ones((1, 2), np.int64))


@pytest.mark.parametrize("base", [2.0, np.e, 10.0])
def test_jensen_shannon_distance_is_scipy_s(base):
    said = JensenShannon(base=base).compare(*stacked(tables()))
    expected = [distance.jensenshannon(*shares(r, c), base=base) for r, c in tables()]
    np.testing.assert_allclose(said.statistic, expected, rtol=1e-12, atol=1e-9)
    np.testing.assert_array_equal(said.effect, said.statistic)


@pytest.mark.parametrize(("test", "formula"), [(ChiSquare, "pearson"), (GTest, "log-likelihood")])
def test_contingency_tests_are_scipy_s_where_no_cell_is_pooled(test, formula):
    said = test(least_expected=0.0).compare(*stacked(tables()))
    expected = [
        stats.chi2_contingency(np.array(occupied(r, c)), correction=False, lambda_=formula) for r, c in tables()
    ]
    np.testing.assert_allclose(said.statistic, [e.statistic for e in expected], rtol=1e-11, atol=1e-11)
    np.testing.assert_allclose(said.p_value, [e.pvalue for e in expected], rtol=1e-9, atol=1e-300)


def test_chi_square_effect_is_cramer_s_v_where_both_sides_have_the_same_size():
    pairs = [(r, c) for r, c in tables() if r.sum() == c.sum() and len(occupied(r, c)[0]) > 1]
    assert len(pairs) > 5
    said = ChiSquare().compare(*stacked(pairs))
    expected = [stats.contingency.association(np.array(occupied(r, c)), method="cramer") for r, c in pairs]
    np.testing.assert_allclose(said.effect, expected, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("test", [ChiSquare(), GTest()])
def test_effect_of_a_contingency_test_depends_on_shares_and_not_on_sizes(test):
    reference, current = np.array([[50, 30, 20]]), np.array([[30, 30, 40]])
    effects = [test.compare(reference * n, current * m).effect.item() for n, m in ((1, 1), (1000, 1), (1, 1000))]
    np.testing.assert_allclose(effects, effects[0], rtol=1e-12)


def test_g_test_effect_is_the_jensen_shannon_distance():
    reference, current = stacked(tables())
    np.testing.assert_allclose(
        GTest().compare(reference, current).effect, JensenShannon().compare(reference, current).effect, **EXACT
    )


@pytest.mark.parametrize("floor", [1e-4, 0.01])
def test_psi_is_its_formula_with_small_shares_raised_to_the_floor(floor):
    said = Psi(floor=floor).compare(*stacked(tables()))
    expected = []
    for r, c in tables():
        p, q = (np.maximum(share, floor) for share in shares(*occupied(r, c)))
        expected.append(np.sum((q - p) * np.log(q / p)))
    np.testing.assert_allclose(said.statistic, expected, **EXACT)
    np.testing.assert_array_equal(said.effect, said.statistic)
    assert np.isfinite(said.statistic).all()


def test_hellinger_and_total_variation_are_their_formulas():
    reference, current = stacked(tables())
    pairs = [shares(r, c) for r, c in tables()]
    hellinger = [np.sqrt(max(0.0, 1 - np.sum(np.sqrt(p * q)))) for p, q in pairs]
    variation = [np.sum(np.maximum(p - q, 0)) for p, q in pairs]
    np.testing.assert_allclose(Hellinger().compare(reference, current).statistic, hellinger, rtol=1e-12, atol=1e-7)
    np.testing.assert_allclose(TotalVariation().compare(reference, current).statistic, variation, **EXACT)


@pytest.mark.parametrize("test", [ChiSquare, GTest, Hellinger, JensenShannon, Psi, TotalVariation])
@pytest.mark.parametrize("bins", [2, 10, 50])
def test_a_numeric_column_is_compared_over_bins_of_about_equal_baseline_mass(test, bins):
    pairs = samples()
    position, reference, current = pooled_counts(*zip(*pairs, strict=True))
    said = test(bins=bins).compare(reference, current, position)
    coarse = np.array([binned(r, c, bins) for r, c in zip(reference, current, strict=True)])
    by_hand = test(bins=bins).compare(coarse[:, 0], coarse[:, 1])
    for field in ("statistic", "effect"):
        np.testing.assert_array_equal(getattr(said, field), getattr(by_hand, field))
    number = np.tile(np.arange(bins, dtype=float), (len(pairs), 1))  # bins that the baseline's values made
    p_value = test(bins=bins).tail(by_hand.statistic, coarse[:, 0], coarse[:, 1], number)
    np.testing.assert_array_equal(said.p_value, p_value)


@pytest.mark.parametrize(
    ("test", "parameters", "message"),
    [
        (Psi, {"bins": 1}, "bins must be a whole number"),
        (Psi, {"floor": 0.0}, "floor must be"),
        (Psi, {"least_expected": -1.0}, "least_expected must be"),
        (JensenShannon, {"base": 1.0}, "base must be"),
        (ChiSquare, {"least_expected": float("nan")}, "least_expected must be"),
        (KolmogorovSmirnov, {"method": "auto"}, "method must be one of"),
    ],
)
def test_a_parameter_out_of_its_range_is_refused_by_name(test, parameters, message):
    with pytest.raises(ValueError, match=message):
        test(**parameters)
