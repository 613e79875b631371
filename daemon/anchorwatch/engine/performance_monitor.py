"""Accuracy metrics of mature windows, and whether they are worse than the baseline's by more than a margin."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from anchorwatch.decide.evidence import OWN, Kind
from anchorwatch.engine import budget
from anchorwatch.engine.answers import Answers, made_at
from anchorwatch.engine.confusion import confusion
from anchorwatch.engine.finding import Finding
from anchorwatch.engine.metric_season import SUPPORT
from anchorwatch.engine.metric_standard import Closed, Standard
from anchorwatch.engine.panes import Moment
from anchorwatch.engine.performance import Past, Performance, Terms
from anchorwatch.engine.sampling import sampled
from anchorwatch.engine.season import Season
from anchorwatch_detectors.base import Direction, Level, Verdict
from anchorwatch_detectors.metric import CLASSES
from anchorwatch_detectors.non_inferiority import standing

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from anchorwatch.engine.baseline import Baseline
    from anchorwatch.engine.known import Known
    from anchorwatch.engine.reference import Block, Reference
    from anchorwatch.engine.revisions import Revisions
    from anchorwatch.engine.version import Version
    from anchorwatch.engine.watch import Watch
    from anchorwatch_detectors.metric import Estimate, Metric

MONITOR = "non_inferiority"
REMEMBERED = 64
"""Windows that are remembered for judging."""
ERRORS = 4.0
"""Excess over the margin that is looked for, in errors of the baseline, the margin itself added: less can hardly be
told from them, and of more each window says enough."""
CALM = 3
"""Windows whose mean tells that a change is over."""


def follow(
    watch: Watch,
    version: Version,
    rows: Block,
    labelled: tuple[Block, Revisions],
    time: NDArray[np.int64],
    frontier: int,
) -> list[Finding]:
    """Take predictions and labelled ones, and close the windows that are mature.

    Parameters
    ----------
    watch, version
        Whose they are; the version's figures are brought forward.
    rows, labelled
        Predictions that are watched; those whose label has come, and labels that replaced another.
    time
        Event time of every position of the release.
    frontier
        Every event before it has come.
    """
    reference, baseline = version.outcomes_reference, version.baseline
    if watch.figures is None or reference is None or baseline is None or baseline.outcomes is None:
        return []
    if version.performance is None:
        rate = budget.rate_of(baseline.predictions or baseline.outcomes) * watch.sample
        terms = Terms.of(watch.figures, baseline.outcomes, rate, made_here=watch.given is None)
        version.performance = Performance(terms)
    state, groups = version.performance, len(reference.groups)
    if watch.sample < 1.0:
        rows = rows.take(sampled(rows.ident, watch.sample))
    if len(rows):
        state.add(rows, reference.members(rows), groups)
    came, revised = labelled
    if len(came):
        state.add_labelled(came, reference.members(came), groups)
    if len(revised.time):
        state.revise(revised)
    due = state.due(frontier)
    if not due:
        return []
    standard = _standard(watch, baseline, reference, state.terms)
    findings: list[Finding] = []
    for number in due:
        findings += _close(watch, state, number, standard, time)
    return findings


def is_due(version: Version, frontier: int) -> bool:
    """Whether event time alone closes a window."""
    return version.performance is not None and bool(version.performance.due(frontier))


def _standard(watch: Watch, baseline: Baseline, reference: Reference, terms: Terms) -> Standard:
    part = baseline.outcomes
    if part is None:
        raise RuntimeError("a baseline without outcomes has no accuracy figures to be held against")
    # labels may come in bursts, predictions tell how many windows there are
    windows = budget.windows_between(watch.budget, baseline.predictions or part, watch.tracks(), terms.span)
    groups = [g for g in part.groups if not g.column or g.column in reference.segment_columns]
    judged = 0 if watch.figures is None else len(watch.figures.margins)
    season = part.metric_season if isinstance(part.metric_season, Season) else None
    return Standard(groups, math.log(windows * max(judged * len(groups), 1)), reference.baseline, baseline, season)


def _close(watch: Watch, state: Performance, number: int, standard: Standard, time: NDArray[np.int64]) -> list[Finding]:
    """Take a mature window out and return what is said of its metrics."""
    span, figures = state.opened.pop(number), watch.figures
    if figures is None:
        return []
    due = state.terms.due(number)
    moment = Moment(int(np.searchsorted(time, due)), 0, due)
    start = max(state.terms.origin + number * state.terms.span, state.terms.begin)
    answers = Answers.of(figures.kind, span.rows.words, figures.k, figures.named)
    findings: list[Finding] = []
    for g, group in enumerate(standard.groups):
        n = int(span.labelled[g])
        if n < figures.min_sample and g:
            continue
        here = (span.rows.members == g).any(axis=0)
        mine = answers if g == 0 else answers.take(here)
        times = standard.slots(made_at(span.rows.words), here)
        closed = Closed(g, group.label, moment, start, int(span.predictions[g]), n, times)
        found = {m: m.of(mine.truth, mine.given(m)) for m in figures.metrics()}
        findings += [_finding(watch, state, standard, closed, metric, each) for metric, each in found.items()]
        if g == 0 and n >= figures.min_sample:
            state.newest = _shown(closed, state.terms, found)
            if figures.kind in CLASSES:
                state.newest["confusion"] = confusion(span.rows.words, standard.baseline, figures.classes)
    return findings


def _finding(
    watch: Watch, state: Performance, standard: Standard, closed: Closed, metric: Metric, found: Estimate
) -> Finding:
    figures = watch.figures
    known = standard.known(closed, metric)
    margin = None if figures is None else figures.margins.get(metric.name)
    key = (closed.group, metric.name)
    if figures is not None and closed.labelled < figures.min_sample:
        verdict = _said(Level.UNDETERMINED, "too_few_labels", closed, metric, found, known)
    elif not math.isfinite(found.value):
        verdict = _said(Level.UNDETERMINED, "undefined", closed, metric, found, known)
    elif margin is None:
        verdict = _said(Level.UNDETERMINED, "not_judged", closed, metric, found, known)
    elif known is None:
        verdict = _said(Level.UNDETERMINED, "not_in_baseline", closed, metric, found, known)
    elif min(found.support, known.support) < SUPPORT:
        verdict = _said(Level.UNDETERMINED, "too_few_values", closed, metric, found, known)
    else:
        margin *= abs(known.value) if metric.relative else 1.0
        level = standard.level(closed, metric, known)
        past = state.past.get(key, Past())
        past = _remembered(past, metric, closed.start, found, known, margin, level)
        past = past if standard.season is not None else replace(past, doubt=past.doubt[:0])
        say = partial(_said, closed=closed, metric=metric, found=found, known=known, margin=margin)
        verdict, state.past[key] = _judged(past, standard.between, margin * level, known.error * level, closed, say)
    decisive = verdict.level is Level.DRIFT
    return Finding(closed.moment, closed.segment, Kind.ACCURACY, metric.name, MONITOR, verdict, standard.id, decisive)


def _remembered(
    past: Past, metric: Metric, start: int, found: Estimate, known: Known, margin: float, unit: float
) -> Past:
    """Return what is remembered, with one window more.

    Its variance is that of so many of the baseline's values, or its own where that is larger: an estimate whose weight
    went by itself would favour windows that are good by chance. All is remembered in multiples of `unit`.
    """
    sign = -1.0 if metric.larger_is_better else 1.0
    worse = sign * (found.value - known.value) - (found.excess if sign > 0 else 0.0) - margin
    better = -sign * (found.value - known.value) - (known.excess if sign > 0 else 0.0) - margin
    variance = max(found.error**2, known.error**2 * known.support / found.support)
    return replace(
        past,
        worse=np.append(past.worse, worse * unit)[-REMEMBERED:],
        better=np.append(past.better, better * unit)[-REMEMBERED:],
        variance=np.append(past.variance, variance * unit**2)[-REMEMBERED:],
        start=np.append(past.start, np.int64(start))[-REMEMBERED:],
        doubt=np.append(past.doubt, (known.error * unit) ** 2)[-REMEMBERED:],
    )


def _judged(
    past: Past, between: float, margin: float, error: float, closed: Closed, say: Callable[[Level, str], Verdict]
) -> tuple[Verdict, Past]:
    """Return the verdict, and what is remembered after it; `error` is that of what the window is held against."""
    shared = past.doubt if len(past.doubt) else error**2
    if past.told:
        column = past.worse if past.told > 0 else past.better
        recent = slice(-min(past.told_for + 1, CALM), None)
        weight = 1.0 / past.variance[recent]
        mean = float((column[recent] * weight).sum() / weight.sum()) + margin
        if mean < abs(past.told) / 2:
            return say(Level.STABLE, "back_to_baseline"), Past()
        direction = Direction.WORSE if past.told > 0 else Direction.BETTER
        verdict = say(Level.DRIFT, direction.value)
        return verdict._replace(direction=direction), replace(past, told_for=past.told_for + 1)
    for direction, column in ((Direction.WORSE, past.worse), (Direction.BETTER, past.better)):
        evidence, since = standing(column, past.variance, shared, margin + ERRORS * error)
        if evidence >= between:
            weight = 1.0 / past.variance[since:]
            size = float((column[since:] * weight).sum() / weight.sum()) + margin
            began, before = int(past.start[since]), int(past.start[max(since - 1, 0)])
            ended = int(past.start[since + 1]) if since + 1 < len(past.start) else closed.moment.time
            verdict = say(Level.DRIFT, direction.value)
            verdict = verdict._replace(direction=direction, since=began, since_low=before, since_high=ended)
            return verdict, replace(past, told=size if direction is Direction.WORSE else -size, told_for=1)
    return say(Level.STABLE, "within_margin"), past


def _said(
    level: Level,
    reason: str,
    closed: Closed,
    metric: Metric,
    found: Estimate,
    known: Known | None,
    margin: float = 0.0,
) -> Verdict:
    sign = 1.0 if metric.larger_is_better else -1.0
    effect = math.nan if known is None else found.value - known.value
    finite = math.isfinite(found.value)
    return Verdict(
        level=level,
        reason=reason,
        statistic=found.value,
        threshold=math.nan if known is None or not margin else known.value - sign * margin,
        effect=effect,
        effect_unit=OWN,
        direction=Direction.BETTER if sign * effect >= 0 else Direction.WORSE,
        n=found.n,
        low=found.low if finite else None,
        high=found.high if finite else None,
        coverage=closed.coverage,
    )


def _shown(closed: Closed, terms: Terms, found: dict[Metric, Estimate]) -> dict[str, Any]:
    """Return the figures of a window ready to be shown."""
    return {
        "from": closed.start,
        "until": closed.moment.time - terms.mature,
        "predictions": closed.predictions,
        "labelled": closed.labelled,
        "coverage": closed.coverage,
        "metrics": {
            metric.name: {"value": each.value, "low": each.low, "high": each.high, "n": each.n}
            for metric, each in found.items()
            if math.isfinite(each.value)
        },
    }
