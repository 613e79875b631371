"""Reports on retrainings as columns: what the engine takes instead of messages."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

PROGRESS = ("acknowledged", "running", "failed", "cancelled", "succeeded")
"""What may be reported."""


@dataclass(frozen=True, slots=True)
class Statuses:
    """Reports on retrainings of one model; there are few.

    Attributes
    ----------
    time
        (n,) event time, ns since the epoch.
    partition
        (n,) index into the `partitions` of the batch.
    offset
        (n,) place in that partition; only the order within a batch matters.
    retraining, progress, version, by
        n texts each: the trigger's id or idempotency key, how far it has come, the version that came of it, and who
        says so ("" for none).
    """

    time: NDArray[np.int64]
    partition: NDArray[np.int32]
    offset: NDArray[np.int64]
    retraining: tuple[str, ...]
    progress: tuple[str, ...]
    version: tuple[str, ...]
    by: tuple[str, ...]

    def __len__(self) -> int:
        """Return the number of reports."""
        return len(self.time)

    @classmethod
    def empty(cls) -> Self:
        """Return no reports."""
        return cls(np.empty(0, np.int64), np.empty(0, np.int32), np.empty(0, np.int64), (), (), (), ())
