"""Rows are brought into the order of a key, and into groups, as the slow ways would."""

import numpy as np
import pytest

from anchorwatch.engine.grouping import grouped, order_of, places


@pytest.mark.parametrize("most", [5, 2**63])
def test_rows_are_ordered_by_their_key_and_equal_ones_stay_as_they_came(most):
    keys = np.random.default_rng(0).integers(0, most, 2000).astype(np.uint64)
    assert order_of(keys).tolist() == np.argsort(keys, kind="stable").tolist()


def test_keys_are_placed_before_their_equals():
    rng = np.random.default_rng(1)
    rising, keys = np.sort(rng.integers(0, 50, 30).astype(np.uint64)), rng.integers(0, 60, 100).astype(np.uint64)
    assert places(rising, keys).tolist() == np.searchsorted(rising, keys, side="left").tolist()


def test_rows_are_grouped_by_number_in_their_order_and_those_left_out_are_in_no_group():
    number, mask = np.array([3, -1, 3, 2, 7, 2]), np.array([True, True, True, True, False, True])
    found = [(n, rows.tolist()) for n, rows in grouped(number, mask)]
    assert found == [(-1, [1]), (2, [3, 5]), (3, [0, 2])]


def test_where_all_rows_are_of_one_group_or_there_are_none_nothing_is_sorted():
    assert [(n, rows.tolist()) for n, rows in grouped(np.array([4, 4]), np.ones(2, np.bool_))] == [(4, [0, 1])]
    assert grouped(np.empty(0, np.int64), np.empty(0, np.bool_)) == []
