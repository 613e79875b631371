"""A whole configuration judged by its alerts: the log is replayed, and the changes in it are known."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from anchorwatch.app import models_of, topics_of
from anchorwatch.decide.evidence import Kind
from anchorwatch.decide.instants import rfc3339
from anchorwatch.errors import NoData, UsageError
from anchorwatch.events.decode import Decoder
from anchorwatch.replay import replay
from anchorwatch_detectors.evaluate import first_in_time, score

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from numpy.typing import NDArray

    from anchorwatch.clock import Clock
    from anchorwatch.engine.watch import Watch
    from anchorwatch.events.records import Partition, Records, Source
    from anchorwatch.settings.models import Settings
    from anchorwatch.store.reader import Reader
    from anchorwatch_detectors.evaluate import Score

    Ints = NDArray[np.int64]

ANY: Final = "any"
"""Stands for alerts of all kinds together."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What the alerts of one kind are worth.

    Attributes
    ----------
    score
        Counted in predictions, from the end of the baseline on.
    delay_time
        Mean event time from a change to the alert that detects it, ns; NaN if none was detected.
    """

    score: Score
    delay_time: float


@dataclass(frozen=True, slots=True)
class WatchReport:
    """How a configuration did on a log.

    Attributes
    ----------
    model
        The model.
    predictions, baseline
        Predictions in the log, each counted once, and how many of the first make the baseline (0 where it is given).
    changes
        Event times of the changes, ns.
    kinds
        Per kind of alert that the configuration watches for, and `ANY`, what its alerts are worth.
    """

    model: str
    predictions: int
    baseline: int
    changes: tuple[int, ...]
    kinds: dict[str, Judged]


def judge_watch(
    settings: Settings,
    model: str,
    source: Source,
    clock: Clock,
    changes: Sequence[str],
    *,
    most: int | None = None,
    baselines: Reader | None = None,
    progress: Callable[[int], None] | None = None,
) -> WatchReport:
    """Replay a log and judge the alerts of a model.

    An alarm is an alert that fires; its reminders and its end are none. It counts at the event time at which it became
    known. A watch is held against a baseline to which a changed model does not return, so no alert is false from the
    first change on.

    Parameters
    ----------
    settings, model
        The configuration, and the model that is judged.
    source
        The log, as for `replay`.
    clock
        Time.
    changes
        Each an event time (ISO 8601; without a zone it is UTC), or the number of a prediction in the order of event
        time, from 0.
    most
        Largest delay with which a change counts as detected, in predictions; None allows the time to the next change.
    baselines
        Where baselines are looked up by name.
    progress
        Called now and then with the number of records read so far.

    Raises
    ------
    UsageError
        If a change lies outside the log or within the baseline.
    NoData
        If there was not one record, or no prediction of the model.
    """
    asked = {text: int(text) if text.isdecimal() else _time(text) for text in changes}
    noting = _Noting(source, Decoder(model, settings.models[model]), topics_of(settings.models[model]), clock)
    report = replay(settings, noting, clock, baselines=baselines, progress=progress)
    times = noting.times()
    if not len(times):
        raise NoData(f"the log holds no usable prediction of model {model}: is it the right file?")
    watch = next(each.watch for each in models_of(settings, baselines) if each.watch.name == model)
    first = watch.first if watch.given is None else 0
    at = _places(asked, times, first)
    fired = _fired(report.alerts, model)
    kinds = [*(str(kind) for kind in Kind if kind in _watched(watch) or str(kind) in fired), ANY]
    return WatchReport(
        model=model,
        predictions=len(times),
        baseline=first,
        changes=tuple(int(time) for time in times[at]),
        kinds={kind: _judged(fired.get(kind, []), times, at, first, most) for kind in kinds},
    )


def _judged(fired: Sequence[int], times: Ints, at: Ints, first: int, most: int | None) -> Judged:
    """Return what alerts are worth that fired at these event times."""
    known = np.sort(np.array(fired, np.int64))
    events = len(times) - first
    places = np.clip(np.searchsorted(times, known, "right") - 1 - first, 0, max(events - 1, 0))
    found = first_in_time(places, at - first, events, most)
    hit = found >= 0
    waits = known[np.searchsorted(places, found[hit])] - times[at[hit]]
    delay = float(np.maximum(waits, 0).mean()) if len(waits) else math.nan
    return Judged(score(places, at - first, events, most, lasting=True), delay)


def _places(asked: Mapping[str, int], times: Ints, first: int) -> Ints:
    """Return the positions of changes among the predictions in the order of event time, from 0."""
    found = set()
    for text, place in asked.items():
        row = place if text.isdecimal() else int(np.searchsorted(times, place))
        if not 0 < row < len(times):
            span = f"{rfc3339(int(times[0]))} to {rfc3339(int(times[-1]))}"
            raise UsageError(f"--change {text}: the log has predictions 0 to {len(times) - 1}, made from {span}")
        if row < first:
            raise UsageError(
                f"--change {text}: lies within the baseline, which is made of the first {first} predictions; shorten "
                "`baseline.first`, or give a baseline"
            )
        found.add(row)
    return np.array(sorted(found), np.int64)


def _time(text: str) -> int:
    """Return ns since the epoch."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise UsageError(
            f"--change {text}: is neither the number of a prediction, from 0, nor a time such as 2026-05-01T12:00:00Z"
        ) from error
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return round(moment.timestamp() * 1e6) * 1000


