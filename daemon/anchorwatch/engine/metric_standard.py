"""What windows of accuracy metrics are held against, and a window at its close."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from anchorwatch.engine.metric_season import usual
from anchorwatch.engine.season import Season, slots_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from anchorwatch.engine.baseline import Baseline, Group
    from anchorwatch.engine.known import Known
    from anchorwatch.engine.panes import Moment
    from anchorwatch_detectors.metric import Metric


class Closed(NamedTuple):
    """A window of one group at its close.

    Attributes
    ----------
    group, segment
        Place of the group in the baseline, and its label.
    moment, start
        When it closed, labels included, and event time at which it began, ns.
    predictions, labelled
        How many there are.
    slots
        (slots,) labelled rows in each slot of the cycle; None without a season.
    """

    group: int
    segment: str
    moment: Moment
    start: int
    predictions: int
    labelled: int
    slots: NDArray[np.int64] | None

    @property
    def coverage(self) -> float | None:
        """Share of the predictions that have a label; None where there are none."""
        return self.labelled / self.predictions if self.predictions else None


class Standard(NamedTuple):
    """What windows are held against.

    Attributes
    ----------
    groups
        The groups of the baseline's outcomes part, as the reference numbers them.
    between
        Natural logarithm of the windows that lie between two false alarms of one metric in one group.
    id, baseline
        The baseline, and the id of the one that brought the part.
    season
        The cycle by which it knows the metrics; None without one.
    """

    groups: list[Group]
    between: float
    id: str
    baseline: Baseline
    season: Season | None

    def known(self, closed: Closed, metric: Metric) -> Known | None:
        """Return what the baseline says of a metric at the times of a window; None where it does not know it."""
        if self.season is not None and closed.slots is not None:
            return usual(metric, self.season, self.groups, closed.group, closed.slots)
        named = self.groups[closed.group].metrics
        return named.get(metric.name) if isinstance(named, dict) else None

    def slots(self, made: NDArray[np.int64], here: NDArray[np.bool_]) -> NDArray[np.int64] | None:
        """Return how many of the rows that are `here` lie in each slot of the cycle; None without one."""
        if self.season is None:
            return None
        return np.bincount(slots_of(self.season.cycle, made[here]), minlength=len(self.season.buckets))

    def level(self, closed: Closed, metric: Metric, known: Known) -> float:
        """Return how many times as large as at the window's times a metric is as a whole, where its margin is relative.

        What windows say is remembered in that unit, or those of small hours would say less of the same change.
        """
        named = self.groups[closed.group].metrics
        if self.season is None or not metric.relative or not known.value or not isinstance(named, dict):
            return 1.0
        return named[metric.name].value / known.value
