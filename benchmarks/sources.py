"""What detectors are fed: errors whose rate rises, and ranks of normal values that shift."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from benchmarks import clairvoyant

from anchorwatch_detectors.base import Usual
from anchorwatch_detectors.profile import NumericProfile
from anchorwatch_detectors.usual import of_sample

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.clairvoyant import Walk
    from benchmarks.contenders import Kind

    from anchorwatch_detectors.base import Floats

    Draw = Callable[[np.random.Generator, tuple[int, int]], Floats]

BASELINE = 1_000_000
"""Rows of the baseline."""


class Change(NamedTuple):
    """What comes after a change: its name, its values, and what the clairvoyant CUSUM sums."""

    name: str
    draw: Draw
    walk: Walk


class Source(NamedTuple):
    """What comes before a change: its kind, its values, their baseline, and the changes that follow."""

    kind: Kind
    draw: Draw
    usual: Usual
    changes: tuple[Change, ...]


def sources() -> Iterator[Source]:
    """Yield errors at three rates, and normal values as ranks within the profile of their baseline."""
    rng = np.random.default_rng(0)
    for p in (0.01, 0.05, 0.25):
        rates = {ratio: min(p * ratio, 0.999) for ratio in (1.25, 1.5, 2.0, 4.0)}
        changes = (
            Change(f"errors {p:g} x {ratio:g}", bernoulli(q), clairvoyant.of_errors(p, q)) for ratio, q in rates.items()
        )
        yield Source("errors", bernoulli(p), of_sample(bernoulli(p)(rng, (1, BASELINE)), memory=1.0), tuple(changes))
    sample = rng.standard_normal(BASELINE)
    profile = NumericProfile.of(sample)
    changes = (
        Change(f"normal + {shift:g}", ranked(shift, profile), clairvoyant.of_shift(shift))
        for shift in (0.1, 0.25, 0.5, 1.0)
    )
    usual = of_sample(profile.cdf(sample)[np.newaxis], memory=1.0)
    yield Source("ranks", ranked(0.0, profile), usual, tuple(changes))


def bernoulli(p: float) -> Draw:
    """Return errors at a rate."""
    return lambda rng, shape: (rng.random(shape, dtype=np.float32) < p).astype(np.float64)


def ranked(shift: float, profile: NumericProfile) -> Draw:
    """Return ranks, within a profile, of normal values with a mean."""
    return lambda rng, shape: profile.cdf((rng.standard_normal(shape) + shift).ravel()).reshape(shape)


def repeated(usual: Usual, count: int) -> Usual:
    """Return a baseline of one lane for `count` lanes."""
    names = ("mean", "variance", "rows", "smallest", "memory")
    return Usual(*(np.repeat(getattr(usual, name), count, axis=1) for name in names))
