"""False-discovery control across the tests of a window."""

import doctest

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from anchorwatch_detectors import correction
from anchorwatch_detectors.correction import benjamini_hochberg, benjamini_yekutieli

P_VALUES = st.lists(st.floats(0, 1) | st.sampled_from([0.0, 0.01, 1.0, float("nan")]), max_size=30)


@pytest.mark.parametrize(("adjust", "method"), [(benjamini_hochberg, "bh"), (benjamini_yekutieli, "by")])
@given(p_values=P_VALUES)
def test_adjusted_p_values_are_scipy_s_and_nan_is_no_test(adjust, method, p_values):
    p = np.array(p_values)
    adjusted = adjust(p_values)
    known = ~np.isnan(p)
    np.testing.assert_array_equal(np.isnan(adjusted), ~known)
    if known.any():
        np.testing.assert_allclose(adjusted[known], false_discovery_control(p[known], method=method), rtol=1e-13)


def test_among_unchanged_columns_with_a_few_changed_ones_few_of_those_called_are_unchanged():
    rng = np.random.default_rng(0)
    wrong = []
    for _ in range(400):
        p = np.r_[rng.random(90), rng.beta(0.01, 1, 10)]
        called = benjamini_hochberg(p) <= 0.1
        wrong.append(called[:90].sum() / max(called.sum(), 1))
    assert np.mean(wrong) == pytest.approx(0.09, abs=0.02)


@pytest.mark.parametrize("bad", [-0.1, 1.1])
def test_what_is_no_probability_is_refused(bad):
    with pytest.raises(ValueError, match=r"p-values lie in \[0, 1\]"):
        benjamini_hochberg([0.5, bad])


def test_the_examples_in_the_docstrings_are_true():
    assert doctest.testmod(correction).failed == 0
