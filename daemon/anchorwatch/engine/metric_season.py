"""What an accuracy metric usually is at the times of the day or week that a window's predictions fall into.

The labelled rows of a baseline are cut into buckets of the cycle by what the model said, by the truth, and by how far
they are apart. A window is held against the mean of its buckets' values, in the proportions in which its own rows fall
into them (direct standardisation). Means and shares of rows have no other part. A metric of ranks also depends on how
rows of different times compare with each other; what the whole baseline's value has of that is added in proportion to
how far the window's rows are spread over the day.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec
import numpy as np

from anchorwatch.engine.known import Hours, Known
from anchorwatch.engine.season import season_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from anchorwatch.engine.answers import Answers
    from anchorwatch.engine.baseline import Group
    from anchorwatch.engine.season import Cycle, Season
    from anchorwatch_detectors.metric import Metric

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

SUPPORT: Final = 20
"""Values that carry a metric, at least, before it is judged: with fewer it is not near normal."""
_DAY: Final = 48  # slots


def season_by(cycle: Cycle, made: Ints, answers: Answers) -> Season:
    """Return the cycle with its buckets, of (n,) predictions made at some event times, n at least 1."""
    number = answers.by_number if answers.by_number.ndim == 1 else answers.by_number[:, 0]
    columns = {
        "truth": answers.truth,
        "class": answers.by_class,
        "number": number,
        "apart": np.abs(answers.truth - number),
        "wrong": (answers.truth != answers.by_class).astype(np.float64),
    }
    cells: dict[str, Ints] = {}
    ranks: dict[str, Floats] = {}
    for name, values in columns.items():
        _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
        cells[name], ranks[name] = place.ravel(), (np.cumsum(counts) - counts / 2.0) / len(values)
    return season_of(cycle, made, cells, ranks)


def hours_of(metrics: Sequence[Metric], answers: Answers, bucket: Ints, buckets: int) -> list[Hours]:
    """Return what the rows of a group tell of metrics, by bucket.

    Parameters
    ----------
    metrics
        Which.
    answers, bucket
        The (n,) rows, and the bucket of each.
    buckets
        How many there are.
    """
    hours = []
    for each in range(buckets):
        here = bucket == each
        rows, mine = int(here.sum()), answers.take(here)
        found = {m.name: m.of(mine.truth, mine.given(m)) for m in metrics} if rows >= SUPPORT else {}
        known = {
            name: Known.of(e)
            for name, e in found.items()
            if e.support >= SUPPORT and np.isfinite([e.value, e.error]).all()
        }
        hours.append(Hours(rows, known))
    return hours


def usual(metric: Metric, season: Season, groups: Sequence[Group], g: int, slots: Ints) -> Known | None:
    """Return what a metric of a group usually is at the times of a window; None where the baseline does not know it.

    A bucket with too few values that carry the metric is taken to differ from the group as that time differs for all
    rows, or not to differ.

    Parameters
    ----------
    metric, season
        Which, and the cycle with its buckets.
    groups, g
        The groups of the baseline, the first of all rows; and which of them it is.
    slots
        (slots,) rows of the window in each slot of the cycle.
    """
    group, everything = groups[g], groups[0]
    if not isinstance(group.metrics, dict) or metric.name not in group.metrics:
        return None
    whole = group.metrics[metric.name]
    if isinstance(group.hours, msgspec.UnsetType) or isinstance(everything.hours, msgspec.UnsetType) or not slots.any():
        return whole
    named = everything.metrics if isinstance(everything.metrics, dict) else {}
    known = [
        _at(metric, mine, theirs, whole, named.get(metric.name))
        for mine, theirs in zip(group.hours, everything.hours, strict=True)
    ]
    bucket, order = np.array(season.buckets, np.int64), metric.order
    value, error, excess = np.array([[k.value, k.error, k.excess] for k in known]).T
    support, n = np.array([[k.support, k.n] for k in known], np.float64).T
    rows = np.array([hours.rows for hours in group.hours], np.float64)
    carried = support / n
    theirs, spread_theirs = _weights((rows / np.bincount(bucket) * carried)[bucket], bucket)
    mine, spread = _weights(slots * carried[bucket], bucket)
    mixed, mixed_theirs = _mean(value, mine, order), _mean(value, theirs, order)
    between = min(spread / spread_theirs, 1.0) if spread_theirs > 0.0 else 0.0
    # delta method: of each bucket's value, and of how many of its rows carry the metric
    slope = np.abs(value / mixed) ** (order - 1.0) if mixed else np.ones(len(value))
    unit = (slope * error) ** 2 * support + (1.0 - carried) * (value - mixed) ** 2
    doubt = float(mine**2 @ (unit / support))
    return Known(
        value=mixed + between * (whole.value - mixed_theirs),
        error=doubt**0.5,
        n=whole.n,
        support=min(int(float(mine @ unit) / doubt + 1e-6), whole.support) if doubt > 0.0 else whole.support,
        excess=float(mine @ excess),
    )


def _mean(value: Floats, weight: Floats, order: float) -> float:
    """Return the power mean of values; the ordinary one, of order 1, of values of any sign."""
    return float(weight @ value) if order == 1.0 else float(weight @ value**order) ** (1.0 / order)


def _weights(slots: Floats, bucket: Ints) -> tuple[Floats, float]:
    """Return (buckets,) shares of what falls into slots, and how far it is spread over the day: 0 at once, 1 evenly."""
    share = slots / slots.sum()
    at = np.exp(2j * np.pi * (np.arange(len(slots)) % _DAY) / _DAY)
    return np.bincount(bucket, share).astype(np.float64), 1.0 - float(abs(share @ at)) ** 2


def _at(metric: Metric, mine: Hours, theirs: Hours, whole: Known, all_rows: Known | None) -> Known:
    """Return what is known of a metric of a group in one bucket."""
    if metric.name in mine.metrics:
        return mine.metrics[metric.name]
    then = theirs.metrics.get(metric.name)
    if then is None or all_rows is None or (metric.relative and not all_rows.value):
        return whole
    by = then.value / all_rows.value if metric.relative else 1.0
    value = whole.value * by if metric.relative else whole.value + then.value - all_rows.value
    scale = whole.value / all_rows.value if metric.relative else 1.0
    error = float(np.hypot(whole.error * by, then.error * scale))
    return msgspec.structs.replace(whole, value=value, error=error)
