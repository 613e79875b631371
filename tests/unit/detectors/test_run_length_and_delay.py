"""The default detectors keep the run length they are set to, and come close to a detector that knows everything."""

import numpy as np
import pytest
from benchmarks import clairvoyant
from benchmarks.delay import waited
from benchmarks.sources import bernoulli, repeated
from scipy.stats import norm, poisson

from anchorwatch_detectors import registry
from anchorwatch_detectors.base import Usual
from anchorwatch_detectors.usual import of_sample

A, LONG = 1000.0, 100_000.0
ERRORS = "shiryaev_roberts", {"average_run_length": A}
RANKS = "shiryaev_roberts_ranks", {"average_run_length": A}


def truth(mean, variance):
    """Return a baseline that is the truth."""
    one = np.ones((1, 1))
    return Usual(one * mean, one * variance, one * 1e15, one * 0.0, one)


def uniform(rng, shape):
    return rng.random(shape)


def shifted(shift):
    return lambda rng, shape: norm.cdf(rng.standard_normal(shape) + shift)


def counted(named, usual, draw, values=1_000_000):
    name, parameters = named
    state = registry.sequential(name, parameters).start(1, 10, repeated(usual, 10))
    return len(state.update(draw(np.random.default_rng(1), (10, values // 10))).event)


@pytest.mark.parametrize("p", [0.01, 0.05, 0.25])
def test_errors_at_the_rate_of_the_baseline_ring_no_more_often_than_asked_for(p):
    found = counted(ERRORS, truth(p, p * (1 - p)), bernoulli(p))
    assert 300 < found <= poisson.ppf(0.99, 1_000_000 / A)


def test_ranks_within_the_baseline_ring_no_more_often_than_asked_for():
    found = counted(RANKS, truth(0.5, 1 / 12), uniform)
    assert 300 < found <= poisson.ppf(0.99, 1_000_000 / A)


@pytest.mark.parametrize("rows", [100, 1000])
def test_a_small_baseline_is_no_excuse(rows):
    """Lanes as many as baselines, each followed for far longer than the baseline it is held against."""
    rng = np.random.default_rng(3)
    values = bernoulli(0.05)(rng, (200, rows + 5000))
    state = registry.sequential(*ERRORS).start(1, 200, of_sample(values[:, :rows], memory=1.0))
    assert len(state.update(values[:, rows:]).event) <= poisson.ppf(0.99, 200 * 5000 / A)


def mean_delay(named, usual, draws):
    name, parameters = named
    rng = np.random.default_rng(2)
    state = registry.sequential(name, {**parameters, "average_run_length": LONG}).start(1, 300, repeated(usual, 300))
    state.update(draws[0](rng, (300, 3000)))
    return waited(state, draws[1], rng, 20_000).mean()


@pytest.mark.parametrize(("p", "q"), [(0.05, 0.075), (0.05, 0.1), (0.25, 0.5)])
def test_a_rise_of_errors_takes_at_most_a_quarter_longer_than_where_both_rates_are_known(p, q):
    found = mean_delay(ERRORS, truth(p, p * (1 - p)), (bernoulli(p), bernoulli(q)))
    best = clairvoyant.delay(clairvoyant.of_errors(p, q), LONG)
    assert 0.9 * best < found < 1.25 * best


@pytest.mark.parametrize("shift", [0.25, 0.5, 1.0])
def test_a_shift_of_ranks_takes_at_most_half_longer_than_where_it_is_known(shift):
    found = mean_delay(RANKS, truth(0.5, 1 / 12), (uniform, shifted(shift)))
    best = clairvoyant.delay(clairvoyant.of_shift(shift), LONG)
    assert 0.9 * best < found < 1.5 * best
