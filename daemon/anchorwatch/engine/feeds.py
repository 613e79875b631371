"""How much comes of a version: predictions and labels, bin by bin of event time, whatever is in them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

import numpy as np

from anchorwatch.engine import budget, label_shares, volume
from anchorwatch.engine.arrivals import Arrivals
from anchorwatch.engine.label_feed import Came, Feed
from anchorwatch.engine.labelling import WINDOWS, Gathered, Labelling
from anchorwatch.engine.sampling import sampled
from anchorwatch.engine.volume import Volume

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from anchorwatch.engine.baseline import Part
    from anchorwatch.engine.finding import Finding
    from anchorwatch.engine.join import Outcomes
    from anchorwatch.engine.pending import Release
    from anchorwatch.engine.routing import Routed
    from anchorwatch.engine.state import State
    from anchorwatch.engine.version import Version
    from anchorwatch.engine.watch import Watch
    from anchorwatch.events.columns import Batch

PART: Final = 0.1
"""What these monitors may add to a model's false alarms, each, as a part of them."""
_LEAST: Final = 1e-15


@dataclass(frozen=True, slots=True)
class Feeds:
    """What is counted of a version's feeds.

    Attributes
    ----------
    gathered
        For the baseline to come.
    volume, labels
        What is watched; `labels` is None before there is a baseline.
    """

    gathered: Gathered = field(default_factory=Gathered.none)
    volume: Volume = field(default_factory=Volume)
    labels: Feed | None = None

    def to_plain(self) -> dict[str, Any]:
        """Return it as plain data."""
        labels = None if self.labels is None else self.labels.to_plain()
        return {"gathered": self.gathered.to_plain(), "volume": self.volume.to_plain(), "labels": labels}

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Self:
        """Return what `to_plain` described."""
        labels = None if plain["labels"] is None else Feed.from_plain(plain["labels"])
        return cls(Gathered.from_plain(plain["gathered"]), Volume.from_plain(plain["volume"]), labels)


def gather(watch: Watch, version: Version, code: int, release: Release, routed: Routed, outcomes: Outcomes) -> Version:
    """Keep when predictions of a version were made and labelled, while its baseline of outcomes is still to come."""
    if watch.label_limits is None or version.outcomes is None or version.outcomes.gathered is None:
        return version
    mine = (routed.version == code) & sampled(routed.records.ident, watch.sample)
    labels = outcomes.record.version == code
    if not mine.any() and not labels.any():
        return version
    labelled, at = outcomes.record.time[labels], outcomes.at[labels]
    gathered = version.feeds.gathered.add(
        (routed.records.time[mine], routed.records.token[mine], routed.at[mine]),
        (labelled, release.time[at] - labelled, outcomes.record.token[labels], at),
    )
    return replace(version, feeds=replace(version.feeds, gathered=gathered))


class Reached(NamedTuple):
    """How far event time has come, and up to when every prediction that will ever come has come."""

    frontier: int
    predictions: int


def reached(state: State, batch: Batch, routed: Routed) -> Reached:
    """Return how far event time has come; the end of a log is no silence."""
    frontier = state.mark.frontier
    if not batch.over:
        return Reached(frontier, frontier)
    newest = [version.seen for version in state.versions] + routed.records.time[-1:].tolist()
    return Reached(frontier, min(frontier, max(newest, default=frontier)))


def follow(
    watch: Watch,
    version: Version,
    code: int,
    release: Release,
    routed: Routed,
    outcomes: Outcomes,
    now: Reached,
) -> tuple[Version, list[Finding]]:
    """Watch the feeds of a version, once its tracks have taken the release."""
    mine = routed.version == code
    first = int(routed.records.time[mine][0]) if mine.any() else None
    feeds, findings = _volume(watch, version, first, release, routed.records.time, now.predictions)
    if version.outcomes is not None and version.outcomes.gathered is None and len(feeds.gathered.made):
        feeds = replace(feeds, gathered=Gathered.none())
    labels = outcomes.record.version == code
    labelled = outcomes.record.time[labels]
    chosen = mine & sampled(routed.records.ident, watch.sample)
    came = Came(
        routed.records.time[chosen],
        routed.records.token[chosen],
        labelled,
        release.time[outcomes.at[labels]] - labelled,
        outcomes.record.token[labels],
    )
    feeds, more = _labels(watch, version, feeds, first, came, release, now.frontier)
    gathered = replace(
        feeds.gathered,
        made_at=np.full(len(feeds.gathered.made), -1),
        labelled_at=np.full(len(feeds.gathered.labelled), -1),
    )
    if feeds is version.feeds and not len(gathered.made):
        return version, []
    return replace(version, feeds=replace(feeds, gathered=gathered)), findings + more


def _volume(
    watch: Watch, version: Version, first: int | None, release: Release, made: NDArray[np.int64], frontier: int
) -> tuple[Feeds, list[Finding]]:
    feeds, part = version.feeds, version.baseline.predictions if version.baseline is not None else None
    if watch.volume_limits is None or part is None or not isinstance(part.arrivals, Arrivals):
        return feeds, []
    baseline = version.predictions_reference.baseline if version.predictions_reference is not None else ""
    level = _level(watch, part, part.rows / len(part.arrivals.counts))
    against = volume.Against(part.arrivals, watch.cycle, baseline, level)
    state = feeds.volume
    if state.bin is None:
        begin = part.end if watch.given is None else first
        if begin is None:
            return feeds, []
        state = state.begin(against, begin)
    state, findings = state.follow(watch.volume_limits, against, made, frontier, release.time)
    return replace(feeds, volume=state), findings


def _labels(
    watch: Watch,
    version: Version,
    feeds: Feeds,
    first: int | None,
    came: Came,
    release: Release,
    frontier: int,
) -> tuple[Feeds, list[Finding]]:
    part = version.baseline.outcomes if version.baseline is not None else None
    reference = version.outcomes_reference
    if watch.label_limits is None or part is None or not isinstance(part.labelling, Labelling) or reference is None:
        return feeds, []
    predictions = float(np.sum(part.labelling.counts, axis=0)[0])
    against = label_shares.Against(part.labelling, reference.baseline, _level(watch, part, predictions / WINDOWS))
    state = feeds.labels
    if state is None:
        begin = part.end if watch.given is None else first
        if begin is None:
            return feeds, []
        state = Feed.begin(against, begin)
    state, findings = state.follow(watch.label_limits, against, came, frontier, release.time)
    return replace(feeds, labels=state), findings


def _level(watch: Watch, part: Part, rows: float) -> float:
    """Return the chance of a false alarm that one window of so many rows may have."""
    return float(np.clip(PART * rows / budget.run_length(watch.budget, part, 1), _LEAST, 1.0 - PART))
