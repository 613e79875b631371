"""Mixture Shiryaev-Roberts against a baseline: what its detectors, which differ in what they bet on, share.

A bet on value x is a factor `L_k(x) = 1 + g_k(x) - c_k`, never negative, where the payoff g_k gains after a change of
one kind and size, and c_k is what it yields where nothing changed. So the evidence `R_k <- (1 + R_k) L_k(x)` that a
change happened at some time grows by 1 a value on average as long as nothing changed, and an alarm when the weighted
mean of the R_k reaches A comes after A values on average at the earliest: the average run length needs no calibration.

The baseline is a sample, so c_k is known with an error only. It is learnt on: the mean of the payoff over the baseline
and the lane's values since it began. Averaged over what the truth may be given the baseline this is exactly what the
next value yields, so the run length holds on that average. It moves by no more than 3 standard errors of the baseline,
so that a slow change is not learnt away. Without a baseline a lane takes its first 100 values for one.

Of dependent values every `memory` count as one: L_k is raised to the power 1 / memory, which makes the sum of its
logarithms as variable as that of independent values. Then the run length is approximate.
"""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING

import numpy as np

from anchorwatch_detectors.against_baseline import OWN_BEGINS, AgainstBaseline

if TYPE_CHECKING:
    from anchorwatch_detectors.base import Floats
    from anchorwatch_detectors.kernels.block import Block
    from anchorwatch_detectors.kernels.shiryaev_roberts import Bets


class Mixture(AgainstBaseline):
    """A mixture Shiryaev-Roberts detector; subclasses say what it bets on."""

    average_run_length: float

    @abc.abstractmethod
    def bets(self) -> Bets:
        """Return what the chains bet on."""

    @abc.abstractmethod
    def chains(self) -> int:
        """Return the number of chains."""

    def fresh(self) -> Floats:
        """Return a lane that begins without a baseline."""
        return np.zeros(OWN_BEGINS + 5 * self.chains())

    def domain(self) -> tuple[float, float]:
        """Return [0, 1]."""
        return 0.0, 1.0

    def feed(self, rows: Floats, block: Block) -> tuple[Floats, Floats]:
        """Take a block of events; see `ArrayDetector.feed`."""
        from anchorwatch_detectors.kernels.shiryaev_roberts import take

        return rows, take(rows, block, self.bets(), float(self.average_run_length))
