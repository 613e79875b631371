"""The law of the two-sample Kolmogorov-Smirnov statistic, by counting paths; `kolmogorov_law` says what for."""

from __future__ import annotations

import numpy as np

from anchorwatch_detectors.kernels.compiling import kernel


@kernel
def reached_of_equal(n: int, height: int) -> float:
    """Return P(largest |i - j| >= height) over random orders of n values of each sort, height at least 1.

    By reflection it is 2 (w_1 - w_2 + w_3 ...), w_k = C(2n, n - k height) / C(2n, n): taken from the last term on, each
    as its ratio to the one before, nothing is lost where the chance is tiny.
    """
    chance = 0.0
    for k in range(n // height, 0, -1):
        ratio = 1.0
        for j in range(1, height + 1):
            ratio *= (n - k * height + j) / (n + (k - 1) * height + j)
        chance = ratio * (1.0 - chance)
    return 2.0 * chance


@kernel
def reached(n: int, m: int, gap: int) -> float:
    """Return P(largest |i m - j n| >= gap) over random orders of n values of one sort and m of the other, gap above 0.

    All orders are followed at once, value by value: `chance` holds how likely i of the first t values are of the first
    sort and the gap was never reached; what reaches it is taken out and summed, so that tiny chances keep their digits.
    """
    total = n + m
    chance = np.zeros(n + 2)
    chance[0] = 1.0
    low = high = 0
    tail = 0.0
    for taken in range(total):
        rest = 1.0 / (total - taken)
        stays = chance[high] * ((m - (taken - high)) * rest)
        chance[high + 1] = chance[high] * ((n - high) * rest)
        for i in range(high, low, -1):
            chance[i] = stays + chance[i - 1] * ((n - i + 1) * rest)
            stays = chance[i - 1] * ((m - (taken - i + 1)) * rest)
        chance[low] = stays
        high += 1
        while high >= low and high * m - (taken + 1 - high) * n >= gap:
            tail += chance[high]
            chance[high] = 0.0
            high -= 1
        while low <= high and (taken + 1 - low) * n - low * m >= gap:
            tail += chance[low]
            chance[low] = 0.0
            low += 1
        if high < low:
            break
        high = min(high, n)
    return min(tail, 1.0)
