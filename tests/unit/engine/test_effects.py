"""How large a change is, in the unit of what changed."""

import math

import numpy as np
import pytest
from scipy.stats import norm

from anchorwatch.decide.evidence import DEVIATIONS, POINTS, SPREAD, VARIATION
from anchorwatch.engine import effects
from anchorwatch_detectors import registry


@pytest.mark.parametrize("shift", [-2.0, -0.1, 0.0, 0.25, 1.0])
def test_the_mean_rank_of_a_normal_shift_tells_its_size(shift):
    rng = np.random.default_rng(3)
    rank = norm.cdf(rng.standard_normal(200_000) + shift).mean()
    size, unit = effects.of_mean_rank(rank, 0.5)
    assert unit == DEVIATIONS
    assert size == pytest.approx(shift, abs=0.01)


def test_ranks_at_the_end_of_the_baseline_give_a_finite_size():
    assert 5 < effects.of_mean_rank(1.0, 0.5).size < 10


def test_a_rate_is_told_in_percentage_points():
    assert effects.points(0.435 - 0.245) == (pytest.approx(19.0), POINTS)


def test_a_spread_is_told_by_how_much_wider_it_is():
    assert effects.of_spread(0.1 * 1.44, 0.1) == (pytest.approx(0.2), SPREAD)
    assert effects.of_spread(0.0, 0.1).size == -1.0
    assert math.isnan(effects.of_spread(0.1, 0.0).size)


def test_categories_are_told_by_the_share_that_moved():
    assert effects.of_categories(np.array([30, 70]), np.array([500, 500])) == (pytest.approx(0.2), VARIATION)
    assert math.isnan(effects.of_categories(np.array([0, 0]), np.array([500, 500])).size)


def test_every_window_test_has_a_unit_that_says_more_than_its_name_or_its_name():
    """A unit named for a test that does not exist would be a slip."""
    assert set(effects.WINDOW_UNITS) <= set(registry.names("window"))
    assert effects.window_unit("energy_distance") == "energy distance"
    assert effects.window_unit("psi") == "PSI"
