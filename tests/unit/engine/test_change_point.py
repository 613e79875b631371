"""The most likely change point of a lane, and how far beyond noise it is."""

import math

import numpy as np
import pytest

from anchorwatch.engine.change_point import Usually, change_of, latest_change
from anchorwatch.engine.past import BLOCK, BLOCKS, RECENT, Past, Tail


def tail(values):
    """Return the past of a lane that ends with these values, none of them in blocks."""
    none = np.empty(0, np.float32)
    return Tail(np.asarray(values, np.float32), none, none, len(values))


def naively(recent, usual, variance):
    """Try every suffix."""
    best = None
    for rows in range(1, len(recent) + 1):
        values = [float(v) for v in recent[-rows:] if not math.isnan(v)]
        if not values:
            continue
        m = sum(values) / len(values)
        nats = sum(p * math.log(p / q) for p, q in ((m, usual), (1 - m, 1 - usual)) if p > 0)
        nats *= len(values) * usual * (1 - usual) / variance
        if best is None or nats > best[3] + 1e-12:
            best = rows, len(values), m, nats
    return best


@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_the_change_is_the_best_of_all_suffixes(missing):
    """By the likelihood ratio of Bernoulli laws, scaled to the variance of the values; rows without a value pass."""
    rng = np.random.default_rng(3)
    ranks = np.concatenate([rng.random(200), 0.3 + 0.7 * rng.random(60)]).astype(np.float32)
    ranks[rng.random(260) < missing] = np.nan
    change = latest_change(tail(ranks), 0.5, 1 / 12)
    assert tuple(change)[:4] == pytest.approx(naively(ranks, 0.5, 1 / 12))
    assert 50 <= change.rows <= 80
    assert change.beyond_noise is not bool(missing)


def test_a_few_errors_in_a_row_are_no_change_point():
    """Five in fourteen where one in twenty is usual beat a long and lesser rise by the normal law, and are noise."""
    rise = (np.arange(400) % 9 == 0).astype(np.float64)
    recent = np.concatenate([rise, [1, 0, 1, 1, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0]]).astype(np.float32)
    assert latest_change(tail(recent), 0.05, 0.0475).rows > 300


def test_values_that_hang_together_need_more_of_them():
    values = (0.5 + 0.12 * np.ones(400)).astype(np.float32)
    assert latest_change(tail(values), 0.5, 1 / 12).beyond_noise
    assert not latest_change(tail(values), 0.5, 6 / 12).beyond_noise


def test_errors_where_the_baseline_had_none_are_a_change():
    """The share of the baseline is 0, its variance too: nothing is divided by either."""
    change = latest_change(tail([0.0] * 50 + [1.0] * 5), 0.0, 0.0)
    assert (change.rows, change.values, change.mean) == (5, 5, 1.0)
    assert change.beyond_noise


def test_a_column_without_a_baseline_gives_no_change():
    assert not latest_change(tail([0.1, 0.9]), math.nan, math.nan).beyond_noise


def past_of(values, cuts=()):
    """Return the past of one lane after all of its values but the last ten, which are not taken, and those."""
    past = Past.fresh((1, 1))
    for part in np.split(values[:-10], cuts):
        past.add(0, part[np.newaxis])
        past = Past.from_plain(past.to_plain()).copy()
    return past, values[-10:]


