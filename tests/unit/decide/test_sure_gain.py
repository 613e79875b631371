"""What a retraining gains for certain: the end of the interval that is the worse one, in whatever unit values are."""

from __future__ import annotations

import pytest

from anchorwatch.decide.recovery import Recovery


@pytest.mark.parametrize(
    ("metric", "reached", "low", "high", "current", "gain", "sure"),
    [
        ("accuracy", 0.61, 0.59, 0.63, 0.56, 5.0, 3.0),
        ("average precision", 0.95, 0.92, 0.97, 0.25, 70.0, 67.0),
        ("error", 2.0, 1.9, 2.2, 2.5, 20.0, 12.0),
        ("error", 20_000.0, 19_000.0, 22_000.0, 25_000.0, 20.0, 12.0),
        ("error", 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
        ("accuracy", 0.57, 0.55, 0.59, 0.56, 1.0, -1.0),
    ],
)
def test_the_sure_gain_is_that_at_the_worse_end_of_the_interval(metric, reached, low, high, current, gain, sure):
    found = Recovery(metric, reached, low, high, current, None, 1000)
    assert (found.gain, found.sure_gain) == (pytest.approx(gain), pytest.approx(sure))
