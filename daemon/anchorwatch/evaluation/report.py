"""What is told of an evaluation: a table for people, and numbers for machines."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from anchorwatch.decide.instants import lasting, readable, rfc3339
from anchorwatch_detectors.trials import Feed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from anchorwatch.evaluation.watch import WatchReport
    from anchorwatch_detectors.evaluate import Score
    from anchorwatch_detectors.trials import Tried

_NUMBERS = (
    "detected", "missed", "delay", "false_alarms", "between_false_alarms", "precision", "recall", "f1", "alarms",
    "changes", "events", "quiet",
)  # fmt: skip
_JUDGED = ("false alarms", "between false alarms", "precision", "recall", "F1")
_FEEDS = {
    Feed.RANKS: "ranks are those within the baseline, as the daemon feeds features",
    Feed.VALUES: "values are the column's own, in its unit",
}
_KINDS = (
    "A change need not show in every kind of alert; the last line counts those of all kinds together. What they said: "
    "anchorwatch replay, with the same log."
)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What is told.

    Attributes
    ----------
    head
        What was looked at.
    columns, rows
        The table.
    notes
        What has to be known to read it.
    plain
        The same for machines: what JSON can say, None for what is undefined.
    """

    head: str
    columns: tuple[str, ...]
    rows: list[tuple[str, ...]]
    notes: list[str]
    plain: dict[str, Any]


@dataclass(frozen=True, slots=True)
class About:
    """What detectors were tried on.

    Attributes
    ----------
    head
        In words, a line or more.
    plain
        For machines.
    first
        Row of the log that is the first of the stream; None for streams of no log.
    notes
        What else has to be known.
    """

    head: str
    plain: dict[str, Any]
    first: int | None = None
    notes: tuple[str, ...] = ()


def of_detectors(
    found: Mapping[str, Tried], about: About, most: int | None, left_out: Sequence[str] = ()
) -> Evaluation:
    """Return what is told of detectors, the best first.

    Parameters
    ----------
    found
        What came of each.
    about
        What they were tried on.
    most
        Largest delay that was allowed.
    left_out
        Those that were not tried, because they count errors.
    """
    ordered = sorted(found.items(), key=lambda item: _merit(item[1].score))
    feeds = sorted({each.feed for each in found.values()} & _FEEDS.keys())
    notes = list(about.notes)
    notes += [f"Fed: {'; '.join(_FEEDS[feed] for feed in feeds)}."] if feeds else []
    notes += _undefined([each.score for _, each in ordered], "values")
    if left_out:
        notes.append(f"Left out, because they count errors: {', '.join(left_out)}.")
    rows = [
        (name, str(each.feed), *_counts(each.score), _number(each.score.delay, 0), *_shares(each.score))
        for name, each in ordered
    ]
    plain = [
        {"detector": name, "fed": str(each.feed), **plain_score(each.score), **_alarm_rows(each, about.first)}
        for name, each in ordered
    ]
    return Evaluation(
        head=f"{about.head}\n{_rule(most, 'values')}",
        columns=("detector", "fed", "detected", "missed", "delay", *_JUDGED),
        rows=rows,
        notes=notes,
        plain={**about.plain, "max_delay": most, "detectors": plain, "left_out": list(left_out)},
    )


def of_watch(report: WatchReport, config: str, most: int | None) -> Evaluation:
    """Return what is told of a configuration: delays in predictions, and in event time.

    Parameters
    ----------
    report
        What came of it.
    config
        Its path.
    most
        Largest delay that was allowed.
    """
    known = ", ".join(readable(at) for at in report.changes)
    head = (
        f"{config}, model {report.model}: {report.predictions:,} predictions. Baseline: "
        f"{f'the first {report.baseline:,}' if report.baseline else 'given'}. Known changes: {known or 'none'}."
    )
    rows = [
        (
            kind,
            *_counts(each.score),
            _number(each.score.delay, 0),
            "NaN" if math.isnan(each.delay_time) else lasting(int(each.delay_time)),
            *_shares(each.score),
        )
        for kind, each in report.kinds.items()
    ]
    kinds = [
        {"kind": kind, "delay_seconds": _defined(each.delay_time / 1e9), **plain_score(each.score)}
        for kind, each in report.kinds.items()
    ]
    plain = {
        "configuration": config,
        "model": report.model,
        "predictions": report.predictions,
        "baseline": report.baseline,
        "changes": [rfc3339(at) for at in report.changes],
        "max_delay": most,
        "kinds": kinds,
    }
    return Evaluation(
        head=f"{head}\n{_rule(most, 'predictions')}",
        columns=("kind", "detected", "missed", "delay", "in event time", *_JUDGED),
        rows=rows,
        notes=[_KINDS, *_undefined([each.score for each in report.kinds.values()], "predictions")],
        plain=plain,
    )


def plain_score(score: Score) -> dict[str, float | None]:
    """Return a score by the names of its numbers; None for what is undefined, because JSON has no word for NaN."""
    return {name: _defined(getattr(score, name)) for name in _NUMBERS}


def _alarm_rows(tried: Tried, first: int | None) -> dict[str, list[int]]:
    """Return the rows of the log at which there were alarms."""
    return {} if first is None else {"alarm_rows": [int(at) + first for alarms in tried.alarms for at in alarms]}


def _merit(score: Score) -> tuple[float, float, int]:
    """Return what puts the better one first: F1, then an early detection, then few false alarms."""
    delay = math.inf if math.isnan(score.delay) else score.delay
    return (-1.0 if math.isnan(score.f1) else -score.f1, delay, score.false_alarms)


def _counts(score: Score) -> tuple[str, str]:
    return f"{score.detected:,}", f"{score.missed:,}"


def _shares(score: Score) -> tuple[str, ...]:
    shares = (_number(value, 3) for value in (score.precision, score.recall, score.f1))
    return f"{score.false_alarms:,}", _number(score.between_false_alarms, 0), *shares


def _rule(most: int | None, unit: str) -> str:
    reach = "any time before the next change" if most is None else f"within {most:,} {unit}"
    return f"An alarm {reach} detects a change."


def _undefined(scores: Sequence[Score], unit: str) -> list[str]:
    """Say what NaN means where it stands."""
    notes = []
    if any(score.changes and not score.detected for score in scores):
        notes.append("no delay without a detection")
    if any(math.isnan(score.precision) for score in scores):
        notes.append("no precision without an alarm that counts")
    if calm := [score.quiet for score in scores if not score.false_alarms]:
        span = f"{min(calm):,}" if min(calm) == max(calm) else f"{min(calm):,} to {max(calm):,}"
        notes.append(f"nothing between false alarms where {span} {unit} at rest brought none")
    return [f"NaN is what is undefined: {'; '.join(notes)}."] if notes else []


def _number(value: float, digits: int) -> str:
    return "NaN" if math.isnan(value) else f"{value:,.{digits}f}"


def _defined(value: float) -> float | None:
    return None if math.isnan(value) else value
