"""What all window tests have in common: shapes, empty sides, examples, and silence where nothing changed."""

import doctest
import functools
import importlib

import numpy as np
import pytest

from anchorwatch_detectors import registry
from anchorwatch_detectors.comparison import ColumnKind
from anchorwatch_detectors.profile import NumericProfile, pooled_counts
from anchorwatch_detectors.window import folded
from anchorwatch_detectors.window.cells import coarsened, sturdy

NAMES = registry.names("window")
NUMERIC = [name for name in NAMES if ColumnKind.NUMERIC in registry.window(name).kinds]
CATEGORY = [name for name in NAMES if ColumnKind.CATEGORY in registry.window(name).kinds]
ROUNDS = 1500


@pytest.fixture(scope="module")
def unchanged():
    """Windows of 500 from the same source as their baselines of 5,000 on the baselines' grids: nothing changed."""
    rng = np.random.default_rng(5)
    profiles = [NumericProfile.of(rng.normal(size=5000)) for _ in range(ROUNDS)]
    windows = [np.bincount(p.cells(rng.normal(size=500)), minlength=481) for p in profiles]
    return np.array([p.counts for p in profiles]), np.array(windows), np.array([p.position for p in profiles])


@pytest.mark.parametrize("name", NUMERIC)
def test_p_values_of_unchanged_numeric_columns_fall_below_one_percent_in_about_one_percent(name, unchanged):
    p = registry.window(name).compare(*unchanged).p_value
    assert 0.004 < np.mean(p < 0.01) < 0.02
    assert 0.07 < np.mean(p < 0.1) < 0.13


