"""Lanes that count what they take: what they share whatever a lane is made of.

Detectors here are frozen dataclasses of parameters; what is stored of their lanes says whose it is, and what is given
to lanes is checked before any of it is taken.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from anchorwatch_detectors.base import SequentialDetector, SequentialState
from anchorwatch_detectors.guard import LARGEST

if TYPE_CHECKING:
    from anchorwatch_detectors.base import Floats, Ints


class CountedDetector(SequentialDetector):
    """A sequential detector that is a frozen dataclass of parameters."""

    def parameters(self) -> dict[str, Any]:
        """Return the parameters by name, as plain values."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}  # type: ignore[arg-type]

    def domain(self) -> tuple[float, float]:
        """Return the smallest and the largest value that the detector can take; others are passed over."""
        return -LARGEST, LARGEST

    def described(self, version: int) -> dict[str, Any]:
        """Return what a stored state says of whose it is; `version` is that of its form."""
        return {"version": version, "detector": self.name, "parameters": self.parameters()}

    def check_described(self, plain: dict[str, Any], version: int) -> None:
        """Raise ValueError unless a stored state is of this detector, as it is set, in this form."""
        for key, value in self.described(version).items():
            if plain.get(key) != value:
                raise ValueError(
                    f"the stored state has {key} {plain.get(key)!r}, but this detector's is {value!r}: its lanes "
                    "would not continue as they began; start fresh lanes or restore with what wrote it"
                )

    def none_taken(self, groups: int, subjects: int) -> tuple[Ints, Ints]:
        """Return the counts of lanes that begin; raises ValueError if there cannot be so many lanes."""
        if groups < 0 or subjects < 0:
            raise ValueError(
                f"{self.name} cannot start {groups} groups of {subjects} subjects: both must be at least 0"
            )
        return np.zeros((groups, subjects), dtype=np.int64), np.zeros((groups, subjects), dtype=np.int64)


class CountedLanes(SequentialState):
    """Lanes (group x subject) of one detector.

    Attributes
    ----------
    taken, passed_over
        (groups, subjects) how many values each lane took and passed over since it was started or `reset`; an alarm
        does not set them back. `guard.Guard` turns them into UNDETERMINED.
    """

    taken: Ints
    passed_over: Ints

    @property
    def shape(self) -> tuple[int, int]:
        """(groups, subjects)."""
        groups, subjects = self.taken.shape
        return groups, subjects

    def _count_more(self, groups: int) -> None:
        """Add so many groups that have taken nothing."""
        more = np.zeros((groups, self.shape[1]), dtype=np.int64)
        self.taken = np.concatenate((self.taken, more))
        self.passed_over = np.concatenate((self.passed_over, more))

    def _lane(self, group: int, subject: int) -> tuple[int, int]:
        """Return a lane's place; raises IndexError if there is no such lane."""
        groups, subjects = self.shape
        if not (0 <= group < groups and 0 <= subject < subjects):
            raise IndexError(f"there is no lane ({group}, {subject}) among {groups} groups of {subjects} subjects")
        return group, subject

    def _checked(self, values: Floats, groups: Ints | None) -> tuple[Floats, Ints | None]:
        """Return a block as contiguous arrays; raises ValueError as `SequentialState.update` says."""
        have, subjects = self.shape
        values = np.ascontiguousarray(values, dtype=np.float64)
        if values.ndim != 2 or values.shape[0] != subjects:
            raise ValueError(f"values must be ({subjects} subjects, events), not {values.shape}")
        if groups is None:
            if have == 0:
                raise ValueError(
                    "events without group codes belong to group 0, but there are no groups yet: grow first"
                )
            return values, None
        groups = np.asarray(groups)
        if groups.shape != values.shape[1:]:
            raise ValueError(f"groups must be ({values.shape[1]},), one code an event, not {groups.shape}")
        if groups.size and not np.issubdtype(groups.dtype, np.integer):
            raise ValueError(f"group codes must be whole numbers, not {groups.dtype}")
        if groups.size and int(groups.max()) >= have:
            raise ValueError(f"group code {int(groups.max())} is not below the number of groups, {have}: grow first")
        return values, np.ascontiguousarray(groups, dtype=np.int64)
