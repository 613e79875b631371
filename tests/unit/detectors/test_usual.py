"""What is usual for a lane is measured on a sample, its dependence included, and what cannot be is refused."""

import numpy as np
import pytest

from anchorwatch_detectors import registry, synth
from anchorwatch_detectors.base import Usual
from anchorwatch_detectors.usual import memory_of, of_sample


def test_moments_are_those_of_the_usable_values_and_a_subject_without_any_has_no_rows():
    found = of_sample([[1.0, 3.0, np.nan, np.inf], [np.nan] * 4], smallest=0.5)
    assert found.mean[0, 0] == 2.0
    assert found.variance[0, 0] == 1.0
    assert found.rows.tolist() == [[2.0, 0.0]]
    assert found.smallest.tolist() == [[0.5, 0.5]]


@pytest.mark.parametrize("memory", [0.0, 0.3, 0.7, 0.9])
def test_memory_is_the_integrated_autocorrelation_time(memory):
    """Of an autoregressive series it is (1 + a) / (1 - a)."""
    found = memory_of(synth.autoregressive(50_000, seed=3, memory=memory))
    assert found == pytest.approx((1 + memory) / (1 - memory), rel=0.12)


@pytest.mark.parametrize("values", [np.ones(1000), np.arange(5.0), np.tile([0.0, 1.0], 500), []])
def test_memory_is_1_where_nothing_else_can_be_said(values):
    assert memory_of(values) == 1.0


@pytest.mark.parametrize(
    "wrong",
    [
        {"mean": np.zeros((1, 2))},
        {"mean": np.full((1, 1), np.nan)},
        {"variance": np.full((1, 1), -1.0)},
        {"variance": np.full((1, 1), np.inf)},
        {"rows": np.full((1, 1), -1.0)},
        {"smallest": np.full((1, 1), np.nan)},
        {"memory": np.full((1, 1), 0.5)},
    ],
)
def test_a_baseline_that_cannot_be_is_refused(wrong):
    one = np.ones((1, 1))
    with pytest.raises(ValueError, match="baseline"):
        Usual(**{"mean": one, "variance": one, "rows": one, "smallest": one, "memory": one} | wrong)


@pytest.mark.parametrize("name", ["shiryaev_roberts", "shiryaev_roberts_ranks"])
def test_a_baseline_of_another_unit_is_refused(name):
    with pytest.raises(ValueError, match="baseline of another subject"):
        registry.sequential(name).start(1, 1, of_sample([[20.0, 30.0]]))
