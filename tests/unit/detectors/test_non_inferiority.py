"""Windows that are held against a margin, one after the other."""

import math

import numpy as np
import pytest

from anchorwatch_detectors.non_inferiority import standing

ERROR, SHARED = 0.02, 0.01


def windows(seed, k, excess):
    """Return how much worse than the margin k windows are, the baseline's own error in all of them."""
    rng = np.random.default_rng(seed)
    return excess + rng.normal(0, SHARED) + rng.normal(0, ERROR, k)


def first_alarm(worse, between):
    """Return the number of the window that reaches the bound; None for none of them."""
    variance = np.full(len(worse), ERROR**2)
    for k in range(1, len(worse) + 1):
        if standing(worse[max(k - 64, 0) : k], variance[max(k - 64, 0) : k], SHARED**2, 0.04).evidence >= between:
            return k
    return None


def test_false_alarms_at_the_margin_are_no_more_than_allowed():
    """A metric that is exactly at the margin, the worst case, alarms once in 200 windows at most."""
    alarms = [first_alarm(windows(seed, 100, 0.0), math.log(200.0)) for seed in range(200)]
    assert sum(a is not None for a in alarms) / 200 < 0.5


def test_a_metric_within_the_margin_is_far_from_an_alarm():
    alarms = [first_alarm(windows(seed, 100, -0.02), math.log(200.0)) for seed in range(100)]
    assert sum(a is not None for a in alarms) <= 5


@pytest.mark.parametrize(("excess", "soon"), [(0.2, 1), (0.1, 2), (0.06, 6)])
def test_the_larger_the_excess_the_sooner_it_is_told(excess, soon):
    alarms = [first_alarm(windows(seed, 60, excess), math.log(10_000.0)) for seed in range(60)]
    assert all(a is not None for a in alarms if excess > 0.06)
    assert np.median([60 if a is None else a for a in alarms]) <= soon


def test_the_change_is_placed_at_the_window_with_which_it_began():
    found = []
    for seed in range(50):
        worse = np.concatenate([windows(seed, 20, -0.02), windows(seed, 4, 0.12)])
        found.append(standing(worse, np.full(24, ERROR**2), SHARED**2, 0.04).since)
    assert np.mean([abs(since - 20) <= 1 for since in found]) > 0.9


def test_one_window_gives_the_likelihood_ratio_of_its_definition():
    """The mixture over drifts, integrated by hand over a fine grid."""
    worse, error, shared, scale = 0.03, 0.02, 0.01, 0.04
    variance = error**2 + shared**2
    drifts = np.linspace(0, 0.6, 400_001)
    prior = 2 / (scale * math.sqrt(2 * math.pi)) * np.exp(-0.5 * (drifts / scale) ** 2)
    ratio = np.exp((drifts * worse - drifts**2 / 2) / variance)
    expected = math.log(np.trapezoid(prior * ratio, drifts))
    found = standing(np.array([worse]), np.array([error**2]), shared**2, scale)
    assert found.evidence == pytest.approx(expected, rel=1e-6)
