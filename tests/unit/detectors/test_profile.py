"""Numeric column profiles: what a baseline keeps of a column."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anchorwatch_detectors.profile import NumericProfile, pooled_counts

ANY = st.floats(allow_nan=True, allow_infinity=True)
TAME = st.floats(-1e6, 1e6).map(lambda x: round(x, 3)) | st.sampled_from([-1.0, 0.0, 0.5, 3.0])
SAMPLES = st.lists(TAME, min_size=1, max_size=40)
FEW_KNOTS = 5


def plain(profile):
    return json.dumps(profile.to_plain(), sort_keys=True)


def lognormal(n=5000, seed=0):
    return np.random.default_rng(seed).lognormal(size=n)


def test_few_distinct_values_are_the_knots_themselves():
    profile = NumericProfile.of([3.0, 1.0, 1.0, 2.0, 1.0])
    assert profile.grid.tolist() == [1.0, 2.0, 3.0]
    assert profile.counts.tolist() == [0, 3, 0, 1, 0, 1, 0]


def test_many_distinct_values_give_240_sample_quantiles_from_least_to_largest():
    values = lognormal()
    profile = NumericProfile.of(values)
    assert len(profile.grid) == 240
    assert np.isin(profile.grid, values).all()
    assert (profile.grid[0], profile.grid[-1]) == (values.min(), values.max())
    step = 5000 / 239
    ranks = np.searchsorted(np.sort(values), profile.grid)
    assert np.abs(ranks - np.arange(240) * step).max() <= 1.5


@given(st.integers(0, 1000))
@settings(max_examples=20)
def test_a_value_heavier_than_one_239th_of_the_sample_is_a_knot(seed):
    rng = np.random.default_rng(seed)
    heavy = rng.normal()
    values = rng.permutation(np.r_[rng.normal(size=2390), np.full(11, heavy)])
    profile = NumericProfile.of(values)
    assert profile.counts[profile.cells([heavy])[0]] == 11


@given(st.lists(ANY, max_size=60), st.integers(2, 60))
def test_counts_are_those_of_the_cells_whatever_the_values(values, knots):
    profile = NumericProfile.of(values, knots)
    cells = profile.cells(np.array(values, dtype=np.float64))
    assert np.bincount(cells[cells >= 0], minlength=len(profile.counts)).tolist() == profile.counts.tolist()
    assert (cells == -1).sum() == profile.missing
    assert profile.n + profile.missing == len(values)
    assert profile.counts[0] == profile.counts[-1] == 0


@given(st.lists(ANY, max_size=60), st.randoms(use_true_random=False))
def test_the_order_of_the_values_does_not_matter(values, random):
    shuffled = list(values)
    random.shuffle(shuffled)
    assert plain(NumericProfile.of(values)) == plain(NumericProfile.of(shuffled))


def test_cells_alternate_between_open_intervals_and_knots():
    profile = NumericProfile.of([1.0, 2.0, 4.0])
    values = [0.0, 1.0, 1.5, 2.0, 3.0, 4.0, 5.0, np.nan, np.inf, -np.inf]
    assert profile.cells(values).tolist() == [0, 1, 2, 3, 4, 5, 6, -1, -1, -1]


def test_the_position_of_a_cell_is_its_knot_or_the_middle_or_the_edge():
    assert NumericProfile.of([1.0, 2.0, 4.0]).position.tolist() == [1.0, 1.0, 1.5, 2.0, 3.0, 4.0, 4.0]


def test_mid_ranks_are_mass_below_plus_half_the_mass_of_the_cell():
    profile = NumericProfile.of([1.0, 1.0, 2.0, 4.0])
    assert profile.mid_ranks.tolist() == [0.0, 0.25, 0.5, 0.625, 0.75, 0.875, 1.0]


def test_mid_ranks_of_the_sample_have_mean_one_half():
    values = np.round(lognormal(), 1)
    profile = NumericProfile.of(values)
    assert profile.mid_ranks[profile.cells(values)].mean() == pytest.approx(0.5, abs=1e-12)


def test_cdf_is_the_sample_s_own_at_the_knots_and_linear_between():
    values = lognormal()
    profile = NumericProfile.of(values)
    own = np.searchsorted(np.sort(values), profile.grid, side="right") / len(values)
    np.testing.assert_allclose(profile.cdf(profile.grid), own, rtol=1e-14)
    low, high = profile.grid[100:102]
    below, above = profile.cdf([low, np.nextafter(high, low)])
    assert profile.cdf([low + 0.25 * (high - low)]) == pytest.approx(below + 0.25 * (above - below), rel=1e-9)


@given(SAMPLES, st.lists(st.floats(0, 1), min_size=1, max_size=20))
def test_ppf_is_the_least_value_whose_cdf_reaches_the_probability(values, probabilities):
    profile = NumericProfile.of(values, FEW_KNOTS)
    q = np.array(probabilities)
    x = profile.ppf(q)
    assert (profile.cdf(x) >= q - 1e-9).all()
    lower = np.maximum(x - 1e-4 * (1 + np.abs(x)), profile.minimum)
    stays = x == profile.minimum
    assert ((profile.cdf(lower) <= q + 1e-12) | stays).all()


def test_ppf_and_cdf_undo_each_other_inside_a_cell():
    profile = NumericProfile.of(lognormal())
    x = np.linspace(0.5, 2.0, 101)
    np.testing.assert_allclose(profile.ppf(profile.cdf(x)), x, rtol=1e-9)


def test_what_is_no_number_or_no_probability_has_no_cdf_and_no_ppf():
    profile = NumericProfile.of([1.0, 2.0])
    assert np.isnan(profile.cdf([np.nan])).all()
    assert np.isnan(profile.ppf([np.nan, -0.1, 1.1])).all()
    assert profile.cdf([-np.inf, np.inf]).tolist() == [0.0, 1.0]


def test_moments_are_those_of_the_sample():
    values = lognormal() + 1e6
    profile = NumericProfile.of(np.r_[values, np.nan, np.inf])
    assert (profile.n, profile.missing) == (5000, 2)
    assert profile.mean == pytest.approx(values.mean(), rel=1e-15)
    assert profile.std == pytest.approx(values.std(), rel=1e-12)
    assert (profile.minimum, profile.maximum) == (values.min(), values.max())


@given(SAMPLES, SAMPLES)
def test_a_merge_has_the_mixture_of_both_cdfs(a, b):
    left, right = NumericProfile.of(a, FEW_KNOTS), NumericProfile.of(b, FEW_KNOTS)
    both = left.merge(right)
    x = np.unique(np.r_[np.linspace(min(a + b) - 1, max(a + b) + 1, 97), a, b])
    mixture = (left.n * left.cdf(x) + right.n * right.cdf(x)) / (left.n + right.n)
    np.testing.assert_allclose(both.cdf(x), mixture, atol=1e-12)


@given(SAMPLES, SAMPLES, st.lists(st.floats(0.001, 0.999), min_size=1, max_size=10))
def test_a_merge_has_the_inverse_of_the_mixture(a, b, probabilities):
    left, right = NumericProfile.of(a, FEW_KNOTS), NumericProfile.of(b, FEW_KNOTS)
    x = left.merge(right).ppf(probabilities)

    def mixture(at):
        return (left.n * left.cdf(at) + right.n * right.cdf(at)) / (left.n + right.n)

    least, width = min(a + b), 1e-4 * (1 + np.abs(x))
    assert (mixture(x) >= np.array(probabilities) - 1e-9).all()
    assert ((mixture(x - width) <= np.array(probabilities) + 1e-12) | (x - width < least)).all()


@given(SAMPLES, SAMPLES)
def test_a_merge_adds_counts_exactly_and_shares_only_cells_that_are_cut(a, b):
    left, right = NumericProfile.of(a, FEW_KNOTS), NumericProfile.of(b, FEW_KNOTS)
    both = left.merge(right)
    assert both.grid.tolist() == sorted({*left.grid.tolist(), *right.grid.tolist()})
    assert both.n == len(a) + len(b)
    assert (both.counts >= 0).all()
    # over the knots that both sides have, every count is the sum of the sides' own
    common = np.intersect1d(left.grid, right.grid)
    for side in (both, left, right):
        assert side.counts.dtype == np.int64
    own = [np.cumsum(side.counts)[2 * np.searchsorted(side.grid, common) + 1] for side in (both, left, right)]
    np.testing.assert_array_equal(own[0], own[1] + own[2])


def test_a_cut_cell_is_shared_in_proportion_to_width_in_whole_numbers():
    cut = NumericProfile.of([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 10.0], knots=2)
    assert cut.counts.tolist() == [0, 1, 6, 1, 0]
    both = cut.merge(NumericProfile.of([2.5, 7.5]))
    assert both.grid.tolist() == [0.0, 2.5, 7.5, 10.0]
    assert both.masses.tolist() == [0.0, 1.0, 1.5, 1.0, 3.0, 1.0, 1.5, 1.0, 0.0]
    assert both.counts.tolist() == [0, 1, 2, 1, 3, 1, 1, 1, 0]


def test_a_merge_of_discrete_samples_is_the_profile_of_both():
    rng = np.random.default_rng(3)
    a, b = rng.poisson(4, 700).astype(float), rng.poisson(9, 300).astype(float)
    merged, together = NumericProfile.of(a).merge(NumericProfile.of(b)), NumericProfile.of(np.r_[a, b])
    np.testing.assert_array_equal(merged.grid, together.grid)
    np.testing.assert_array_equal(merged.counts, together.counts)


@given(SAMPLES, SAMPLES)
def test_a_merge_has_the_moments_of_both_samples_together(a, b):
    merged, together = NumericProfile.of(a).merge(NumericProfile.of(b)), np.array(a + b)
    assert merged.mean == pytest.approx(together.mean(), rel=1e-9, abs=1e-9)
    assert merged.m2 == pytest.approx(np.square(together - together.mean()).sum(), rel=1e-9, abs=1e-6)
    assert (merged.minimum, merged.maximum) == (together.min(), together.max())


@given(SAMPLES, SAMPLES)
def test_a_merge_is_the_same_from_either_side_to_the_last_bit(a, b):
    left, right = NumericProfile.of(a, FEW_KNOTS), NumericProfile.of(b, FEW_KNOTS)
    assert plain(left.merge(right)) == plain(right.merge(left))


def test_a_merge_with_an_empty_profile_only_adds_what_is_missing():
    full, empty = NumericProfile.of([1.0, 2.0, np.nan]), NumericProfile.of([np.nan, np.nan])
    for both in (full.merge(empty), empty.merge(full)):
        assert both.missing == 3
        assert both.to_plain() == full.to_plain() | {"missing": 3}


def test_a_baseline_built_in_parts_and_made_compact_stays_close_to_one_built_at_once():
    values = np.round(lognormal(20_000), 2)
    merged = NumericProfile.of(values[:2000])
    for at in range(2000, 20_000, 2000):
        merged = merged.merge(NumericProfile.of(values[at : at + 2000]))
    small = merged.compact()
    assert len(merged.grid) > len(small.grid) <= 240
    assert small.n == 20_000
    assert (small.grid[0], small.grid[-1]) == (values.min(), values.max())
    x = np.linspace(0, 10, 1001)
    assert np.abs(small.cdf(x) - NumericProfile.of(values).cdf(x)).max() < 0.01


def test_compact_keeps_the_cdf_at_the_knots_it_keeps_and_every_heavy_value():
    a, b = lognormal(3000, 1), np.r_[lognormal(2900, 2), np.full(100, 0.25)]
    merged = NumericProfile.of(a).merge(NumericProfile.of(b))
    small = merged.compact()
    np.testing.assert_allclose(small.cdf(small.grid), merged.cdf(small.grid), rtol=1e-12)
    assert 0.25 in small.grid
    assert small.compact() is small


@given(st.lists(ANY, max_size=30), st.lists(ANY, max_size=30))
def test_a_profile_survives_json_exactly_merged_or_not(a, b):
    for profile in (left := NumericProfile.of(a, FEW_KNOTS), left.merge(NumericProfile.of(b, FEW_KNOTS))):
        text = json.dumps(profile.to_plain(), allow_nan=False)
        again = NumericProfile.from_plain(json.loads(text))
        assert plain(again) == plain(profile)
        np.testing.assert_array_equal(again.masses, profile.masses)
        np.testing.assert_array_equal(again.grid, profile.grid)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"grid": [1.0, 1.0, 4.0]}, "strictly increasing"),
        ({"grid": [1.0, 2.0, float("inf")]}, "finite"),
        ({"counts": [0, 1, 0]}, "3 knots make 7 cells, not 3"),
        ({"counts": [0, 1, 0, -1, 0, 1, 0]}, "negative"),
        ({"counts": [1, 1, 0, 1, 0, 1, 0]}, "outside its range"),
        ({"masses": [0.0, 1.0, 0.0, float("nan"), 0.0, 1.0, 0.0]}, "negative"),
    ],
)
def test_a_damaged_profile_is_refused(change, message):
    described = NumericProfile.of([1.0, 2.0, 4.0]).to_plain()
    with pytest.raises(ValueError, match=message):
        NumericProfile.from_plain(described | change)


def test_a_profile_that_lacks_entries_is_refused_by_their_names():
    described = NumericProfile.of([1.0]).to_plain()
    del described["m2"], described["missing"]
    with pytest.raises(ValueError, match="lacks m2, missing"):
        NumericProfile.from_plain(described)


def test_a_profile_without_values_knows_nothing_and_says_so():
    profile = NumericProfile.of([np.nan])
    assert (profile.n, profile.missing, profile.counts.tolist()) == (0, 1, [0])
    undefined = (profile.mean, profile.std, *profile.mid_ranks, *profile.cdf([1.0]), *profile.ppf([0.5]))
    assert np.isnan(undefined).all()
    assert profile.cells([1.0, np.nan]).tolist() == [0, -1]


@pytest.mark.parametrize("values", [[-1.7e308, 1e308, 1.7e308], [5e-324, 1.5e-323, 4e-323], [-0.0, 0.0]])
def test_the_ends_of_the_number_line_neither_overflow_nor_warn(values):
    profile = NumericProfile.of(values)
    merged = profile.merge(NumericProfile.of([values[1], 0.0, 1.0]))
    for each in (profile, merged, merged.compact(2)):
        inside = each.ppf(np.linspace(0, 1, 33))
        assert np.isfinite([*inside, *each.cdf(inside), *each.position, each.std]).all()
        assert (inside[1:] >= inside[:-1]).all()
    assert not np.signbit(NumericProfile.of([-0.0]).grid[0])


def test_pooled_counts_are_over_the_distinct_values_of_both_sides_and_padded():
    position, reference, current = pooled_counts([[1.0, 1.0, np.nan], [5.0, 2.0]], [[3.0, 1.0], [2.0, np.inf, 7.0]])
    assert position.tolist() == [[1.0, 3.0, 3.0], [2.0, 5.0, 7.0]]
    assert reference.tolist() == [[2, 0, 0], [1, 1, 0]]
    assert current.tolist() == [[1, 1, 0], [1, 0, 1]]


def test_pooled_counts_of_nothing_are_empty_and_sides_must_match():
    assert [part.shape for part in pooled_counts([], [])] == [(0, 0)] * 3
    assert [part.tolist() for part in pooled_counts([[], [1.0]], [[], []])] == [[[0.0], [1.0]], [[0], [1]], [[0], [0]]]
    with pytest.raises(ValueError, match="zip"):
        pooled_counts([[1.0]], [])
