"""False-discovery control across the tests of one window."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]


def benjamini_hochberg(p_values: ArrayLike) -> Floats:
    """Return p-values adjusted so that calling those <= q significant keeps the false-discovery rate at q.

    Holds for tests that are independent or positively dependent.

    Parameters
    ----------
    p_values
        (n,) in [0, 1]; NaN where there was no test.

    Returns
    -------
    ndarray
        (n,) adjusted p-values, equal to `scipy.stats.false_discovery_control` on those that are not NaN; NaN stays and
        does not count as a test.

    Raises
    ------
    ValueError
        If a value is outside [0, 1].

    References
    ----------
    Benjamini, Y., Hochberg, Y. (1995). Controlling the false discovery rate: a practical and powerful approach to
    multiple testing. Journal of the Royal Statistical Society B 57(1), 289-300.

    Examples
    --------
    >>> benjamini_hochberg([0.01, 0.04, float("nan"), 0.03]).tolist()
    [0.03, 0.04, nan, 0.04]
    """
    return _step_up(p_values, dependent=False)


def benjamini_yekutieli(p_values: ArrayLike) -> Floats:
    """Return p-values adjusted as `benjamini_hochberg` does, holding for any dependence between the tests.

    The price is a factor of 1 + 1/2 + ... + 1/n on each. Parameters, result and errors are the same.

    References
    ----------
    Benjamini, Y., Yekutieli, D. (2001). The control of the false discovery rate in multiple testing under dependency.
    Annals of Statistics 29(4), 1165-1188.

    Examples
    --------
    >>> benjamini_yekutieli([0.01, float("nan"), 0.04]).tolist()
    [0.03, nan, 0.06]
    """
    return _step_up(p_values, dependent=True)


def _step_up(p_values: ArrayLike, *, dependent: bool) -> Floats:
    """Return the least of p n / rank over all ranks from its own up, at most 1."""
    p = np.asarray(p_values, dtype=np.float64)
    tested = ~np.isnan(p)
    known = p[tested]
    if ((known < 0) | (known > 1)).any():
        raise ValueError(f"p-values lie in [0, 1], not {known.min():g} to {known.max():g}: nothing can be corrected")
    rank = np.arange(1, len(known) + 1)
    order = np.argsort(known)
    scaled = known[order] * (len(known) / rank)
    if dependent:
        scaled *= np.sum(1 / rank)
    adjusted = np.empty_like(known)
    adjusted[order] = np.minimum.accumulate(scaled[::-1])[::-1]
    out = np.full(p.shape, np.nan)
    out[tested] = np.minimum(adjusted, 1.0)
    return out
