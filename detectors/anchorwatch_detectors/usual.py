"""What is usual for lanes, measured on a sample of their values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from anchorwatch_detectors.base import Usual

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from anchorwatch_detectors.base import Floats


def of_sample(values: ArrayLike, smallest: float = 0.0, *, memory: float | None = None) -> Usual:
    """Return what is usual for the lanes of one group.

    Parameters
    ----------
    values
        (subjects, rows) in the order in which they came; those that are not finite are left out.
    smallest
        Smallest shift of the mean worth knowing, at least 0, in the unit of the values.
    memory
        How many successive values tell as much as one independent value; None estimates it, see `memory_of`.

    Returns
    -------
    Usual
        Of (1, subjects) lanes; with 0 rows where a subject has no usable value.

    Examples
    --------
    >>> found = of_sample([[0.0, 1.0, 1.0, np.nan]], smallest=0.01)
    >>> found.mean.round(2).tolist(), found.variance.round(2).tolist(), found.rows.tolist()
    ([[0.67]], [[0.22]], [[3.0]])
    """
    table = np.atleast_2d(np.asarray(values, dtype=np.float64))
    columns = [row[np.isfinite(row)] for row in table]
    return Usual(
        mean=np.array([[column.mean() if len(column) else np.nan for column in columns]]),
        variance=np.array([[column.var() if len(column) else np.nan for column in columns]]),
        rows=np.array([[float(len(column)) for column in columns]]),
        smallest=np.full((1, len(columns)), float(smallest)),
        memory=np.array([[memory_of(column) if memory is None else float(memory) for column in columns]]),
    )


def memory_of(values: ArrayLike) -> float:
    """Return the integrated autocorrelation time of a series: how many of its values tell as much as one independent.

    The sum of the autocorrelations over all lags, both signs, cut off where two neighbouring ones together are no
    longer beyond what chance gives (2 standard errors).

    Parameters
    ----------
    values
        (n,) finite numbers in order of time.

    Returns
    -------
    float
        At least 1; 1 for a constant and for fewer than 30 values.

    References
    ----------
    Geyer, C. J. (1992). Practical Markov chain Monte Carlo. Statistical Science 7 (4), 473-483: the initial positive
    sequence estimator.

    Examples
    --------
    >>> from anchorwatch_detectors import synth
    >>> memory_of(synth.normal(10_000, seed=1)), round(memory_of(synth.autoregressive(10_000, seed=1, memory=0.7)), 1)
    (1.0, 5.4)
    """
    x = np.asarray(values, dtype=np.float64)
    n = len(x)
    if n < 30 or not np.ptp(x) > 0.0:
        return 1.0
    pairs = _autocorrelations(x)[1 : 2 * ((n - 1) // 2) + 1].reshape(-1, 2).sum(axis=1)
    chance = pairs <= 2.0 * np.sqrt(2.0 / n)
    last = int(chance.argmax()) if chance.any() else len(pairs)
    return max(1.0, float(1.0 + 2.0 * pairs[:last].sum()))


def _autocorrelations(x: Floats) -> Floats:
    """Return autocorrelations of lags 0 to n - 1 (divisor n)."""
    width = 2 ** int(np.ceil(np.log2(2 * len(x))))
    power = np.abs(np.fft.rfft(x - x.mean(), width)) ** 2
    covariances = np.fft.irfft(power, width)[: len(x)]
    return np.asarray(covariances / covariances[0])
