"""What simulated traffic is made of: records to write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

PREDICTIONS: Final = "fraud.predictions"
LABELS: Final = "fraud.labels"


class Message(NamedTuple):
    """A record to write: its topic, key and value, and its event time in ns since the epoch."""

    topic: str
    key: bytes
    value: bytes
    time: int


def iso(times: NDArray[np.int64]) -> list[str]:
    """Return times as ISO 8601 text in UTC, to the millisecond."""
    texts: list[str] = np.datetime_as_string(times.view("datetime64[ns]"), unit="ms", timezone="UTC").tolist()
    return texts
