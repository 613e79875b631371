"""How far off the values of successive versions were: kept in short, and held against each other one by one.

Distances have no bound and may have any spread, so it is not their means that are compared but what champion and
challenger are compared by: which of two is farther off. Two versions that followed one another have no prediction in
common. Each distance of the new one is therefore held against one of the old one's, and each of those is used once: so
pairs are independent where distances are, and `Paired` holds for them as it stands, with no allowance for how well the
old version is known. The difference is the probability that the new one is farther off less the probability that it is
closer (Mann and Whitney, "On a test of whether one of two random variables is stochastically larger than the other",
Annals of Mathematical Statistics 18(1), 1947). When the old version's are used up, nothing more is said.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from anchorwatch_detectors.paired import BETTER, SAME, WORSE

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Codes = NDArray[np.uint16]

KEPT = 10_000
"""Of a version so many distances are kept, the last ones: 2 bytes each."""

_GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0


def codes(distances: NDArray[np.float64]) -> Codes:
    """Return (n,) numbers in the order of distances, which are finite and at least 0; equal where within 1 %.

    They are the upper half of a 32-bit float.
    """
    with np.errstate(over="ignore", under="ignore"):
        short = distances.astype(np.float32)
    return (short.view(np.uint32) >> np.uint32(16)).astype(np.uint16)


def kept(before: Codes | None, new: Codes) -> Codes:
    """Return the last distances of a version with more of them."""
    return (new if before is None else np.concatenate([before, new]))[-KEPT:]


def drawn(last: Codes) -> Codes:
    """Return distances in an order of which any beginning is spread evenly over the time they come from.

    So that a new version is not held against the last hour of the old one. The order is that of multiples of a stride
    near the golden section.
    """
    n = len(last)
    stride = next((k for k in range(max(round(_GOLDEN * n), 1), n) if math.gcd(k, n) == 1), 1)
    return last[np.arange(n) * stride % n] if n else last


def steps(old: Codes, new: Codes) -> NDArray[np.int64]:
    """Return who was farther off: (min(old, new),) sorts of steps of `Paired`, first against first."""
    n = min(len(old), len(new))
    return np.where(new[:n] > old[:n], WORSE, np.where(new[:n] < old[:n], BETTER, SAME))
