"""Reports on retrainings on their way to the decisions: in event-time order, and waited for while some are unread."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from anchorwatch.decide.retraining import Progress, StatusReport
from anchorwatch.engine import watermark
from anchorwatch.engine.watermark import Watermark

if TYPE_CHECKING:
    from anchorwatch.engine.state import State
    from anchorwatch.events.columns import Batch


class Waiting(NamedTuple):
    """A report that may not be taken yet; the order of these is the order in which they are taken.

    Attributes
    ----------
    time
        Event time, ns since the epoch.
    rank
        Place of its progress: of two reports at one time the earlier one comes first.
    retraining, progress, version, by
        What is reported, and who does.
    """

    time: int
    rank: int
    retraining: str
    progress: str
    version: str
    by: str = ""


def heard(state: State, batch: Batch, lateness: int) -> None:
    """Put the reports of a batch with those that wait; one that comes late counts as of now, like a label."""
    statuses = batch.statuses
    if not len(statuses):
        return
    state.count("statuses", len(statuses))
    mark, late, earliest = watermark.admit(
        Watermark(state.heard, state.mark.frontier),
        batch.partitions,
        statuses.partition,
        statuses.offset,
        statuses.time,
        lateness,
    )
    state.heard = dict(mark.newest)
    times = np.where(late, earliest, statuses.time).tolist()
    new = [
        Waiting(time, Progress(progress).rank, ident, progress, version, by)
        for time, ident, progress, version, by in zip(
            times, statuses.retraining, statuses.progress, statuses.version, statuses.by, strict=True
        )
    ]
    state.statuses = tuple(sorted((*state.statuses, *new)))


def held(state: State, batch: Batch, mark: Watermark, lateness: int) -> Watermark:
    """Return the mark no further than reports that are still to be read allow."""
    limits = [
        state.heard[name] - lateness if name in state.heard else state.mark.frontier
        for name in batch.reporting
        if name not in batch.idle
    ]
    frontier = min([mark.frontier, *limits])
    return Watermark(mark.newest, max(state.mark.frontier, frontier))


def due(state: State) -> list[StatusReport]:
    """Take out the reports before the frontier, in order."""
    n = sum(waiting.time < state.mark.frontier for waiting in state.statuses)
    taken, state.statuses = state.statuses[:n], state.statuses[n:]
    return [StatusReport(w.time, w.retraining, Progress(w.progress), w.version, w.by) for w in taken]
