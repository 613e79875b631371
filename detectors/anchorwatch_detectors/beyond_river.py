"""Sequential detectors that river does not have: their lanes cannot become river's objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from anchorwatch_detectors.array_lanes import ArrayDetector

if TYPE_CHECKING:
    from anchorwatch_detectors.base import Floats


class BeyondRiver(ArrayDetector):
    """A detector that has no class in river."""

    def to_river(self, row: Floats) -> Any:
        """Raise ValueError: river has no such detector."""
        raise ValueError(f"river has no {self.name}: a lane of {len(row)} numbers cannot become one of river's")

    def from_river(self, detector: Any) -> Floats:
        """Raise ValueError: river has no such detector."""
        raise ValueError(f"river has no {self.name}: it cannot go on from a {type(detector).__name__}")
