"""What kafka-python has read of a partition before it was paused, and its taking up again.

It parks such records, and takes them up again only once it holds no others. In 3.0.12 those it has given out to the
last count as held until a fetch brings more: where every other partition is paused too, none ever does, and the parked
ones wait for good. There is no public way to them; a test on a real broker pins what is relied on here.
"""

from __future__ import annotations

from typing import Any


def take_up_parked(consumer: Any) -> None:
    """Let the next poll of a `KafkaConsumer` take up what was parked of partitions that are paused no more."""
    fetcher = consumer._fetcher  # noqa: SLF001  see above
    held = fetcher._next_partition_records  # noqa: SLF001  as above
    if held is not None and not held:
        fetcher._next_partition_records = None  # noqa: SLF001  as above
