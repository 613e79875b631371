"""Normalised discounted cumulative gain: how far up in a list the relevant items stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np

from anchorwatch_detectors.intervals import mean
from anchorwatch_detectors.metric import RANKS, Metric, usable_ranks

if TYPE_CHECKING:
    from anchorwatch_detectors.metric import Estimate, Floats, Kind, Needs


class NdcgAtK(Metric):
    """Mean over lists of the gain of the first k items, as a share of that of the best order.

    An item at rank r counts 1 / log2(r + 1) if it is relevant (Järvelin and Kekäläinen, "Cumulated gain-based
    evaluation of IR techniques", ACM TOIS 20, 2002). Lists for which nothing is relevant have no best order and are
    left out; how many there are is told by the click-through rate. The error of a mean, the interval on the logit
    scale.

    Examples
    --------
    >>> import numpy as np
    >>> relevant, ranks = np.array([1.0, 2.0, 0.0]), np.array([[0.0, 1.0], [1.0, 0.0], [0.0, 0.0]])
    >>> round(NdcgAtK().of(relevant, ranks).value, 3)  # the mean of 0.631 and 0.613
    0.622
    """

    name: ClassVar[str] = "ndcg_at_k"
    needs: ClassVar[Needs] = "ranks"
    kinds: ClassVar[frozenset[Kind]] = RANKS

    def of(self, truth: Floats, given: Floats) -> Estimate:
        """Return the mean gain of lists for which something is relevant."""
        relevant, ranks = usable_ranks(truth, given)
        some = relevant > 0
        relevant, ranks = relevant[some], ranks[some]
        k = ranks.shape[1]
        weight = 1.0 / np.log2(np.arange(2, k + 2))
        best = np.cumsum(weight)[np.minimum(relevant, k).astype(np.int64) - 1]
        return mean((ranks * weight).sum(axis=1) / best, within_one=True)
