"""Alarms on their way from the lane that raised them to the columns that a call returns."""

from __future__ import annotations

import math
from typing import NamedTuple, Self

import numpy as np

from anchorwatch_detectors.base import Alarms


class Place(NamedTuple):
    """Where an alarm was raised: column and row of the block, and group; in the order in which alarms are told."""

    event: int
    subject: int
    group: int


class Hit(NamedTuple):
    """An alarm within one lane; the fields mean what they mean in `Alarms`, `position` counts in the values fed."""

    position: int
    statistic: float
    threshold: float
    since: int
    before: float
    after: float

    @classmethod
    def split(
        cls, position: int, distance: tuple[float, float], now: tuple[float, float], then: tuple[float, float]
    ) -> Self:
        """Return an alarm whose means follow from the running means at the alarm and at the estimated change.

        Parameters
        ----------
        position
            Of the alarm, in the values fed.
        distance
            Statistic and threshold.
        now, then
            Number of values of the lane and their mean: of all of them, and of those up to the change. A change
            before the first value leaves no mean before it: NaN.
        """
        (n, mean), (n_then, mean_then) = now, then
        after = (n * mean - n_then * mean_then) / (n - n_then)
        return cls(position, *distance, int(n - n_then), mean_then if n_then else math.nan, after)


def as_columns(found: list[tuple[Place, Hit]]) -> Alarms:
    """Return alarms as columns, in the order given."""
    places = [place for place, _ in found]
    hits = [hit for _, hit in found]
    return Alarms(
        event=np.array([place.event for place in places], dtype=np.int64),
        group=np.array([place.group for place in places], dtype=np.int64),
        subject=np.array([place.subject for place in places], dtype=np.int64),
        statistic=np.array([hit.statistic for hit in hits], dtype=np.float64),
        threshold=np.array([hit.threshold for hit in hits], dtype=np.float64),
        since=np.array([hit.since for hit in hits], dtype=np.int64),
        before=np.array([hit.before for hit in hits], dtype=np.float64),
        after=np.array([hit.after for hit in hits], dtype=np.float64),
    )
