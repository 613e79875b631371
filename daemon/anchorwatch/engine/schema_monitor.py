"""Columns that break: so many unusable values in a row where the baseline had usable ones.

A run of 50 where the baseline misses one in five has a chance of 1e-35; a column that is often unusable in the baseline
is not watched this way, since a run would say nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from anchorwatch.decide.evidence import POINTS, Kind
from anchorwatch.engine.baseline import FAULTS
from anchorwatch.engine.finding import Finding
from anchorwatch.engine.panes import Moment
from anchorwatch_detectors.base import Direction, Level, Verdict

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from anchorwatch.engine.reference import Block, Reference

MONITOR = "run"
OFTEN = 0.2  # share of unusable values in the baseline from which on a column is not watched by runs


@dataclass(slots=True)
class Runs:
    """Current run of every column.

    Attributes
    ----------
    bad
        (columns,) whether the run is one of unusable values.
    length
        (columns,) rows in it.
    since
        (columns,) event time of its first row, ns.
    broken
        (columns,) whether the column is held for broken.
    """

    bad: NDArray[np.bool_]
    length: NDArray[np.int64]
    since: NDArray[np.int64]
    broken: NDArray[np.bool_]

    @classmethod
    def fresh(cls, columns: int) -> Self:
        """Return no runs."""
        zero = np.zeros(columns, np.int64)
        return cls(np.zeros(columns, np.bool_), zero, zero.copy(), np.zeros(columns, np.bool_))

    def copy(self) -> Self:
        """Return an independent copy."""
        return type(self)(self.bad.copy(), self.length.copy(), self.since.copy(), self.broken.copy())

    def to_plain(self) -> dict[str, Any]:
        """Return the runs as plain data."""
        return {"bad": self.bad, "length": self.length, "since": self.since, "broken": self.broken}

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Self:
        """Return the runs that `to_plain` described."""
        return cls(**plain)


def follow(runs: Runs, needed: int, reference: Reference, block: Block, cells: NDArray[np.int64]) -> list[Finding]:
    """Take rows in order; return a finding whenever a column breaks, and when it is whole again.

    Parameters
    ----------
    runs
        Updated in place.
    needed
        Length of a run that counts.
    reference
        The baseline.
    block, cells
        Rows and (columns, n) their places in the vector.
    """
    findings = []
    bad = cells >= (reference.starts + reference.sizes)[:, None]
    for i in np.flatnonzero(_watched(reference)).tolist():
        for row, broken, since in _changes(runs, i, bad[i], block.time, needed):
            moment = Moment(int(block.at[row]), 1, int(block.time[row]))
            verdict = Verdict(
                level=Level.DRIFT if broken else Level.STABLE,
                reason="column_broken" if broken else "column_whole",
                statistic=float(needed),
                threshold=float(needed),
                effect=100.0 if broken else 0.0,
                effect_unit=POINTS,
                direction=Direction.WORSE if broken else Direction.BETTER,
                n=needed,
                **(dict.fromkeys(("since", "since_low", "since_high"), since) if broken else {}),
            )
            name = reference.columns[i].name
            findings.append(Finding(moment, "", Kind.SCHEMA, name, MONITOR, verdict, reference.baseline, decisive=True))
    return findings


def _watched(reference: Reference) -> NDArray[np.bool_]:
    total = np.add.reduceat(
        reference.counts[0][: reference.starts[-1] + reference.sizes[-1] + FAULTS], reference.starts
    )
    good = reference.valid(reference.counts[0])
    return (total > 0) & (good >= (1 - OFTEN) * total)


def _changes(
    runs: Runs, i: int, bad: NDArray[np.bool_], time: NDArray[np.int64], needed: int
) -> list[tuple[int, bool, int]]:
    """Advance one column's run; return (row, broken, since) where it breaks or heals."""
    if not len(bad):
        return []
    edges = np.flatnonzero(np.diff(bad)) + 1
    start = np.concatenate([[0], edges])
    before = np.zeros(len(start), np.int64)
    since = time[start]
    if bad[0] == runs.bad[i] and runs.length[i]:
        before[0], since[0] = runs.length[i], runs.since[i]
    length = before + np.diff(start, append=len(bad))
    long = np.flatnonzero((before < needed) & (length >= needed))
    says = bad[start[long]]
    news = long[says != np.concatenate([runs.broken[i : i + 1], says[:-1]])]
    runs.bad[i], runs.length[i], runs.since[i] = bad[-1], length[-1], since[-1]
    if len(long):
        runs.broken[i] = says[-1]
    return [(int(start[r] + needed - before[r] - 1), bool(bad[start[r]]), int(since[r])) for r in news.tolist()]
