"""The most likely change point of a lane, and how far beyond noise it is."""

import math

import numpy as np
import pytest

from anchorwatch.engine.change_point import latest_change
from anchorwatch.engine.past import Tail


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
