"""Confidence intervals of 95 % for what accuracy metrics are made of: shares, means, ratios, smooth functions of them.

The delta method takes a metric as a mean of influences, what each row adds to it (Hampel, "The influence curve and its
role in robust estimation", J. Am. Stat. Assoc. 69, 1974); the error is their standard deviation over the root of n. The
interval is made on a scale without bounds (logit for 0 to 1, logarithm for positive numbers) and brought back, so it
never leaves the range of the metric.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import numpy as np

from anchorwatch_detectors.metric import Estimate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

Z: Final = 1.959963984540054
"""97.5 % quantile of the standard normal distribution."""


def undefined(n: int = 0) -> Estimate:
    """Return what is said of a metric that so many rows do not define."""
    return Estimate(math.nan, math.nan, math.nan, math.nan, n, 0)


def share(k: int, whole: int, n: int) -> Estimate:
    """Return the share `k` of `whole` among n rows; undefined where `whole` is 0.

    The interval is Wilson's ("Probable inference", J. Am. Stat. Assoc. 22, 1927). The error is that of the share with
    one more on either side, so it is never 0.
    """
    if whole == 0:
        return undefined(n)
    p, z = k / whole, Z * Z / whole
    middle = (p + z / 2) / (1 + z)
    half = Z / (1 + z) * math.sqrt(p * (1 - p) / whole + z / (4 * whole))
    near = (k + 1) / (whole + 2)
    error = math.sqrt(near * (1 - near) / whole)
    return Estimate(p, error, min(max(middle - half, 0.0), p), max(min(middle + half, 1.0), p), n, whole)


def error_of(influence: Floats) -> float:
    """Return the standard error of a mean of influences; NaN for fewer than two."""
    n = len(influence)
    return math.sqrt(variance(influence) / n) if n > 1 else math.nan


def variance(values: Floats) -> float:
    """Return the variance of at least two values; of hundreds of them numpy's own takes three times as long."""
    off = values - np.add.reduce(values) / len(values)
    return float(np.add.reduce(off * off)) / (len(values) - 1)


def bounded(value: float, error: float, n: int, support: int) -> Estimate:
    """Return an estimate of a metric between 0 and 1, its interval made on the logit scale.

    The error is at least that of one row in `support` that could have been otherwise: a sample without a fault does
    not prove that there is none. Within half a row of 0 or 1 the interval is that of a share of `support`.
    """
    if not math.isfinite(value) or support == 0 or not math.isfinite(error):
        return undefined(n)
    error = max(error, 1.0 / support)
    if not 0.5 / support < value < 1.0 - 0.5 / support:
        return share(round(value * support), support, n)._replace(value=value, error=error)
    logit, half = math.log(value / (1.0 - value)), Z * error / (value * (1.0 - value))
    return Estimate(value, error, _logistic(logit - half), _logistic(logit + half), n, support)


def positive(value: float, error: float, n: int) -> Estimate:
    """Return an estimate of a metric that is 0 or more, its interval made on the logarithm's scale."""
    if not math.isfinite(value) or not math.isfinite(error):
        return undefined(n)
    if value <= 0.0 or error <= 0.0:
        return Estimate(value, max(error, np.finfo(np.float64).tiny), value, value, n, n)
    factor = math.exp(min(Z * error / value, 700.0))
    return Estimate(value, error, value / factor, value * factor, n, n)


def mean(values: Floats, *, within_one: bool = False) -> Estimate:
    """Return the mean of values of 0 or more, or `within_one` between 0 and 1, with its interval."""
    n = len(values)
    if n < 2:
        return undefined(n)
    value, error = float(np.add.reduce(values)) / n, error_of(values)
    return bounded(value, error, n, n) if within_one else positive(value, error, n)


def _logistic(x: float) -> float:
    return 1.0 / (1.0 + math.exp(-x)) if x > -700.0 else 0.0
