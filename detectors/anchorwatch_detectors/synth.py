"""Seeded streams, stationary and drifting, for tests, checks and calibration: the same seed gives the same stream."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from anchorwatch_detectors.base import Floats


def normal(n: int, seed: int, mean: float = 0.0, std: float = 1.0) -> Floats:
    """Return `n` independent normal values of a mean and a standard deviation."""
    return np.random.default_rng(seed).normal(mean, std, n)


def student_t(n: int, seed: int, freedom: float = 3.0) -> Floats:
    """Return `n` independent values of Student's t with `freedom` degrees of freedom: heavy tails on both sides."""
    return np.random.default_rng(seed).standard_t(freedom, n)


def lognormal(n: int, seed: int, mean: float = 0.0, std: float = 1.0) -> Floats:
    """Return `n` independent values whose logarithm is normal: amounts, latencies."""
    return np.random.default_rng(seed).lognormal(mean, std, n)


def autoregressive(n: int, seed: int, memory: float = 0.7) -> Floats:
    """Return `n` standard normal values, each correlated with the one before by `memory` in (-1, 1).

    The first value has the stationary distribution, so there is no warm-up.
    """
    noise = np.random.default_rng(seed).standard_normal(n)
    noise[1:] *= np.sqrt(1.0 - memory**2)
    values = noise.copy()
    for i in range(1, n):
        values[i] += memory * values[i - 1]
    return values


def bernoulli(n: int, seed: int, p: float) -> Floats:
    """Return `n` independent errors: 1.0 with probability `p`, else 0.0."""
    return (np.random.default_rng(seed).random(n) < p).astype(np.float64)


def abrupt(old: Floats, new: Floats, at: int) -> Floats:
    """Return `old` up to position `at` and `new` from there on.

    Parameters
    ----------
    old, new
        (n,) values before and after.
    at
        Position of the first new value, from 0 (all new) to n (all old).

    Examples
    --------
    >>> abrupt(np.zeros(4), np.ones(4), at=3).tolist()
    [0.0, 0.0, 0.0, 1.0]
    """
    return np.where(np.arange(len(old)) < at, old, new)


def gradual(old: Floats, new: Floats, at: int, width: int, seed: int) -> Floats:
    """Return `old` that turns into `new`: from `at` on, the chance of a new value rises in a line over `width` values.

    Parameters
    ----------
    old, new
        (n,) values before and after.
    at
        Position where new values begin to appear.
    width
        Values until all are new, at least 1.
    seed
        Of the choice between old and new.

    Examples
    --------
    >>> gradual(np.zeros(8), np.ones(8), at=2, width=4, seed=1).tolist()
    [0.0, 0.0, 0.0, 0.0, 1.0, 1.0, 1.0, 1.0]
    """
    chance = np.clip((np.arange(len(old)) - at) / width, 0.0, 1.0)
    return np.where(np.random.default_rng(seed).random(len(old)) < chance, new, old)
