"""Windows against the baseline: one call of each test for all windows and columns of a batch.

A difference counts when it is both beyond noise (false-discovery rate over the columns, shared among the groups) and
large enough to be worth knowing. Either alone is not drift.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from anchorwatch.decide.evidence import Kind
from anchorwatch.engine.finding import Finding
from anchorwatch_detectors.base import Direction, Level, Verdict
from anchorwatch_detectors.correction import benjamini_hochberg

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from anchorwatch.engine.panes import Window
    from anchorwatch.engine.reference import Column, Reference
    from anchorwatch_detectors.base import Comparison, WindowTest


Correction = Callable[["NDArray[np.float64]"], "NDArray[np.float64]"]


@dataclass(frozen=True, slots=True)
class Family:
    """Columns that are watched by the same window test with the same settings.

    Attributes
    ----------
    test
        The test.
    columns
        Positions of the columns in the reference.
    significance
        False-discovery rate of a window.
    smallest_effect
        Difference worth knowing, in the unit of the test.
    min_sample
        Values below which nothing is said.
    correction
        Adjusts the p-values of the columns of a window.
    """

    test: WindowTest
    columns: tuple[int, ...]
    significance: float
    smallest_effect: float
    min_sample: int
    correction: Correction = benjamini_hochberg


def compare(family: Family, reference: Reference, windows: Sequence[Window]) -> list[Finding]:
    """Return a finding for each window and column of the family."""
    if not windows or not family.columns:
        return []
    gather, position = _gather(family, reference)
    current = _padded(np.stack([w.counts for w in windows]), gather)
    groups = [w.group for w in windows]
    before = _padded(reference.usual(windows), gather)
    shape = (len(windows) * len(family.columns), gather.shape[1])
    values = None if position is None else np.tile(position, (len(windows), 1))
    result = family.test.compare(before.reshape(shape), current.reshape(shape), values)
    shift = reference.mean_of(np.stack([w.counts for w in windows])) - reference.means[groups]
    n, known = current.sum(axis=-1), before.sum(axis=-1)
    findings = []
    for i, window in enumerate(windows):
        row = slice(i * len(family.columns), (i + 1) * len(family.columns))
        p = np.where((n[i] >= family.min_sample) & (known[i] >= family.min_sample), result.p_value[row], np.nan)
        adjusted = np.minimum(family.correction(p) * len(reference.groups), 1.0)
        for j, index in enumerate(family.columns):
            verdict = _verdict(
                family, _Row(result, row.start + j, float(adjusted[j]), int(n[i, j]), int(known[i, j])),
                reference.columns[index], float(shift[i, index]), window.start,
            )  # fmt: skip
            findings.append(_finding(reference, window, reference.columns[index], family.test.name, verdict))
    return findings


@dataclass(frozen=True, slots=True)
class _Row:
    result: Comparison
    index: int
    adjusted: float
    n: int
    known: int


def _verdict(family: Family, row: _Row, column: Column, shift: float, since: int) -> Verdict:
    statistic = float(row.result.statistic[row.index])
    effect = float(row.result.effect[row.index])
    direction = direction_of(column.kind, shift)
    signed = math.copysign(effect, shift) if column.numeric and not math.isnan(shift) else effect
    level, reason = _level(family, row, effect)
    return Verdict(
        level=level,
        reason=reason,
        statistic=statistic,
        threshold=family.smallest_effect,
        effect=signed,
        direction=direction,
        n=row.n,
        since=since if level is Level.DRIFT else None,
    )


def _level(family: Family, row: _Row, effect: float) -> tuple[Level, str]:
    if row.known < family.min_sample:
        return Level.UNDETERMINED, "baseline_too_small"
    if row.n < family.min_sample:
        return Level.UNDETERMINED, "too_few_values"
    if not effect >= family.smallest_effect:
        return Level.STABLE, "small_effect"
    if not math.isnan(row.adjusted) and row.adjusted > family.significance:  # a test without p-value goes by effect
        return Level.STABLE, "within_noise"
    return Level.DRIFT, "differs"


def direction_of(kind: Kind, shift: float) -> Direction:
    """Return which way a shift of the mean goes: errors and latencies have a bad side, features have none."""
    if kind not in {Kind.ACCURACY, Kind.LATENCY}:
        return Direction.CHANGED
    return Direction.WORSE if shift > 0 else Direction.BETTER


def _finding(reference: Reference, window: Window, column: Column, monitor: str, verdict: Verdict) -> Finding:
    return Finding(
        moment=window.moment,
        segment=reference.groups[window.group],
        kind=column.kind,
        subject=column.name,
        monitor=monitor,
        verdict=verdict,
        baseline=reference.baseline,
        decisive=False,
    )


def _gather(family: Family, reference: Reference) -> tuple[NDArray[np.int64], NDArray[np.float64] | None]:
    """Return (columns, cells) the places of each column's cells, padded with the place behind the vector's end."""
    columns = list(family.columns)
    widest = int(reference.sizes[columns].max())
    reach = np.arange(widest)
    inside = reach < reference.sizes[columns][:, None]
    gather = np.where(inside, reference.starts[columns][:, None] + reach, reference.width)
    if not reference.columns[columns[0]].numeric:
        return gather, None
    position = np.zeros((len(columns), widest))
    for row, index in enumerate(columns):
        profile = reference.profiles[index]
        cells = profile.position  # type: ignore[union-attr]  # numeric columns have numeric profiles
        position[row] = np.concatenate([cells, np.full(widest - len(cells), cells[-1])])
    return gather, position


def _padded(counts: NDArray[np.int64], gather: NDArray[np.int64]) -> NDArray[np.int64]:
    zero = np.zeros((len(counts), 1), np.int64)
    return np.concatenate([counts, zero], axis=1)[:, gather]
