"""Windows against the baseline: one call of each test for all windows and columns of a batch.

A difference counts when it is both beyond noise (false-discovery rate over the columns, shared among the groups) and
large enough to be worth knowing. Either alone is not drift.

The engine keeps counts over the baseline's cells and no rows, so the cells are what is compared: statistics are exact
over them (`anchorwatch_detectors.bounds` says how far from those of the rows they can be). A p-value is worked out only
where it can change what is said, which is nowhere in a window whose differences are all small; what is said is the same
as if all had been. Values that follow one another are seldom independent: p-values are those of as many independent
values as the window and the baseline are worth, by the inflation that the baseline found for the column.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from anchorwatch.decide.evidence import Kind
from anchorwatch.engine.effects import window_unit
from anchorwatch.engine.finding import Finding
from anchorwatch_detectors.base import Direction, Level, Verdict
from anchorwatch_detectors.correction import benjamini_hochberg

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from anchorwatch.engine.panes import Window
    from anchorwatch.engine.reference import Column, Reference
    from anchorwatch_detectors.comparison import WindowTest


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
        Adjusts the p-values of the columns of a window: steps up through them in order of size, and makes none smaller.
    budgeted
        Whether the significance follows the budget of false alarms.
    """

    test: WindowTest
    columns: tuple[int, ...]
    significance: float
    smallest_effect: float
    min_sample: int
    correction: Correction = benjamini_hochberg
    budgeted: bool = False


def compare(family: Family, reference: Reference, windows: Sequence[Window]) -> list[Finding]:
    """Return a finding for each window and column of the family."""
    if not windows or not family.columns:
        return []
    columns = list(family.columns)
    tables = _tables(family, reference, windows)
    shape = (len(windows), len(columns))
    result = family.test.compare(*tables.joined(), p_values=False)
    statistic, effect = result.statistic.reshape(shape), result.effect.reshape(shape)
    known, n = tables.before.sum(axis=-1), tables.current.sum(axis=-1)
    tested = (known >= family.min_sample) & (n >= family.min_sample)
    groups = [w.group for w in windows]
    shift = (reference.mean_of(np.stack([w.counts for w in windows])) - reference.means[groups])[:, columns]
    findings = []
    for i, window in enumerate(windows):
        real = _beyond_noise(family, reference, tables, i, tested[i], effect[i])
        rows = zip(
            statistic[i].tolist(),
            effect[i].tolist(),
            shift[i].tolist(),
            known[i].tolist(),
            n[i].tolist(),
            real.tolist(),
            strict=True,
        )
        for index, row in zip(columns, map(_Row._make, rows), strict=True):
            verdict = _verdict(family, row, reference.columns[index], window)
            findings.append(_finding(reference, window, reference.columns[index], family.test.name, verdict))
    return findings


def _beyond_noise(
    family: Family,
    reference: Reference,
    tables: _Tables,
    window: int,
    tested: NDArray[np.bool_],
    effect: NDArray[np.float64],
) -> NDArray[np.bool_]:
    """Return (columns,) whether a column of a window that is tested, and its effect large, is beyond noise.

    An adjusted p-value is never below the p-value. So where no large effect has a p-value that is significant without
    adjustment, none is with it, and the p-values of the other columns, which could only help to adjust it, do not
    matter.
    """
    groups = len(reference.groups)
    inflation = reference.inflation[list(family.columns)]

    def p_values(rows: NDArray[np.bool_]) -> NDArray[np.float64]:
        return family.test.compare(*tables.of(window, rows), inflation=inflation[rows]).p_value

    large = tested & (effect >= family.smallest_effect)
    if not large.any():
        return large
    p = np.full(len(tested), np.nan)
    p[large] = p_values(large)
    if (p[large] * groups > family.significance).all():
        return np.zeros_like(large)
    rest = tested & ~large
    if rest.any():
        p[rest] = p_values(rest)
    adjusted = np.minimum(family.correction(p) * groups, 1.0)
    real: NDArray[np.bool_] = large & (np.isnan(p) | (adjusted <= family.significance))  # without p-value, by effect
    return real


class _Row(NamedTuple):
    statistic: float
    effect: float
    shift: float
    known: int
    n: int
    real: bool


def _verdict(family: Family, row: _Row, column: Column, window: Window) -> Verdict:
    level, reason = _level(family, row)
    return Verdict(
        level=level,
        reason=reason,
        statistic=row.statistic,
        threshold=family.smallest_effect,
        effect=math.copysign(row.effect, row.shift) if column.numeric and not math.isnan(row.shift) else row.effect,
        effect_unit=window_unit(family.test.name),
        direction=direction_of(column.kind, row.shift),
        n=row.n,
        **(window.interval() if level is Level.DRIFT else {}),
    )


def _level(family: Family, row: _Row) -> tuple[Level, str]:
    if row.known < family.min_sample:
        return Level.UNDETERMINED, "baseline_too_small"
    if row.n < family.min_sample:
        return Level.UNDETERMINED, "too_few_values"
    if not row.effect >= family.smallest_effect:
        return Level.STABLE, "small_effect"
    return (Level.DRIFT, "differs") if row.real else (Level.STABLE, "within_noise")


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


@dataclass(frozen=True, slots=True)
class _Tables:
    """(windows, columns, cells) counts of baselines and windows, and (columns, cells) positions of numeric cells."""

    before: NDArray[np.int64]
    current: NDArray[np.int64]
    position: NDArray[np.float64] | None

    def joined(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64] | None]:
        """Return all windows as rows of one table."""
        windows, _, cells = self.current.shape
        values = None if self.position is None else np.tile(self.position, (windows, 1))
        return self.before.reshape(-1, cells), self.current.reshape(-1, cells), values

    def of(
        self, window: int, rows: NDArray[np.bool_]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64] | None]:
        """Return some columns of one window."""
        values = None if self.position is None else self.position[rows]
        return self.before[window][rows], self.current[window][rows], values


def _tables(family: Family, reference: Reference, windows: Sequence[Window]) -> _Tables:
    """Return the cells of each column of the family side by side, padded with empty ones up to the widest column."""
    columns = list(family.columns)
    sizes, starts = reference.sizes[columns, np.newaxis], reference.starts[columns, np.newaxis]
    reach = np.arange(int(sizes.max()))
    inside = reach < sizes
    gather = starts + np.minimum(reach, sizes - 1)
    usual, seen = reference.usual(windows), np.stack([w.counts for w in windows])
    before, current = (np.take(counts, gather, axis=1, mode="clip") for counts in (usual, seen))  # all are inside
    if not inside.all():
        before[:, ~inside] = current[:, ~inside] = 0
    numeric = reference.columns[columns[0]].numeric
    return _Tables(before, current, reference.position[gather] if numeric else None)
