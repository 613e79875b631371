"""The clairvoyant CUSUM that is solved is the one that is simulated."""

import math

import numpy as np
import pytest
from benchmarks import clairvoyant

from anchorwatch_detectors import registry
from anchorwatch_detectors.base import Usual

WALKS = [
    (clairvoyant.of_shift(0.5), lambda rng, n: 0.5 * rng.standard_normal(n) - 0.125),
    (
        clairvoyant.of_errors(0.1, 0.3),
        lambda rng, n: np.where(rng.random(n) < 0.1, math.log(3), math.log(7 / 9)),
    ),
]


@pytest.mark.parametrize(("walk", "draw"), WALKS, ids=["normal", "errors"])
def test_its_run_length_is_that_of_a_simulation(walk, draw):
    """A CUSUM of the library, which standardises values: here they are the steps, and nothing is let pass."""
    cells = -walk.steps[0] if len(walk.steps) == 2 else clairvoyant.CELLS / 0.5
    unit = math.log(9 / 7) / cells if len(walk.steps) == 2 else 1 / cells
    height = round(3.0 / unit)
    one = np.ones((1, 1))
    usual = Usual(0.0 * one, one, 1e18 * one, 0.0 * one, one)
    cusum = registry.sequential("cusum", {"reference": 0.0, "threshold": (height - 0.5) * unit, "mode": "up"})
    steps = draw(np.random.default_rng(1), 400_000)
    found = cusum.start(1, 1, usual).update(steps[np.newaxis])
    assert clairvoyant.solved(walk, height)[0] == pytest.approx(len(steps) / len(found.event), rel=0.08)


def test_its_delay_grows_with_the_run_length_and_falls_with_the_change():
    lengths = [clairvoyant.delay(clairvoyant.of_errors(0.05, 0.1), length) for length in (1e3, 1e4, 1e5, 1e6)]
    assert lengths == sorted(lengths)
    rates = [clairvoyant.delay(clairvoyant.of_errors(0.05, q), 1e5) for q in (0.06, 0.1, 0.2, 0.9)]
    assert rates == sorted(rates, reverse=True)


def test_steps_up_and_down_balance_as_a_likelihood_ratio_must():
    for walk, _ in WALKS:
        assert walk.before.sum() == pytest.approx(1)
        assert walk.after.sum() == pytest.approx(1)
        assert walk.steps @ walk.before < 0 < walk.steps @ walk.after
