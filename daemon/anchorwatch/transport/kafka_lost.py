"""What is told when a log no longer holds our position."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anchorwatch.errors import PositionLost

if TYPE_CHECKING:
    from collections.abc import Mapping

    from anchorwatch.events.records import Partition


def topic_made_anew(topic: str) -> PositionLost:
    """Return the error for a topic that was deleted and created again."""
    return PositionLost(
        f"topic {topic} was deleted and created again while it was read: its offsets start anew, so ours mean nothing "
        "there. Look at what was lost, then start over without the old positions of this topic"
    )


def position_lost(
    positions: Mapping[Partition, int], begins: Mapping[Partition, int], ends: Mapping[Partition, int]
) -> PositionLost:
    """Return the error that tells, partition by partition, what the log no longer holds.

    Parameters
    ----------
    positions
        The positions that are lost.
    begins, ends
        First offset of each log, and the one after its last.
    """
    parts = []
    for partition, at in sorted(positions.items()):
        if at < begins[partition]:
            parts.append(
                f"{partition}: records {at} to {begins[partition] - 1} were removed by retention before we read them"
            )
        else:
            parts.append(
                f"{partition}: we stand at {at}, but the log ends at {ends[partition]}: it was truncated or made anew"
            )
    return PositionLost(
        f"{'; '.join(parts)}. Decide whether to go on from what is there, and look into what is missing"
    )
