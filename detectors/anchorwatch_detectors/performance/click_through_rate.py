"""Click-through rate: how many lists led to anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from anchorwatch_detectors.intervals import share
from anchorwatch_detectors.metric import RANKS, Metric, usable_ranks

if TYPE_CHECKING:
    from anchorwatch_detectors.metric import Estimate, Floats, Kind, Needs


class ClickThroughRate(Metric):
    """Share of lists with a relevant item, at whatever rank. Wilson's interval.

    It is small where few people click, so the margin is a share of the baseline's value.

    Examples
    --------
    >>> import numpy as np
    >>> ClickThroughRate().of(np.array([1.0, 0.0, 0.0, 2.0]), np.zeros((4, 3))).value
    0.5
    """

    name: ClassVar[str] = "click_through_rate"
    needs: ClassVar[Needs] = "ranks"
    kinds: ClassVar[frozenset[Kind]] = RANKS
    margin: ClassVar[float] = 0.05
    relative: ClassVar[bool] = True

    def of(self, truth: Floats, given: Floats) -> Estimate:
        """Return the share of lists with more than nothing relevant."""
        relevant, _ = usable_ranks(truth, given)
        return share(int((relevant > 0).sum()), len(relevant), len(relevant))
