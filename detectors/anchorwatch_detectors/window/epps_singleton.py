"""Two-sample Epps-Singleton test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final, Literal

import numpy as np
from scipy.special import chdtrc

from anchorwatch_detectors.comparison import ColumnKind, WindowTest
from anchorwatch_detectors.parameters import check_choice

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Counts = Ints | Floats

_NEEDS: Final = "epps_singleton takes cosines of values: it needs a numeric column's positions"
_POINTS: Final = np.array([0.4, 0.8])
"""Where the characteristic functions are compared, over half the interquartile range; the authors' choice."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EppsSingleton(WindowTest):
    """Two-sample Epps-Singleton test: the distance of two empirical characteristic functions.

    It assumes no continuous distribution, so ties do no harm: counts, rounded amounts, flags. It often sees more than
    Kolmogorov-Smirnov. It needs a hundred values on either side to be trusted: of twenty, p-values below 0.01 are three
    times too frequent under no change. Where half the interquartile range, which is the scale, is 0, the standard
    deviation of both sides together stands for it; where no value varies in a direction in which the sides differ, the
    difference counts as if one value in N did.

    The effect is the root mean square distance of the characteristic functions at the two points, from 0 to 2.

    `smallest_effect` is 0.13: a mean moved by about a quarter of a standard deviation.

    Parameters
    ----------
    covariance
        Of the characteristic functions' estimates. "pooled": that within both sides together. "separate": the sum of
        each side's own, as the authors and `scipy.stats.epps_singleton_2samp` have it; where a window is much smaller
        than its baseline, p-values below 0.01 are then up to four times too frequent under no change.

    Raises
    ------
    ValueError
        If the covariance is neither.

    Examples
    --------
    >>> import numpy as np
    >>> from anchorwatch_detectors.profile import pooled_counts
    >>> rng = np.random.default_rng(7)
    >>> position, baseline, window = pooled_counts([rng.poisson(3, 5000)], [rng.poisson(4, 1000)])
    >>> said = EppsSingleton().compare(baseline, window, position)
    >>> round(said.effect.item(), 3), said.p_value.item() < 1e-9
    (0.298, True)

    References
    ----------
    Epps, T. W., Singleton, K. J. (1986). An omnibus test for the two-sample problem using the empirical characteristic
    function. Journal of Statistical Computation and Simulation 26, 177-203.
    """

    name: ClassVar[str] = "epps_singleton"
    kinds: ClassVar[frozenset[ColumnKind]] = frozenset({ColumnKind.NUMERIC})
    smallest_effect: ClassVar[float] = 0.13

    covariance: Literal["pooled", "separate"] = "pooled"

    def __post_init__(self) -> None:
        check_choice(self.name, "covariance", self.covariance, ("pooled", "separate"))

    def measure(self, reference: Counts, current: Counts, position: Floats | None) -> tuple[Floats, Floats]:
        """Return statistics and effects; see `WindowTest.measure`.

        Raises
        ------
        ValueError
            If there are no positions.
        """
        if position is None:
            raise ValueError(_NEEDS)
        n, m, waves = _waves(reference, current, position)
        gap, spread = self._differences(reference, current, waves)
        distance, _ = _distance(gap, spread, n + m)
        small = 1 / (1 + (n + m) ** -0.45 + 10.1 * (n**-1.7 + m**-1.7))
        known = (reference.sum(axis=1) > 0) & (current.sum(axis=1) > 0)
        statistic = np.where(known, distance * np.where(np.maximum(n, m) < 25, small, 1.0), np.nan)
        return statistic, np.where(known, np.sqrt(np.square(gap).sum(axis=1) / len(_POINTS)), np.nan)

    def tail(self, statistic: Floats, reference: Counts, current: Counts, position: Floats | None) -> Floats:
        """Return p-values; see `WindowTest.tail`."""
        if position is None:
            raise ValueError(_NEEDS)
        n, m, waves = _waves(reference, current, position)
        _, freedom = _distance(*self._differences(reference, current, waves), n + m)
        tail: Floats = chdtrc(freedom, statistic)
        return tail

    def _differences(self, reference: Counts, current: Counts, waves: Floats) -> tuple[Floats, Floats]:
        """Return (columns, waves) differences of the means and (columns, waves, waves) their covariance, times N."""
        n, m = (np.maximum(side.sum(axis=1), 1).astype(np.float64) for side in (reference, current))
        (mean_n, spread_n), (mean_m, spread_m) = _moments(waves, reference, n), _moments(waves, current, m)
        total = n + m
        weight_n, weight_m = (total / m, total / n) if self.covariance == "pooled" else (total / n, total / m)
        spread = weight_n[:, np.newaxis, np.newaxis] * spread_n + weight_m[:, np.newaxis, np.newaxis] * spread_m
        return mean_n - mean_m, spread


