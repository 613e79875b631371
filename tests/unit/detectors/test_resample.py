"""Block bootstrap: rows stay whole, neighbours stay neighbours, every row is as likely."""

import numpy as np
import pytest

from anchorwatch_detectors import synth
from anchorwatch_detectors.resample import block_length, circular_blocks
from anchorwatch_detectors.usual import memory_of

ROWS = 10_000


def test_blocks_are_as_long_as_the_longest_memory_of_the_columns_asks_for():
    independent, dependent = synth.normal(ROWS, 1), synth.autoregressive(ROWS, 2, 0.7)
    assert block_length([independent, independent]) == 1
    assert block_length([independent, dependent]) == block_length([dependent]) == np.ceil(20 * memory_of(dependent))
    assert block_length([synth.autoregressive(ROWS, 3, 0.99)]) <= ROWS // 10


def test_values_that_are_missing_do_not_hide_the_memory():
    dependent = synth.autoregressive(ROWS, 2, 0.7)
    dependent[::1000] = np.nan
    assert 80 < block_length([dependent]) < 150


def test_a_resampled_stream_keeps_the_autocorrelation_and_rows_drawn_one_by_one_lose_it():
    """The autocorrelation time of an autoregression of 0.7 is 5.7."""
    values = synth.autoregressive(ROWS, 4, 0.7)
    rng = np.random.default_rng(1)
    kept = values[circular_blocks(ROWS, block_length([values]), 100_000, rng)]
    lost = values[circular_blocks(ROWS, 1, 100_000, rng)]
    assert 4.8 < memory_of(kept) < 6.4
    assert memory_of(lost) == 1.0
    assert np.corrcoef(kept[1:], kept[:-1])[0, 1] == pytest.approx(0.7, abs=0.03)


def test_every_row_is_as_likely_as_any_other_whatever_the_blocks():
    places = circular_blocks(50, 7, 200_000, np.random.default_rng(2))
    counts = np.bincount(places, minlength=50)
    assert np.abs(counts / 4000 - 1.0).max() < 0.12
    assert (np.diff(places) % 50 == 1).mean() > 6 / 7


def test_the_same_state_of_chance_gives_the_same_stream_of_the_length_asked_for():
    first, again = (circular_blocks(100, 9, 1234, np.random.default_rng(3)) for _ in range(2))
    assert len(first) == 1234
    assert np.array_equal(first, again)


@pytest.mark.parametrize(("rows", "length"), [(0, 1), (10, 0)])
def test_an_empty_sample_or_block_is_refused(rows, length):
    with pytest.raises(ValueError, match="1 row or more"):
        circular_blocks(rows, length, 5, np.random.default_rng(1))
