"""Which accuracy metrics are computed of a model, and what a baseline keeps of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np

from anchorwatch.engine.answers import Answers, made_at
from anchorwatch.engine.known import Known
from anchorwatch.engine.metric_season import hours_of, season_by
from anchorwatch.engine.panes import Span
from anchorwatch.engine.reference import Reference
from anchorwatch.engine.season import Season, slots_of
from anchorwatch.engine.track import joined
from anchorwatch.events.classes import NEGATIVE, POSITIVE
from anchorwatch_detectors import metrics

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from anchorwatch.engine.answers import Words
    from anchorwatch.engine.baseline import Part
    from anchorwatch.engine.reference import Block
    from anchorwatch.engine.revisions import Revisions
    from anchorwatch.engine.track import Plan
    from anchorwatch.settings.models import Model
    from anchorwatch_detectors.metric import Kind, Metric

ARRIVED = 0.99
"""Share of the baseline's labels that came within the time after which a window counts as mature."""


class Figures(NamedTuple):
    """The accuracy figures of a model.

    Attributes
    ----------
    kind
        What it predicts.
    names
        Metrics that are computed.
    margins
        Those that are held against the baseline, with how much worse than it they may be: in the metric's unit, or
        as a share of the baseline's value where the metric says so.
    span
        How long windows are.
    mature
        Event time after the end of a window at which its labels count as come, ns; None: as the baseline says.
    wait
        The longest a label is waited for, ns.
    min_sample
        Labels that a window has at least.
    k
        Ranks of a list that count; None for others than rankings.
    named
        Classes whose probabilities are given.
    """

    kind: Kind
    names: tuple[str, ...]
    margins: dict[str, float]
    span: Span
    mature: int | None
    wait: int
    min_sample: int
    k: int | None = None
    named: tuple[str, ...] = ()

    @property
    def classes(self) -> tuple[str, ...]:
        """Names of classes that every such model has."""
        return (POSITIVE, NEGATIVE) if self.kind == "binary" else self.named

    def metrics(self) -> list[Metric]:
        """Return the metrics that are computed, in order."""
        return [metrics.find(name) for name in self.names]


def figures_of(model: Model) -> Figures | None:
    """Return the figures of a model; None without labels, or where accuracy is not watched."""
    accuracy = model.monitors.accuracy
    if model.labels is None or not accuracy.enabled:
        return None
    prediction = model.predictions.prediction
    suiting = [
        metric
        for metric in metrics.suiting(prediction.kind, scores=prediction.probable)
        if accuracy.shown or metric.name in accuracy.metrics
    ]
    if not suiting:
        return None
    return Figures(
        kind=prediction.kind,
        names=tuple(m.name for m in suiting),
        margins={
            name: metrics.find(name).margin if judged.margin is None else judged.margin
            for name, judged in sorted(accuracy.metrics.items())
        },
        span=Span(model.windows.size, model.windows.time, model.windows.panes),
        mature=accuracy.mature,
        wait=model.labels.wait,
        min_sample=model.windows.min_sample,
        k=prediction.k if prediction.kind == "ranking" else None,
        named=tuple(sorted(prediction.probabilities)),
    )


def with_metrics(
    part: Part, plan: Plan, figures: Figures | None, gathered: Sequence[Block], revised: Revisions
) -> Part:
    """Return a part of a baseline with the metrics of its rows, by group, and the time its labels took.

    Predictions whose label had less than that time to come are left out: of them only quick labels are there. Labels
    that replaced another within that time are used, as in the windows that are held against the baseline.
    """
    block = joined(gathered)
    if figures is None or block.answers is None:
        return part
    made = made_at(block.answers)
    ident = block.ident[:, 0]
    delay = np.maximum(revised.known(block.answers, ident, block.time) - made, 0)
    usual = int(np.quantile(delay, ARRIVED, method="higher"))
    mature = min(figures.wait, usual if figures.mature is None else figures.mature)
    ripe = made <= part.end - mature
    members = Reference.of("", part, plan.columns, plan.segment_columns).members(block)
    words = revised.within(mature).onto(block.answers, ident)
    groups = []
    for g, group in enumerate(part.groups):
        mine = ripe & np.any([column == g for column in members], axis=0)
        found = estimates(figures, words[:, mine])
        groups.append(msgspec.structs.replace(group, metrics=found) if found else group)
    part = msgspec.structs.replace(part, groups=groups, mature=usual)
    return _by_time(part, figures, words[:, ripe], [column[ripe] for column in members])


def estimates(figures: Figures, words: Words) -> dict[str, Known]:
    """Return what is known of each metric, those left out that the rows are too few for, or do not define."""
    if words.shape[1] < figures.min_sample:
        return {}
    answers = Answers.of(figures.kind, words, figures.k, figures.named)
    found = {m.name: m.of(answers.truth, answers.given(m)) for m in figures.metrics()}
    return {name: Known.of(each) for name, each in found.items() if np.isfinite(each.value)}


def _by_time(part: Part, figures: Figures, words: Words, members: Sequence[NDArray[np.int64]]) -> Part:
    """Return a part with a season with the metrics of its groups by the time of the day or week."""
    if not isinstance(part.season, Season) or not words.shape[1]:
        return part
    answers = Answers.of(figures.kind, words, figures.k, figures.named)
    season = season_by(part.season.cycle, made_at(words), answers)
    bucket = np.array(season.buckets, np.int64)[slots_of(season.cycle, made_at(words))]
    groups = []
    for g, group in enumerate(part.groups):
        if not isinstance(group.metrics, dict):
            groups.append(group)
            continue
        mine = np.any([column == g for column in members], axis=0)
        hours = hours_of(figures.metrics(), answers.take(mine), bucket[mine], max(season.buckets) + 1)
        groups.append(msgspec.structs.replace(group, hours=hours))
    return msgspec.structs.replace(part, groups=groups, metric_season=season)
