"""Records of kafka-python as columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from anchorwatch.events.records import Partition, Records

if TYPE_CHECKING:
    from collections.abc import Sequence


def as_columns(partition: Partition, records: Sequence[Any]) -> Records:
    """Return records of one partition, at least one, as columns.

    Parameters
    ----------
    partition
        Where they come from.
    records
        `kafka.consumer.fetcher.ConsumerRecord`, in the order of their offsets.
    """
    _, _, _, offsets, milliseconds, _, keys, values, headers, *_ = zip(*records, strict=True)
    return Records(
        partition=partition,
        offsets=offsets,
        timestamps=[ms * 1_000_000 if ms >= 0 else None for ms in milliseconds],
        values=values,
        keys=keys if any(key is not None for key in keys) else (),
        headers=[tuple((name, value or b"") for name, value in h) for h in headers] if any(headers) else (),
    )
