"""Sequential detectors whose lanes are held against a baseline: the lane's row begins with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from anchorwatch_detectors.beyond_river import BeyondRiver

if TYPE_CHECKING:
    from anchorwatch_detectors.base import Floats, Usual

GIVEN_ENDS: Final = 5
"""Columns of a row before this one: the baseline that was given (mean, variance, rows, smallest shift, memory)."""
USED_ENDS: Final = 10
"""Columns from there on: the baseline in use, which is the lane's own where none was given."""
OWN_BEGINS: Final = 13
"""Where the detector's own columns begin, after number, sum and sum of squares of the lane's values."""


class AgainstBaseline(BeyondRiver):
    """A detector that compares with a baseline; where a lane has none, its first 100 values serve for one."""

    def begun(self, groups: int, subjects: int, usual: Usual | None) -> Floats:
        """Return rows of lanes that begin, with their baselines; see `ArrayDetector.begun`.

        Raises
        ------
        ValueError
            If the baselines are not of so many lanes, or a mean is not a value that the detector takes.
        """
        rows = super().begun(groups, subjects, usual)
        if usual is None:
            return rows
        known, (low, high) = usual.rows > 0, self.domain()
        if not ((usual.mean[known] >= low) & (usual.mean[known] <= high)).all():
            raise ValueError(
                f"{self.name} takes values in [{low:g}, {high:g}], so the mean of a baseline lies there, not "
                f"{usual.mean.tolist()}: is it the baseline of another subject?"
            )
        columns = np.stack([usual.mean, usual.variance, usual.rows, usual.smallest, usual.memory], axis=-1)
        rows[:, :, :GIVEN_ENDS] = np.where(known[:, :, np.newaxis], columns, 0.0)
        rows[:, :, GIVEN_ENDS:USED_ENDS] = rows[:, :, :GIVEN_ENDS]
        return rows

    def anew(self, row: Floats) -> Floats:
        """Return the row of a lane that begins again; its baseline stays."""
        made = np.zeros_like(row)
        made[:GIVEN_ENDS] = made[GIVEN_ENDS:USED_ENDS] = row[:GIVEN_ENDS]
        return made

    def check(self, rows: Floats) -> Floats:
        """Return rows of a stored state; raises ValueError if they are not such."""
        rows = super().check(rows)
        if not np.isfinite(rows).all():
            raise ValueError(f"{self.name}: a stored lane holds a number that is not finite: the state is damaged")
        return rows
