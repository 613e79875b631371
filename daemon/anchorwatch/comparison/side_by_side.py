"""Two configurations over one log: equal input for both, and what the second would have told otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from anchorwatch.app import replayed, topics_of
from anchorwatch.comparison.differences import Change, compare
from anchorwatch.comparison.told import What, told_by
from anchorwatch.events.decode import Decoder
from anchorwatch.replay import Run
from anchorwatch.transport.shared import SharedSource

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from numpy.typing import NDArray

    from anchorwatch.clock import Clock
    from anchorwatch.comparison.differences import Comparison
    from anchorwatch.events.columns import Batch, DeadLetter
    from anchorwatch.events.records import Partition, Records, Source
    from anchorwatch.replay import Report
    from anchorwatch.settings.models import Settings
    from anchorwatch.store.reader import Reader


@dataclass(frozen=True, slots=True)
class SideBySide:
    """Two replays and their difference.

    Attributes
    ----------
    first, second
        What each of them found.
    comparison
        The difference between what they told.
    only_first, only_second
        Topics that the models of one configuration alone read.
    """

    first: Report
    second: Report
    comparison: Comparison
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]

    def to_plain(self) -> dict[str, Any]:
        """Return everything as one JSON object."""
        found = self.comparison
        reports = (("first", self.first), ("second", self.second))
        models = {
            name: {
                **{f"{what.value}s": _words(found.counts(name, what)) for what in What},
                "accounting": {key: report.accounting[name] for key, report in reports},
                "baselines": {key: report.baselines.get(name, []) for key, report in reports},
                "verdicts": {key: report.verdicts.get(name, {}) for key, report in reports},
            }
            for name in found.models
        }
        return {
            "models": models,
            "only_first": {"models": list(found.only_first), "topics": list(self.only_first)},
            "only_second": {"models": list(found.only_second), "topics": list(self.only_second)},
            "differences": [difference.to_plain() for difference in found.differences],
        }


def side_by_side(
    settings: tuple[Settings, Settings],
    source: Source,
    clock: Clock,
    *,
    baselines: tuple[Reader | None, Reader | None] = (None, None),
    progress: Callable[[int], None] | None = None,
) -> SideBySide:
    """Run two configurations over one source and compare what they tell.

    Parameters
    ----------
    settings
        The two configurations; their stores and outputs are not touched.
    source
        What is read, once, by both: it holds the topics of both.
    clock
        Time; event time comes from the log.
    baselines
        Where each of them looks up baselines by name.
    progress
        Called now and then with the number of records read so far.

    Raises
    ------
    NoData
        If there was not one record.
    """
    shared = SharedSource(source, 2)
    given = list(zip(settings, shared.readers, baselines, strict=True))
    runs = [Run(each, reader, clock, baselines=known) for each, reader, known in given]
    noted = {hosted.watch.name: _Noting(hosted.decoder) for hosted in runs[0].host.models}
    for hosted in runs[0].host.models:
        hosted.decoder = noted[hosted.watch.name]
    replayed([run.host for run in runs], progress)
    first, second = (run.report() for run in runs)
    told = [told_by(report.alerts, report.triggers) for report in (first, second)]
    times = {name: decoder.times() for name, decoder in noted.items()}
    models = (tuple(settings[0].models), tuple(settings[1].models))
    topics = [all_topics(each) for each in settings]
    return SideBySide(
        first,
        second,
        compare(told[0], told[1], models, times),
        tuple(sorted(topics[0] - topics[1])),
        tuple(sorted(topics[1] - topics[0])),
    )


def all_topics(settings: Settings) -> frozenset[str]:
    """Return the topics that the models of a configuration read."""
    return frozenset[str]().union(*(topics_of(model) for model in settings.models.values()))


class _Noting(Decoder):
    """A decoder that remembers the event times of the predictions that another one has decoded."""

    def __init__(self, decoder: Decoder) -> None:
        self.shape = decoder.shape
        self._decoder = decoder
        self._noted: list[NDArray[np.int64]] = [np.empty(0, np.int64)]

    def decode(
        self,
        records: Sequence[Records],
        partitions: Sequence[Partition],
        now: int,
        idle: Collection[Partition] = (),
        ended: Collection[Partition] = (),
    ) -> tuple[Batch, list[DeadLetter]]:
        """Decode records into a batch, as ever."""
        batch, letters = self._decoder.decode(records, partitions, now, idle, ended)
        self._noted.append(batch.predictions.time)
        return batch, letters

    def times(self) -> NDArray[np.int64]:
        """Return (n,) event times of all predictions so far, ns since the epoch."""
        return np.concatenate(self._noted)


def _words(counts: dict[Change, int]) -> dict[str, int]:
    return {change.value: n for change, n in counts.items()}