def _waves(reference: Counts, current: Counts, position: Floats) -> tuple[Floats, Floats, Floats]:
    """Return (columns,) sizes, and (columns, waves, cells) the cosines and sines of each cell at both points."""
    n, m = (np.maximum(side.sum(axis=1), 1).astype(np.float64) for side in (reference, current))
    angle = _POINTS[:, np.newaxis] * _standardized(reference + current, position)[:, np.newaxis]
    return n, m, np.concatenate([np.cos(angle), np.sin(angle)], axis=1)


def _standardized(counts: Counts, position: Floats) -> Floats:
    """Return positions from the median in halves of the interquartile range; or in standard deviations, where it is 0.

    The statistic does not depend on where the values are counted from; far from 0 their cosines would.
    """
    if not position.size:
        return position
    _, exponent = np.frexp(np.abs(position).max(axis=1, keepdims=True))
    value = np.ldexp(position, -exponent)  # into [-1, 1], exactly, so that no square overflows
    total = np.maximum(counts.sum(axis=1, keepdims=True), 1)
    low, middle, high = (_quantile(counts, value, q) for q in (0.25, 0.5, 0.75))
    value = value - middle
    mean = (counts * value).sum(axis=1, keepdims=True) / total
    deviation = np.sqrt((counts * np.square(value - mean)).sum(axis=1, keepdims=True) / total)
    scale = np.where(high > low, (high - low) / 2, deviation)
    scaled = np.divide(value, scale, out=np.zeros_like(value), where=scale > 0)
    clipped: Floats = np.clip(scaled, -1e15, 1e15)
    return clipped


def _quantile(counts: Counts, value: Floats, q: float) -> Floats:
    """Return (columns, 1) quantiles of the values, linear between neighbours in order, as numpy's are."""
    upto = np.cumsum(counts, axis=1)
    place = np.maximum(upto[:, -1:] - 1, 0) * q
    last = value.shape[1] - 1
    ends = [
        np.take_along_axis(value, np.minimum((upto <= k).sum(axis=1, keepdims=True), last), axis=1)
        for k in (np.floor(place), np.ceil(place))
    ]
    between: Floats = ends[0] + (ends[1] - ends[0]) * (place - np.floor(place))
    return between


def _moments(waves: Floats, counts: Counts, n: Floats) -> tuple[Floats, Floats]:
    """Return mean (columns, waves) and covariance (columns, waves, waves), divisor n, of the waves of n values."""
    share = (counts / n[:, np.newaxis])[:, np.newaxis]
    mean = (waves * share).sum(axis=2)
    off = waves - mean[:, :, np.newaxis]
    return mean, (off * share) @ off.transpose(0, 2, 1)


def _distance(gap: Floats, spread: Floats, total: Floats) -> tuple[Floats, Floats]:
    """Return (columns,) total gap' spread^-1 gap, and in how many directions there is a spread, at least 1."""
    size, direction = np.linalg.eigh(spread)
    along = np.square((direction * gap[:, :, np.newaxis]).sum(axis=1))
    real = size > 1e-13 * size.max(axis=1, keepdims=True, initial=0.0)
    floor = np.maximum(size, 1 / total[:, np.newaxis])
    distance = total * (along / np.where(real, np.where(real, size, 1.0), floor)).sum(axis=1)
    return distance, np.maximum(real.sum(axis=1), 1).astype(np.float64)
