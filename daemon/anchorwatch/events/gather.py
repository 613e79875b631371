"""Records of many partitions as one run of payloads, each with the way back to its place."""

from __future__ import annotations

import bisect
import itertools
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from anchorwatch.events.columns import DeadLetter

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from anchorwatch.events.columns import Int32s, Int64s
    from anchorwatch.events.reasons import Reason
    from anchorwatch.events.records import Partition, Records

T = TypeVar("T", bound=np.generic)

NO_TIMESTAMP = np.iinfo(np.int64).min


class Gathered:
    """The payloads of some records, one after the other, tombstones left out.

    Attributes
    ----------
    values
        n payloads.
    tombstones
        How many were left out.
    text
        Whether their numbers stand as text.
    """

    def __init__(self, records: Sequence[Records], codes: Mapping[Partition, int], *, text: bool) -> None:
        self._records = records
        self._codes = codes
        self._starts = [0, *itertools.accumulate(len(r.values) for r in records)]
        everything = list(itertools.chain.from_iterable(r.values for r in records))
        self.text = text
        self.values: list[bytes] = everything  # type: ignore[assignment]  # no None among them, or the next line
        if None in everything:
            self.values = [value for value in everything if value is not None]
        self.tombstones = len(everything) - len(self.values)
        self._positions: Int64s | None = None
        if self.tombstones:
            self._positions = np.array([i for i, value in enumerate(everything) if value is not None], np.int64)

    def __len__(self) -> int:
        """Return how many payloads there are."""
        return len(self.values)

    def partitions(self) -> Int32s:
        """Return the code of each payload's partition."""
        codes = np.array([self._codes[r.partition] for r in self._records], np.int32)
        return self._live(np.repeat(codes, np.diff(self._starts)))

    def offsets(self) -> Int64s:
        """Return the offset of each payload."""
        return self._live(np.concatenate([_whole(r.offsets) for r in self._records]))

    def timestamps(self) -> Int64s:
        """Return each record's own timestamp, `NO_TIMESTAMP` where it has none."""
        stamps = itertools.chain.from_iterable(r.timestamps for r in self._records)
        everything = [NO_TIMESTAMP if stamp is None else stamp for stamp in stamps]
        return self._live(np.array(everything, np.int64))

    def _live(self, column: NDArray[T]) -> NDArray[T]:
        return column if self._positions is None else column[self._positions]

    def letter(self, i: int, model: str, reason: Reason, detail: str) -> DeadLetter:
        """Return the dead letter for payload `i`."""
        position = i if self._positions is None else int(self._positions[i])
        part = bisect.bisect_right(self._starts, position) - 1
        records = self._records[part]
        at = position - self._starts[part]
        return DeadLetter(
            model=model,
            topic=records.partition.topic,
            partition=records.partition.number,
            offset=records.offsets[at],
            reason=reason,
            detail=detail,
            key=records.keys[at] if records.keys else None,
            value=records.values[at],
        )


def _whole(offsets: Sequence[int]) -> Int64s:
    """Return offsets as an array; a range is not looked at one by one."""
    if isinstance(offsets, range):
        return np.arange(offsets.start, offsets.stop, offsets.step, dtype=np.int64)
    return np.asarray(offsets, np.int64)
