"""Recall at k: how many of the relevant items stand among the first k."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from anchorwatch_detectors.intervals import mean
from anchorwatch_detectors.metric import RANKS, Metric, usable_ranks

if TYPE_CHECKING:
    from anchorwatch_detectors.metric import Estimate, Floats, Kind, Needs


class RecallAtK(Metric):
    """Mean over lists of the share of relevant items that are among the first k.

    Lists for which nothing is relevant are left out. The error of a mean, the interval on the logit scale.

    Examples
    --------
    >>> import numpy as np
    >>> RecallAtK().of(np.array([1.0, 2.0, 0.0]), np.array([[0.0, 1.0], [1.0, 0.0], [0.0, 0.0]])).value
    0.75
    """

    name: ClassVar[str] = "recall_at_k"
    needs: ClassVar[Needs] = "ranks"
    kinds: ClassVar[frozenset[Kind]] = RANKS

    def of(self, truth: Floats, given: Floats) -> Estimate:
        """Return the mean share of lists for which something is relevant."""
        relevant, ranks = usable_ranks(truth, given)
        some = relevant > 0
        return mean(ranks[some].sum(axis=1) / relevant[some], within_one=True)