def _fired(alerts: Sequence[Mapping[str, Any]], model: str) -> dict[str, list[int]]:
    """Return the event times at which alerts of a model fired, by kind and for all together."""
    found: dict[str, list[int]] = {}
    for alert in alerts:
        data = alert["data"]
        if data["labels"]["model"] == model and data["notice"] == 1:
            at = _time(alert["time"])
            found.setdefault(data["labels"]["kind"], []).append(at)
            found.setdefault(ANY, []).append(at)
    return found


def _watched(watch: Watch) -> set[str]:
    """Return the kinds of trouble that a watch looks for."""
    kinds: set[str] = set()
    for plan in (watch.predictions, watch.outcomes):
        if plan is not None:
            kinds |= {plan.columns[i].kind for family in plan.families for i in family.columns}
            kinds |= {lookout.kind for lookout in plan.lookouts}
            kinds |= set(plan.shares)
            kinds |= {Kind.SCHEMA} if plan.schema_run is not None else set()
    return kinds


class _Noting:
    """A source that notes the event times of the predictions which pass."""

    def __init__(self, source: Source, decoder: Decoder, topics: Collection[str], clock: Clock) -> None:
        self._source, self._decoder, self._topics, self._clock = source, decoder, topics, clock
        self._idents: list[NDArray[np.uint64]] = []
        self._times: list[Ints] = []
        self.partitions, self.seek = source.partitions, source.seek
        self.ended, self.caught_up = source.ended, source.caught_up
        self.commit, self.close = source.commit, source.close

    def times(self) -> Ints:
        """Return the event time of each prediction, sorted; one that came twice counts once."""
        if not self._times:
            return np.empty(0, np.int64)
        _, first = np.unique(np.concatenate(self._idents), axis=0, return_index=True)
        return np.sort(np.concatenate(self._times)[first])

    def poll(self, limit: int, timeout: float, paused: Collection[Partition] = ()) -> Sequence[Records]:
        """Return records, and note what they hold."""
        found = self._source.poll(limit, timeout, paused)
        mine = [records for records in found if records.partition.topic in self._topics]
        if mine:
            partitions = sorted({records.partition for records in mine})
            batch, _ = self._decoder.decode(mine, partitions, self._clock.now())
            self._idents.append(batch.predictions.ident)
            self._times.append(batch.predictions.time)
        return found
