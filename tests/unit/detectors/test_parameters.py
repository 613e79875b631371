"""A parameter out of its range is told with its range."""

import math

import pytest

from anchorwatch_detectors.parameters import check_choice, check_real, check_whole


def test_open_ends_exclude_and_closed_ends_include_their_bound():
    check_real("d", "p", 1, least=1, most=1)
    check_real("d", "p", -1e300)
    for bounds in ({"above": 1.0}, {"below": 1.0}, {"least": 1.5}, {"most": 0.5}):
        with pytest.raises(ValueError, match="d: p must be a finite number"):
            check_real("d", "p", 1.0, **bounds)


@pytest.mark.parametrize("wrong", [math.nan, math.inf, "1", None, True])
def test_only_finite_numbers_are_real_parameters(wrong):
    with pytest.raises(ValueError, match="d: p must be a finite number at least 0, not"):
        check_real("d", "p", wrong, least=0.0)


@pytest.mark.parametrize("wrong", [1.0, True, "2", 0, 11])
def test_whole_parameters_are_integers_within_their_bounds(wrong):
    check_whole("d", "p", 1, least=1, most=10)
    check_whole("d", "p", 10, least=1, most=10)
    with pytest.raises(ValueError, match=r"d: p must be a whole number in \[1, 10\]"):
        check_whole("d", "p", wrong, least=1, most=10)


def test_a_choice_is_of_the_same_type_as_what_it_names():
    check_choice("d", "p", value=True, choices=(False, True))
    check_choice("d", "p", "up", ("up", "down"))
    for wrong in (1, "up", None):
        with pytest.raises(ValueError, match="d: p must be one of False, True"):
            check_choice("d", "p", wrong, (False, True))
