"""Exact Kolmogorov-Smirnov and Wasserstein distances of 10,000 rows and 10,000 rows, beside scipy's on the same rows.

scipy always gives a p-value: by default the exact one at this size, with `method="asymp"` that of the limit law. We are
measured with the same p-value as the scipy we stand beside, and with none: a window is held against a critical gap that
was found once. "Prepared" is a baseline that is sorted before, as for all windows after the first; "two samples" sorts
both in every call, as scipy does.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
from benchmarks.measurement import alternate, durations
from scipy import stats

from anchorwatch_detectors.kolmogorov_law import asymptotic_tail, critical_gap, exact_tail
from anchorwatch_detectors.samples import SortedSample, distances

if TYPE_CHECKING:
    from benchmarks.measurement import Measurement

    from anchorwatch_detectors.base import Floats

ROWS = 10_000
WINDOWS = 20
ROUNDS = 15
LEVEL = 0.001

Tail = Literal["exact", "asymp"]
Said = tuple[float, float, float]
"""Both distances, and a p-value."""


def measure() -> list[Measurement]:
    """Return a comparison for each way to be asked."""
    rng = np.random.default_rng(1)
    baseline = rng.normal(size=ROWS)
    windows = [rng.normal(0.005 * k, 1, ROWS) for k in range(WINDOWS)]
    prepared = SortedSample.of(baseline)
    return [
        compared("prepared, no p-value", prepared, baseline, windows, "asymp", asked=False),
        compared("prepared, p-value of the limit law", prepared, baseline, windows, "asymp"),
        compared("prepared, exact p-value", prepared, baseline, windows, "exact"),
        compared("two samples, p-value of the limit law", None, baseline, windows, "asymp"),
        compared("two samples, exact p-value", None, baseline, windows, "exact"),
    ]


def compared(
    name: str,
    prepared: SortedSample | None,
    baseline: Floats,
    windows: list[Floats],
    tail: Tail,
    *,
    asked: bool = True,
) -> Measurement:
    """Compare one way to be asked; both must say the same of every window."""
    ours, theirs = list[Said](), list[Said]()

    def merged() -> None:
        ours[:] = [said(prepared or SortedSample.of(baseline), window, tail if asked else None) for window in windows]

    def scipy() -> None:
        theirs[:] = [of_scipy(baseline, window, tail) for window in windows]

    merged()  # what is compiled is loaded, critical gaps are found
    rounds = alternate(ROUNDS, merged, scipy)
    np.testing.assert_allclose(np.array(ours)[:, :2], np.array(theirs)[:, :2], rtol=1e-12, atol=1e-15)
    if asked and tail == "exact":
        np.testing.assert_allclose(np.array(ours)[:, 2], np.array(theirs)[:, 2], rtol=1e-9)
    against = f"scipy, {'default' if tail == 'exact' else 'method=asymp'}"
    each = [[seconds / len(windows) for seconds in pair] for pair in rounds]
    return durations(f"KS and Wasserstein, {ROWS:,} x {ROWS:,}, {name}", against, each)


def said(reference: SortedSample, window: Floats, tail: Tail | None) -> Said:
    """Return both distances and a p-value; without one, whether the gap is significant."""
    found = distances(reference, SortedSample.of(window))
    statistic = found.kolmogorov_smirnov
    if tail is None:
        return statistic, found.wasserstein, float(found.gap >= critical_gap(found.n, found.m, LEVEL))
    if tail == "exact":
        return statistic, found.wasserstein, exact_tail(found.gap, found.n, found.m)
    return statistic, found.wasserstein, float(asymptotic_tail(statistic, found.n, found.m))


def of_scipy(baseline: Floats, window: Floats, tail: Tail) -> Said:
    """Return what scipy says: `ks_2samp` as it comes, which is exact at this size, or with the limit law."""
    test = stats.ks_2samp(baseline, window, method="auto" if tail == "exact" else "asymp")
    return float(test.statistic), float(stats.wasserstein_distance(baseline, window)), float(test.pvalue)
