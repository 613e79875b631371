"""Mean outcomes of predictions, estimated from those of predictions like them."""

import numpy as np
import pytest

from anchorwatch_detectors.estimated import BINS, IN_BIN, Curve


def counted(x):
    return np.unique(x, return_counts=True)


def confident(rng, n, a=4.0):
    """Return confidences and outcomes that are right as often as the confidence squared."""
    x = np.round(rng.beta(a, 2.0, n), 3)
    return x, (rng.random(n) < x**2).astype(float)


def test_a_shift_of_confidence_moves_the_estimate_to_what_accuracy_becomes():
    """The scores of the model need not be calibrated, here they say too much."""
    rng = np.random.default_rng(0)
    curve = Curve.of(*confident(rng, 20_000))
    x, right = confident(rng, 50_000, a=2.0)
    found = curve.estimate(*counted(x))
    assert right.mean() < 0.35
    assert found.value == pytest.approx(right.mean(), abs=0.01)
    assert found.n == 50_000


def test_nineteen_of_twenty_windows_lie_in_the_interval():
    rng = np.random.default_rng(1)
    hits = []
    for _ in range(200):
        curve = Curve.of(*confident(rng, 2000))
        x, right = confident(rng, 500)
        found = curve.estimate(*counted(x))
        hits.append(found.low <= right.mean() <= found.high)
    assert 0.91 <= np.mean(hits) <= 0.985


def test_errors_of_values_are_expected_by_the_value():
    """Where errors grow with the value, more large values mean larger errors."""
    rng = np.random.default_rng(2)
    value = rng.gamma(3.0, 10.0, 10_000)
    curve = Curve.of(value, np.abs(rng.normal(0.0, 0.1 * value)))
    more = rng.gamma(4.0, 10.0, 20_000)
    found = curve.estimate(*counted(more))
    assert found.value == pytest.approx(0.1 * np.sqrt(2 / np.pi) * more.mean(), rel=0.06)


def test_values_that_are_missing_and_too_few_are_left_out():
    x = np.full(IN_BIN, 0.5)
    assert Curve.of(x[1:], np.ones(IN_BIN - 1)) is None
    x[0] = np.nan
    assert Curve.of(x, np.ones(IN_BIN)) is None
    assert np.isnan(Curve.of(np.full(IN_BIN, 0.5), np.ones(IN_BIN)).estimate(np.array([0.5]), np.array([0])).value)


def test_every_bin_holds_rows_however_values_are_tied():
    rng = np.random.default_rng(3)
    x = rng.choice([0.0, 0.2, 1.0], 5000, p=[0.9, 0.05, 0.05])
    curve = Curve.of(x, (x > 0).astype(float))
    assert 1 < len(curve.rows) <= BINS
    assert curve.rows.min() > 0
    assert curve.estimate(np.array([0.0]), np.array([10])).value == 0.0
    assert curve.estimate(np.array([1.0]), np.array([10])).value == 1.0


def test_a_curve_comes_back_from_plain_data():
    curve = Curve.of(*confident(np.random.default_rng(4), 1000))
    again = Curve.from_plain(curve.to_plain())
    assert again.to_plain() == curve.to_plain()
    assert again.estimate(np.array([0.7]), np.array([3])) == curve.estimate(np.array([0.7]), np.array([3]))
