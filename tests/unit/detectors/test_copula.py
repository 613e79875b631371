"""Streams drawn from profiles: their margins, rank correlation and memory are those of the sample."""

import json

import numpy as np
import pytest
from scipy.stats import spearmanr

from anchorwatch_detectors import synth
from anchorwatch_detectors.copula import Dependence
from anchorwatch_detectors.profile import CategoryProfile, NumericProfile
from anchorwatch_detectors.usual import memory_of

ROWS = 20_000


def sample():
    """Return columns that hang together: lognormal, its opposite, one in few values, words, and one on its own."""
    rng = np.random.default_rng(1)
    common = rng.standard_normal(ROWS)
    a, b, c, d = (0.8 * sign * common + 0.6 * rng.standard_normal(ROWS) for sign in (1, -1, 1, 1))
    return np.exp(a), b**3, np.round(c), np.digitize(d, [0.3, 1.0]), synth.autoregressive(ROWS, 2, 0.7)


def profiles(columns):
    words = CategoryProfile.of(columns[3], ("low", "middle", "high"))
    numbers = {i: NumericProfile.of(columns[i]) for i in (0, 1, 2, 4)}
    cells = [
        numbers[i].cells(columns[i]) if i != 3 else words.cells(columns[3], ("low", "middle", "high")) for i in range(5)
    ]
    everything = [numbers.get(i, words) for i in range(5)]
    ranks = np.array([p.mid_ranks[c] for p, c in zip(everything, cells, strict=True)])
    return everything, ranks


def drawn(size, seed):
    everything, ranks = profiles(sample())
    masses = [p.counts if isinstance(p, CategoryProfile) else p.masses for p in everything]
    uniform = Dependence.of(ranks).draw(masses, size, np.random.default_rng(seed))
    cells = [
        np.searchsorted(np.cumsum(p.counts) / p.n, u, side="right")
        if isinstance(p, CategoryProfile)
        else p.cells(p.ppf(u))
        for p, u in zip(everything, uniform, strict=True)
    ]
    return ranks, uniform, np.array([p.mid_ranks[c] for p, c in zip(everything, cells, strict=True)])


def test_drawn_ranks_are_uniform_so_the_margins_are_those_of_the_profiles():
    _, uniform, _ = drawn(100_000, 5)
    for column in uniform[:4]:
        assert np.abs(np.histogram(column, 20, (0, 1))[0] / 5000 - 1.0).max() < 0.08


def test_drawn_columns_have_the_rank_correlations_of_the_sample_ties_and_words_too():
    ranks, _, again = drawn(100_000, 6)
    before, after = spearmanr(ranks.T).statistic, spearmanr(again.T).statistic
    assert np.abs(before[:4, :4]).min() > 0.3
    assert np.abs(before - after).max() < 0.03


def test_a_drawn_column_has_the_memory_of_the_sample():
    ranks, _, again = drawn(100_000, 7)
    assert memory_of(again[4]) == pytest.approx(memory_of(ranks[4]), rel=0.15)
    assert max(memory_of(column) for column in again[:4]) < 1.2


def test_columns_with_a_memory_keep_their_correlation():
    common, own = (synth.autoregressive(ROWS, seed, 0.8) for seed in (1, 2))
    ranks = np.array([np.argsort(np.argsort(x)) / ROWS for x in (common, 0.8 * common + 0.6 * own)])
    again = Dependence.of(ranks).draw([np.ones(240)] * 2, 100_000, np.random.default_rng(3))
    assert spearmanr(again.T).statistic == pytest.approx(spearmanr(ranks.T).statistic, abs=0.05)


def test_a_dependence_travels_as_json_and_draws_the_same():
    _, ranks = profiles(sample())
    dependence = Dependence.of(ranks)
    again = Dependence.from_plain(json.loads(json.dumps(dependence.to_plain())))
    first, second = (d.draw([np.ones(9)] * 5, 100, np.random.default_rng(1)) for d in (dependence, again))
    assert np.array_equal(first, second)


def test_missing_values_and_constants_leave_the_other_correlations_as_they_are():
    rng = np.random.default_rng(4)
    u = rng.random((3, 5000))
    u[1] = u[0]
    u[0, ::3] = np.nan
    u[2] = 0.5
    found = Dependence.of(u).correlation
    assert found[0, 1] == pytest.approx(1.0, abs=0.01)
    assert found[2].tolist() == [0.0, 0.0, 1.0]


@pytest.mark.parametrize(
    ("plain", "words"),
    [
        ({}, "entries"),
        ({"correlation": [0.1], "memory": [1.0, 1.0, 1.0]}, "3 pairs"),
        ({"correlation": [1.5], "memory": [1.0, 1.0]}, r"\[-1, 1\]"),
        ({"correlation": [0.5], "memory": [0.5, 1.0]}, "at least 1"),
    ],
)
def test_what_describes_no_dependence_is_refused(plain, words):
    with pytest.raises(ValueError, match=words):
        Dependence.from_plain(plain)


def test_a_dependence_of_other_columns_is_refused():
    with pytest.raises(ValueError, match="2 columns, not of 3"):
        Dependence.none(2).draw([np.ones(3)] * 3, 10, np.random.default_rng(1))
