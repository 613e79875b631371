"""What a baseline knows of an accuracy metric: as a whole, and with a season at each time of the cycle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import msgspec

if TYPE_CHECKING:
    from anchorwatch_detectors.metric import Estimate


class Known(msgspec.Struct, frozen=True):
    """What a baseline knows of an accuracy metric, as in `anchorwatch_detectors.metric.Estimate`."""

    value: float
    error: float
    n: int
    support: int
    excess: float

    @classmethod
    def of(cls, found: Estimate) -> Self:
        """Return what is known from an estimate."""
        return cls(float(found.value), float(found.error), int(found.n), int(found.support), float(found.excess))


class Hours(msgspec.Struct, frozen=True):
    """Labelled rows of a group in one bucket of the cycle: how many, and the metrics that enough of them carry."""

    rows: int
    metrics: dict[str, Known]
