"""Mean and spread of lanes: in the baseline, and in a window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from anchorwatch.engine.after_alarm import Seen
from anchorwatch.engine.change_point import Usually
from anchorwatch.engine.seasonal import UNIT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from anchorwatch.engine.panes import Window
    from anchorwatch.engine.reference import Reference


@dataclass(frozen=True, slots=True)
class Moments:
    """What the lanes of a lookout are like in the baseline.

    Attributes
    ----------
    reference, columns
        The baseline, and the positions of the columns in it.
    mean, variance
        (groups, columns) of the values; variances are multiplied by what successive values have in common.
    """

    reference: Reference
    columns: Sequence[int]
    mean: NDArray[np.float64]
    variance: NDArray[np.float64]

    @classmethod
    def of(cls, reference: Reference, columns: Sequence[int]) -> Self:
        """Return the moments of these columns."""
        variance = reference.variances[:, columns] * reference.inflation[columns]
        return cls(reference, columns, reference.means[:, columns], variance)

    def lane(self, lane: tuple[int, int]) -> Usually:
        """Return what a lane (group, column) is like."""
        group, subject = lane
        if self.reference.season is not None:
            return self._lane_in_season(lane)
        counts, squares = self._squares(group, subject, self.reference.counts[group])
        n = int(counts.sum())
        if not n:
            return Usually(np.nan, np.nan)
        square = float(counts @ squares) / n
        spread = float(counts @ squares**2) / n - square**2
        inflation = float(self.reference.inflation[self.columns[subject]])
        return Usually(float(self.mean[lane]), float(self.variance[lane]), square, max(spread, 0.0) * inflation)

    def window(self, window: Window) -> list[Seen]:
        """Return what each column is like in a window."""
        means = self.reference.mean_of(window.counts)[self.columns]
        if self.reference.season is not None:
            return self._window_in_season(window, means)
        seen = []
        for subject, mean in enumerate(means.tolist()):
            counts, squares = self._squares(window.group, subject, window.counts)
            n = int(counts.sum())
            seen.append(Seen(mean, float(counts @ squares) / n if n else np.nan, n))
        return seen

    def _squares(
        self, group: int, subject: int, counts: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Return the counts of a column's good cells, and the squared distance of each from the group's mean."""
        start = int(self.reference.starts[self.columns[subject]])
        cells = slice(start, start + int(self.reference.sizes[self.columns[subject]]))
        return counts[cells], (self.reference.value[cells] - self.mean[group, subject]) ** 2

    def _lane_in_season(self, lane: tuple[int, int]) -> Usually:
        """Return what a lane is like whose numbers depend on the time: the baseline keeps their powers."""
        season = self.reference.season
        if season is None:
            raise RuntimeError("this baseline has no season")
        first, second, third, fourth = season.powers[:, lane[0], self.columns[lane[1]]].tolist()
        square = second - first**2
        spread = fourth - 4 * first * third + 6 * first**2 * second - 3 * first**4 - square**2
        inflation = float(self.reference.inflation[self.columns[lane[1]]])
        return Usually(float(self.mean[lane]), float(self.variance[lane]), square, max(spread, 0.0) * inflation)

    def _window_in_season(self, window: Window, means: NDArray[np.float64]) -> list[Seen]:
        """Return what each column is like in a window that added up its numbers and their squares."""
        sizes = self.reference.valid(window.counts)[self.columns]
        squares = window.counts[-len(self.reference.columns) :][self.columns] / (UNIT * np.maximum(sizes, 1))
        usual = self.mean[window.group]
        spreads = np.where(sizes > 0, squares - 2 * usual * means + usual**2, np.nan)
        return [Seen(*each) for each in zip(means.tolist(), spreads.tolist(), sizes.tolist(), strict=True)]