SHAPES = {
    "heavy tail": lambda rng, n: rng.lognormal(0, 1.5, n),
    "counts": lambda rng, n: rng.poisson(0.5, n).astype(float),
    "flag": lambda rng, n: (rng.random(n) < 0.1).astype(float),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_p_values_of_unchanged_columns_do_not_cry_wolf_whatever_their_shape(shape):
    rng = np.random.default_rng(11)
    profiles = [NumericProfile.of(SHAPES[shape](rng, 3000)) for _ in range(ROUNDS)]
    reference, current, position = np.zeros((3, ROUNDS, 481))
    for row, profile in enumerate(profiles):
        cells = len(profile.counts)
        reference[row, :cells], position[row, :cells], position[row, cells:] = (
            profile.counts,
            profile.position,
            profile.maximum,
        )
        current[row, :cells] = np.bincount(profile.cells(SHAPES[shape](rng, 300)), minlength=cells)
    for name in NUMERIC:
        said = registry.window(name).compare(reference.astype(np.int64), current.astype(np.int64), position)
        assert np.mean(said.p_value < 0.01) < 0.02, name


@functools.cache
def unchanged_words(words, window):
    """Return counts of baselines of 10,000 and of windows from the same source, some words of which are rare."""
    rng = np.random.default_rng(6)
    weights = 1 / np.arange(1, words + 1)
    weights /= weights.sum()
    return rng.multinomial(10_000, weights, ROUNDS), rng.multinomial(window, weights, ROUNDS)


@functools.cache
def unchanged_rows(n, m):
    """Return tables of raw rows from the same source."""
    rng = np.random.default_rng(13)
    return pooled_counts(rng.normal(size=(1000, n)), rng.normal(size=(1000, m)))


@pytest.mark.parametrize("name", CATEGORY)
@pytest.mark.parametrize(("words", "window"), [(3, 100), (20, 200), (1000, 500)])
def test_p_values_of_unchanged_categories_stay_honest_however_rare_the_words(name, words, window):
    """Fisher's test word by word is the careful one: of many words it may cry less often than it is allowed to."""
    careful = name == "fisher_exact"
    rounds = ROUNDS // 5 if careful else ROUNDS
    reference, current = (side[:rounds] for side in unchanged_words(words, window))
    p = registry.window(name).compare(reference, current).p_value
    assert (0.0 if careful else 0.003) <= np.mean(p < 0.01) < 0.022
    assert np.mean(p < 0.1) < 0.13


@pytest.mark.parametrize("name", NUMERIC)
def test_an_unchanged_window_of_some_size_has_less_effect_than_is_worth_knowing(name, unchanged):
    reference, _, position = unchanged
    rng = np.random.default_rng(7)
    windows = np.array([rng.multinomial(5000, row / row.sum()) for row in reference[:200]])
    test = registry.window(name)
    assert (test.compare(reference[:200], windows, position[:200]).effect < test.smallest_effect).all()


@pytest.mark.parametrize("name", NUMERIC)
def test_a_mean_moved_by_one_deviation_has_an_effect_worth_knowing_and_no_chance(name):
    rng = np.random.default_rng(8)
    profile = NumericProfile.of(rng.normal(size=5000))
    window = np.bincount(profile.cells(rng.normal(1, 1, 500)), minlength=481)
    test = registry.window(name)
    said = test.compare(profile.counts[np.newaxis], window[np.newaxis], profile.position[np.newaxis])
    assert said.effect.item() > test.smallest_effect
    assert said.p_value.item() < 1e-12


@pytest.mark.parametrize("name", NUMERIC)
def test_each_column_is_judged_as_if_it_were_alone(name, unchanged):
    columns = tuple(part[:7] for part in unchanged)
    together = registry.window(name).compare(*columns)
    for row in range(7):
        alone = registry.window(name).compare(*(part[row : row + 1] for part in columns))
        for field in ("statistic", "p_value", "effect"):
            np.testing.assert_allclose(getattr(alone, field)[0], getattr(together, field)[row], rtol=1e-12)


@pytest.mark.parametrize("name", NUMERIC)
def test_more_columns_than_are_worked_on_in_one_go_are_judged_as_in_parts(name, unchanged):
    tables = tuple(part[:150] for part in unchanged)
    inflation = np.where(np.arange(150) % 3 == 0, 1.0, 2.5)
    together = registry.window(name).compare(*tables, inflation=inflation)
    for rows in (slice(0, 40), slice(60, 75), slice(130, 150)):
        part = registry.window(name).compare(*(each[rows] for each in tables), inflation=inflation[rows])
        for field in ("statistic", "p_value", "effect"):
            np.testing.assert_allclose(getattr(part, field), getattr(together, field)[rows], rtol=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_padding_with_cells_empty_on_both_sides_changes_nothing(name):
    rng = np.random.default_rng(9)
    reference, current = rng.integers(0, 30, (5, 40)), rng.integers(0, 5, (5, 40))
    position = np.sort(rng.normal(size=(5, 40)), axis=1)
    padded = [np.pad(counts, ((0, 0), (0, 9))) for counts in (reference, current)]
    wide = np.pad(position, ((0, 0), (0, 9)), mode="edge")
    test = registry.window(name)
    kinds = [(position, wide)] * (ColumnKind.NUMERIC in test.kinds) + [(None, None)] * (
        ColumnKind.CATEGORY in test.kinds
    )
    assert kinds
    for narrow_position, wide_position in kinds:
        narrow, padded_said = test.compare(reference, current, narrow_position), test.compare(*padded, wide_position)
        for field in ("statistic", "p_value", "effect"):
            np.testing.assert_allclose(getattr(padded_said, field), getattr(narrow, field), rtol=1e-12)


@pytest.mark.parametrize("name", NAMES)
def test_a_column_empty_on_either_side_is_nan_and_leaves_the_others_alone(name):
    reference = np.array([[0, 0, 0], [4, 4, 4], [0, 0, 0], [40, 40, 40]])
    current = np.array([[1, 1, 1], [0, 0, 0], [0, 0, 0], [60, 10, 10]])
    position = np.tile([1.0, 2.0, 3.0], (4, 1))
    said = registry.window(name).compare(reference, current, position)
    for field in (said.statistic, said.effect, said.p_value):
        assert np.isnan(field[:3]).all()
    assert said.statistic[3] > 0
    assert said.effect[3] > 0


@pytest.mark.parametrize("name", NAMES)
def test_no_columns_and_no_cells_are_no_error(name):
    test = registry.window(name)
    assert test.compare(np.zeros((0, 4), np.int64), np.zeros((0, 4), np.int64), np.zeros((0, 4))).effect.shape == (0,)
    nothing = test.compare(np.zeros((2, 0), np.int64), np.zeros((2, 0), np.int64), np.zeros((2, 0)))
    assert np.isnan(nothing.effect).tolist() == [True, True]


@pytest.mark.parametrize("name", NAMES)
def test_two_sides_with_one_and_the_same_value_are_alike_for_certain(name):
    said = registry.window(name).compare(np.array([[0, 9, 0]]), np.array([[0, 4, 0]]), np.array([[1.0, 2.0, 3.0]]))
    assert (said.statistic.item(), said.effect.item(), said.p_value.item()) == (0.0, 0.0, 1.0)


@pytest.mark.parametrize("name", NAMES)
def test_the_example_in_the_docstring_is_true(name):
    module = importlib.import_module(type(registry.window(name)).__module__)
    results = doctest.testmod(module)
    assert (results.failed, results.attempted > 0) == (0, True)


def test_absolute_differences_have_the_covariance_of_absolute_normals():
    r = np.linspace(0, 1, 101)
    series = sum(factor * r ** (2 * power) for power, factor in enumerate(folded._SERIES, start=1))
    np.testing.assert_allclose(series, r * np.arcsin(r) + np.sqrt(1 - r**2) - 1, atol=0.005)


def test_the_law_of_total_variation_has_the_mean_and_variance_of_simulated_windows():
    rng = np.random.default_rng(12)
    weights = np.array([[0.6, 0.2, 0.1, 0.06, 0.04]])
    n, m = 4000, 500
    distances = (
        np.abs(rng.multinomial(n, weights[0], 20_000) / n - rng.multinomial(m, weights[0], 20_000) / m).sum(1) / 2
    )
    spread = np.sqrt(weights * (1 - weights) * (1 / n + 1 / m)) / 2
    odds = weights / (1 - weights)
    together = folded._covariance(spread, odds, spread, odds)
    mean = np.sqrt(2 / np.pi) * spread.sum()
    variance = 2 / np.pi * (folded._AT_ONE * np.square(spread).sum() + 2 * together.item())
    assert distances.mean() == pytest.approx(mean, rel=0.01)
    assert distances.var() == pytest.approx(variance, rel=0.03)


def test_bins_of_a_smooth_column_have_equal_baseline_mass():
    profile = NumericProfile.of(np.random.default_rng(0).normal(size=10_000))
    bins, _ = coarsened(profile.counts[np.newaxis], profile.counts[np.newaxis], 10)
    assert np.abs(bins - 1000).max() < 10_000 / 239


def test_values_beyond_a_constant_baseline_have_bins_of_their_own():
    bins = coarsened(np.array([[0, 9, 0]]), np.array([[2, 3, 4]]), 10)
    assert bins[0][0].tolist() == [0, 0, 0, 0, 0, 9, 0, 0, 0, 0]
    assert bins[1][0].tolist() == [2, 0, 0, 0, 0, 3, 0, 0, 0, 4]


def test_pooling_leaves_no_rare_cell_and_loses_no_value():
    rng = np.random.default_rng(1)
    for words in (2, 10, 300):
        weights = rng.dirichlet(np.full(words, 0.3), 50)
        reference = np.array([rng.multinomial(2000, w) for w in weights])
        current = np.array([rng.multinomial(150, w) for w in weights])
        pooled = sturdy(reference, current, 5.0)
        both = pooled[0] + pooled[1]
        assert (both[both > 0] * 150 / 2150 >= 5.0).all()
        for before, after in zip((reference, current), pooled, strict=True):
            np.testing.assert_array_equal(before.sum(axis=1), after.sum(axis=1))


BINNED = sorted(set(NUMERIC) & set(CATEGORY))


@pytest.mark.parametrize("name", BINNED)
@pytest.mark.parametrize(("n", "m"), [(1000, 50), (30, 30), (300, 40)])
def test_p_values_of_bins_are_honest_where_about_as_many_values_are_expected_as_a_bin_needs(name, n, m):
    """Bins made by the baseline may not be pooled by what the window holds: then the low ones would be joined."""
    position, reference, current = unchanged_rows(n, m)
    p = registry.window(name).compare(reference, current, position).p_value
    assert np.mean(p < 0.01) < 0.022
    assert np.mean(p < 0.05) < 0.08


@pytest.mark.parametrize("name", BINNED)
def test_values_that_the_baseline_never_held_are_no_chance_however_few_were_expected(name):
    test = registry.window(name)
    words = test.compare(np.array([[5000, 5000, 0]]), np.array([[500, 500, 20]]))
    assert words.p_value.item() < 1e-12
    constant = test.compare(np.array([[0, 9000, 0]]), np.array([[0, 50, 50]]), np.array([[0.0, 1.0, 2.0]]))
    assert constant.p_value.item() < 1e-12
    vanished = test.compare(np.array([[50, 50, 4]]), np.array([[5000, 5000, 0]]))
    assert vanished.p_value.item() < 1e-4


@pytest.mark.parametrize("name", BINNED)
def test_a_word_too_rare_for_a_cell_of_its_own_cries_no_wolf(name):
    rng = np.random.default_rng(14)
    weights = [0.5, 0.49, 0.007, 0.003]
    p = registry.window(name).compare(rng.multinomial(3000, weights, 4000), rng.multinomial(200, weights, 4000)).p_value
    assert np.mean(p < 0.01) < 0.014
    assert np.mean(p < 0.1) < 0.12


def test_pooling_leaves_cells_alone_that_are_not_rare():
    reference, current = np.array([[50, 50]]), np.array([[10, 10]])
    assert sturdy(reference, current, 5.0)[0] is reference
