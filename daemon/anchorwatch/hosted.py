"""One model in the hands of a host."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from anchorwatch.engine.state import State
    from anchorwatch.engine.watch import Watch
    from anchorwatch.events.decode import Decoder
    from anchorwatch.events.records import Partition
    from anchorwatch.settings.models import EventTime


@dataclass(slots=True)
class Model:
    """One model in the hands of a host.

    Attributes
    ----------
    watch, decoder, topics, event_time
        What is watched, how its records are read, from which topics, and how event time goes.
    state, saved
        What is remembered now, and what was last written; None for nothing yet.
    statuses
        The topic among them on which retrainings are reported; None for none.
    idle
        Partitions that were not waited for at the last step.
    """

    watch: Watch
    decoder: Decoder
    topics: frozenset[str]
    event_time: EventTime
    state: State
    statuses: str | None = None
    saved: State | None = None
    idle: frozenset[Partition] = frozenset()
