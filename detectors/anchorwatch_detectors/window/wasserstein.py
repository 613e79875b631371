"""Wasserstein distance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

import numpy as np

from anchorwatch_detectors.comparison import ColumnKind, WindowTest
from anchorwatch_detectors.window.cells import shares
from anchorwatch_detectors.window.folded import tail_of_steps

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]
    Counts = Ints | Floats

_NEEDS: Final = "wasserstein measures distances between values: it needs a numeric column's positions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wasserstein(WindowTest):
    """Wasserstein distance (earth mover's distance): how far values must be carried, on average, to make sides alike.

    The statistic is that of `scipy.stats.wasserstein_distance`, in the column's unit. The effect is the statistic over
    the baseline's standard deviation (divisor n; both taken from the cells); for a constant baseline, over that of
    both sides together at equal weight. The p-value is that of a weighted sum of absolute normal values, a gamma law
    with its mean and variance. By chance alone the effect is about 1.3 sqrt(1/n + 1/m) for bell-shaped values, n and m
    being the sizes.

    Where a few huge values make most of the distance (a lognormal column of log-deviation 2), p-values below 0.01 are
    two to three times too frequent in windows of fewer than some hundred values.

    On a baseline's grid a value stands at its knot or in the middle between two; one outside the baseline's range
    stands at its edge, so that a distance far beyond is understated, never overlooked.

    `smallest_effect` is 0.1 standard deviations, the common default of drift monitors for the normed distance.

    Examples
    --------
    >>> import numpy as np
    >>> from anchorwatch_detectors.profile import pooled_counts
    >>> rng = np.random.default_rng(7)
    >>> position, baseline, window = pooled_counts([rng.normal(0, 3, 5000)], [rng.normal(1.5, 3, 1000)])
    >>> said = Wasserstein().compare(baseline, window, position)
    >>> round(said.statistic.item(), 2), round(said.effect.item(), 2), said.p_value.item() < 1e-9
    (1.59, 0.53, True)

    References
    ----------
    Vallender, S. S. (1974). Calculation of the Wasserstein distance between probability distributions on the line.
    Theory of Probability and its Applications 18(4), 784-786.
    """

    name: ClassVar[str] = "wasserstein"
    kinds: ClassVar[frozenset[ColumnKind]] = frozenset({ColumnKind.NUMERIC})
    smallest_effect: ClassVar[float] = 0.1

    def measure(self, reference: Counts, current: Counts, position: Floats | None) -> tuple[Floats, Floats]:
        """Return statistics and effects; see `WindowTest.measure`.

        Raises
        ------
        ValueError
            If there are no positions.
        """
        if position is None:
            raise ValueError(_NEEDS)
        p, q = shares(reference, current)
        n, m = reference.sum(axis=1, keepdims=True), current.sum(axis=1, keepdims=True)
        value, exponent = _scaled(position)
        gap = np.abs(np.cumsum(reference, axis=1) / np.maximum(n, 1) - np.cumsum(current, axis=1) / np.maximum(m, 1))
        distance = (gap[:, :-1] * np.diff(value, axis=1)).sum(axis=1)
        distance = np.where((n[:, 0] > 0) & (m[:, 0] > 0), distance, np.nan)
        spread = _std(p, value)
        spread = np.where(spread == 0, _std((p + q) / 2, value), spread)
        effect = np.divide(distance, spread, out=distance.copy(), where=spread > 0)
        return np.ldexp(distance, exponent), effect

    def tail(self, statistic: Floats, reference: Counts, current: Counts, position: Floats | None) -> Floats:
        """Return p-values; see `WindowTest.tail`."""
        if position is None:
            raise ValueError(_NEEDS)
        value, exponent = _scaled(position)
        return tail_of_steps(np.ldexp(statistic, -exponent), reference, current, value)


def _scaled(position: Floats) -> tuple[Floats, Ints]:
    """Return the values on a scale of [-1, 1], exactly, so that no square overflows, and its exponent."""
    _, exponent = np.frexp(np.abs(position).max(axis=1, keepdims=True, initial=0.0))
    return np.ldexp(position, -exponent), exponent[:, 0].astype(np.int64)


def _std(share: Floats, value: Floats) -> Floats:
    """Return the standard deviation of each row's values under its shares."""
    mean = (share * value).sum(axis=1, keepdims=True)
    std: Floats = np.sqrt((share * np.square(value - mean)).sum(axis=1))
    return std
