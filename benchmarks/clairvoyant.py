"""The clairvoyant CUSUM: it knows both distributions, so nothing with its run length is quicker (Lorden, Moustakides).

It sums the logarithm of the likelihood ratio, a sum that never falls below 0, up to a threshold. On a lattice of sums
its average run length and its mean delay are solutions of linear equations (Brook and Evans), so nothing here is drawn
by chance.

References
----------
Brook, D., Evans, D. A. (1972). An approach to the probability distribution of CUSUM run length. Biometrika 59 (3),
539-549.
Moustakides, G. V. (1986). Optimal stopping times for detecting changes in distributions. Annals of Statistics 14 (4),
1379-1387.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.linalg import solve_banded
from scipy.stats import norm

if TYPE_CHECKING:
    from anchorwatch_detectors.base import Floats, Ints

CELLS = 30
"""Cells of the lattice for one standard deviation of a step."""
ROUNDING = 0.005
"""By what share a step of errors may be off so that both steps lie on one lattice."""


class Walk(NamedTuple):
    """Steps of the sum of logarithms, in cells of a lattice.

    Attributes
    ----------
    steps
        (k,) all steps there are, increasing.
    before, after
        (k,) their chances before and after the change.
    """

    steps: Ints
    before: Floats
    after: Floats


def of_errors(p: float, q: float) -> Walk:
    """Return the steps for errors whose rate goes from p to q > p, both in (0, 1)."""
    rise, fall = math.log(q / p), math.log((1 - p) / (1 - q))
    short, long = min(rise, fall), max(rise, fall)
    parts = next(n for n in range(1, 1000) if abs(round(n * long / short) * short / (n * long) - 1) < ROUNDING)
    cells = (parts, round(parts * long / short))
    down, up = cells if fall < rise else cells[::-1]
    return Walk(np.array([-down, up]), np.array([1 - p, p]), np.array([1 - q, q]))


def of_shift(shift: float) -> Walk:
    """Return the steps for standard normal values that rise by `shift` > 0: shift x - shift^2 / 2, so many cells."""
    half = shift / 2 * CELLS
    steps = np.arange(math.floor(-half - 6 * CELLS), math.ceil(half + 6 * CELLS) + 1)
    before, after = (np.diff(norm.cdf((np.r_[steps - 0.5, steps[-1] + 0.5] - mean) / CELLS)) for mean in (-half, half))
    return Walk(steps, before / before.sum(), after / after.sum())


def delay(walk: Walk, run_length: float) -> float:
    """Return the mean delay at an average run length, in values; the change comes long after the beginning.

    A threshold with that very run length need not exist: between the two on its sides the delay is linear in the
    logarithm of the run length, as that of a threshold drawn by lot would be.

    Examples
    --------
    >>> round(delay(of_shift(1.0), 1000.0), 1)
    9.8
    """
    high = 1
    while solved(walk, high)[0] < run_length:
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if solved(walk, middle)[0] < run_length else (low, middle)
    (above, slow), (below, quick) = solved(walk, high), solved(walk, low) if low else (1.0, 1.0)
    return float(np.interp(math.log(run_length), [math.log(below), math.log(above)], [quick, slow]))


def solved(walk: Walk, height: int) -> tuple[float, float]:
    """Return average run length and mean delay of the sum that rings when it reaches `height` cells, at least 1."""
    quiet, reach = _stays(walk, walk.before, height)
    length = solve_banded(reach, quiet, np.ones(height))[0]
    begins = np.zeros(height)
    begins[0] = 1.0
    visits = solve_banded(reach[::-1], _transposed(quiet, reach), begins)
    moved, reach = _stays(walk, walk.after, height)
    return float(length), float(visits @ solve_banded(reach, moved, np.ones(height)) / visits.sum())


def _stays(walk: Walk, chances: Floats, height: int) -> tuple[Floats, tuple[int, int]]:
    """Return 1 - Q, banded as LAPACK wants it, and its bands below and above; Q goes from sum to sum below `height`."""
    low, high = min(max(-int(walk.steps[0]), 0), height - 1), min(max(int(walk.steps[-1]), 0), height - 1)
    bands = np.zeros((low + high + 1, height))
    bands[high] = 1.0
    for step, chance in zip(walk.steps.tolist(), chances.tolist(), strict=True):
        first, last = max(0, -step), min(height, height - step)  # sums from which it neither ends nor falls below 0
        if first < last and -low <= step <= high:
            bands[high - step, first + step : last + step] -= chance
        floor = np.arange(min(first, height))
        bands[high + floor, 0] -= chance
    return bands, (low, high)


def _transposed(bands: Floats, reach: tuple[int, int]) -> Floats:
    low, high = reach
    turned = np.zeros_like(bands)
    height = bands.shape[1]
    for offset in range(-low, high + 1):  # entry (i, i + offset) stands at bands[high - offset, i + offset]
        first, last = max(0, -offset), min(height, height - offset)
        turned[low + offset, first:last] = bands[high - offset, first + offset : last + offset]
    return turned
