"""A cycle of the day or week is found where there is one, and not where values only have a memory."""

import numpy as np
import pytest

from anchorwatch.engine.baseline import Rows, summarise
from anchorwatch.engine.cycles import SIGNIFICANCE, find, proposed
from anchorwatch_detectors import synth

HOUR = 3600 * 10**9
START = 1_777_593_600 * 10**9  # a Friday, 00:00 UTC


def times(seed, days, n=5000, busy=0.9):
    """Return hours at which rows come, more of them by day."""
    rng = np.random.default_rng(seed)
    hours = np.sort(rng.uniform(0, 24 * days, 2 * n))
    return hours[rng.random(2 * n) < 0.5 + busy / 2 * np.sin(2 * np.pi * hours / 24)]


def found(hours, **columns):
    """Return what is found in columns: floats are numbers, integers are words."""
    n, words = len(hours), tuple("abcde")
    none = np.zeros(n, np.uint8)
    rows = Rows(
        START + (hours * HOUR).astype(np.int64),
        np.zeros((n, 2), np.uint64),
        {name: (values, none) for name, values in columns.items() if values.dtype.kind == "f"},
        {name: (values.astype(np.int32), words, none) for name, values in columns.items() if values.dtype.kind == "i"},
    )
    return find(rows, summarise(rows, []))


@pytest.mark.parametrize("seed", range(5))
def test_a_daily_cycle_of_numbers_and_of_words_is_found_with_its_strength(seed):
    """Half a standard deviation either way, mostly by day: 7 % of the variance; that of the word is weaker."""
    hours = times(seed, 14)
    n, rng, day = len(hours), np.random.default_rng(seed), np.sin(2 * np.pi * hours / 24)
    word = np.where(rng.random(n) < 0.2 + 0.15 * day, 0, rng.integers(1, 5, n))
    cycles = found(hours, amount=0.5 * day + rng.normal(size=n), word=word, flat=rng.normal(size=n))
    assert [(f.column, f.cycle) for f in cycles] == [("amount", "day"), ("word", "day")]
    assert cycles[0].strength == pytest.approx(0.07, abs=0.02)
    assert cycles[0].p_value < SIGNIFICANCE
    assert proposed(cycles) == "day"


@pytest.mark.parametrize("seed", range(5))
def test_a_weekly_cycle_is_found_and_asks_for_a_week(seed):
    hours = times(seed, 28)
    rng = np.random.default_rng(seed)
    weekend = (hours // 24).astype(int) % 7 == 1
    cycles = found(hours, amount=2.0 * weekend + rng.normal(size=len(hours)), flat=rng.normal(size=len(hours)))
    assert [(f.column, f.cycle) for f in cycles] == [("amount", "week")]
    assert proposed(cycles) == "week"


@pytest.mark.parametrize("days", [3, 7, 16])
def test_noise_memory_trends_and_busy_hours_are_no_cycle(days):
    """At a significance of 0.001 for everything together there is hardly ever one: none in these 25 logs."""
    for seed in range(25):
        hours = times(seed, days, 2500)
        n, rng = len(hours), np.random.default_rng(seed + 100)
        columns = {
            "noise": rng.normal(size=n),
            "autoregressive": synth.autoregressive(n, seed, 0.7),
            "slow": synth.autoregressive(n, seed, 0.999),
            "trend": np.arange(n) / n + rng.normal(size=n),
            "word": rng.integers(0, 5, n),
        }
        assert found(hours, **columns) == []


def test_less_than_two_days_say_nothing_of_a_cycle():
    hours = times(0, 1.9)
    assert found(hours, amount=np.sin(2 * np.pi * hours / 24)) == []
    assert proposed([]) is None