@pytest.mark.parametrize("n", [1500, 1024 + 130, 20_000])
@pytest.mark.parametrize("cuts", [(), (1,), (127, 128, 129, 1000), tuple(range(100, 1100, 100))])
def test_the_past_is_the_same_however_it_was_cut_and_its_blocks_add_up(n, cuts):
    values = np.random.default_rng(n).random(n)
    values[::7] = np.nan
    past, rest = past_of(values, cuts)
    found, whole = past.tail(0, 0, rest), past_of(values)[0].tail(0, 0, rest)
    assert all(np.array_equal(a, b, equal_nan=True) for a, b in zip(found, whole, strict=True))
    assert np.array_equal(found.recent[-min(n, RECENT) :], values[-RECENT:].astype(np.float32), equal_nan=True)
    full = min(n // BLOCK, BLOCKS)
    blocks = values[n - n % BLOCK - full * BLOCK : n - n % BLOCK].reshape(full, BLOCK)
    assert found.inside == n % BLOCK
    assert found.number[-full:] == pytest.approx((~np.isnan(blocks)).sum(axis=1))
    assert found.total[-full:] == pytest.approx(np.nansum(blocks, axis=1), rel=1e-5)


@pytest.mark.parametrize("age", [300, 3000, 12_000])
def test_a_change_is_found_as_far_back_as_the_past_reaches(age):
    """Within a few rows while they are remembered one by one, to a few blocks behind; the interval holds the truth."""
    rng = np.random.default_rng(age)
    values = np.concatenate([rng.random(20_000) < 0.1, rng.random(age) < 0.2]).astype(float)
    past, rest = past_of(values)
    change = latest_change(past.tail(0, 0, rest), 0.1, 0.09)
    assert change.nearest <= change.rows <= change.farthest
    assert change.nearest <= age <= change.farthest
    assert abs(change.rows - age) < 250
    assert change.values == change.rows
    assert change.mean == pytest.approx(0.2, abs=0.04)


def test_the_interval_holds_the_truth_nearly_always_and_is_narrow():
    inside, widths = 0, []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        values = np.concatenate([rng.random(800) < 0.1, rng.random(200) < 0.35]).astype(np.float32)
        change = latest_change(tail(values), 0.1, 0.09)
        inside += change.nearest <= 200 <= change.farthest
        widths.append(change.farthest - change.nearest)
    assert inside >= 185
    assert np.median(widths) < 60


UNIFORM = Usually(0.5, 1 / 12, 1 / 12, 1 / 180)


def test_a_change_of_spread_is_told_by_the_squared_distance():
    """Ranks between a quarter and three quarters: the mean stays, the mean square falls to a quarter."""
    rng = np.random.default_rng(1)
    ranks = np.concatenate([rng.random(500), 0.25 + 0.5 * rng.random(100)])
    change = change_of(tail(ranks), 100, 0.5, UNIFORM)
    assert change.spread
    assert change.rows == 100
    assert change.mean == pytest.approx(1 / 48, rel=0.2)


def test_a_change_of_the_mean_is_no_change_of_spread():
    rng = np.random.default_rng(1)
    ranks = np.concatenate([rng.random(500), 0.4 + 0.6 * rng.random(100)])
    change = change_of(tail(ranks), 90, 0.7, UNIFORM)
    assert not change.spread
    assert abs(change.rows - 100) < 25


def test_a_change_from_before_all_that_is_remembered_is_the_detectors_own():
    ranks = np.random.default_rng(1).random(1000)
    change = change_of(tail(ranks), 50_000, 0.515, UNIFORM)
    assert (change.rows, change.values, change.mean) == (50_000, 50_000, 0.515)
    assert change.farthest >= 50_000


def test_a_change_lies_no_farther_back_than_may_be_looked():
    """Errors, a calm time, errors again: the first of them are a drift that is over."""
    past = tail(np.repeat([1.0, 0.0, 1.0], [300, 200, 40]))
    assert latest_change(past, 0.1, 0.09).rows == 540
    change = latest_change(past._replace(reach=100), 0.1, 0.09)
    assert (change.rows, change.values, change.mean) == (40, 40, 1.0)
    assert change.farthest <= 100


def test_what_a_detector_says_of_a_change_reaches_no_farther_back_either():
    ranks = np.random.default_rng(1).random(1000)
    change = change_of(tail(ranks)._replace(reach=300), 50_000, 0.515, UNIFORM)
    assert (change.rows, change.values, change.farthest) == (300, 300, 300)
