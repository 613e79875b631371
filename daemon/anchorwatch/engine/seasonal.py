"""The season of a baseline made ready: what is usual at each time of the cycle.

Two uses. A window is held against the baseline's rows of the same times, in the same proportions (direct
standardisation). And the number that stands for a value is its rank among the values of its own bucket, so that a
stream whose every hour is like that hour of the baseline is stationary. An error stands for how probable an error of
the same rank is over the whole cycle: between 0 and 1, and on average the error rate of the group in every bucket.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple, Self

import numpy as np

from anchorwatch.engine.season import slots_of
from anchorwatch.engine.seasonal_numbers import errors as adjusted_errors
from anchorwatch.engine.seasonal_numbers import ranks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from anchorwatch.engine.season import Bucket, Cycle, Season

    Floats = NDArray[np.float64]
    Ints = NDArray[np.int64]

UNIT: Final = 2**24
"""Sums of numbers are kept as whole multiples of 1 / UNIT: they do not depend on the order of adding."""


class Layout(NamedTuple):
    """Where the cells of each column lie: names ("" for no rows), first cells, numbers of good cells and of all."""

    names: tuple[str, ...]
    starts: Ints
    sizes: Ints
    cells: Ints

    @property
    def width(self) -> int:
        """Cells of all columns."""
        return int(self.cells.sum())


@dataclass(frozen=True, slots=True)
class Seasonal:
    """What is usual at each time of the cycle, for each group.

    Attributes
    ----------
    cycle
        Of what length.
    bucket
        (slots,) bucket of each slot.
    rows
        (groups, buckets) rows of the baseline.
    held
        Per group and bucket: the cells that hold rows, and how many.
    table
        (groups or 1, buckets, cells) number that stands for a cell; NaN for faults. One for all groups where there are
        no errors.
    sums
        (groups, 2 columns) sums of the baseline's numbers, then of their squares, in units of 1 / UNIT.
    powers
        (4, groups, columns) means of the first four powers of the numbers; NaN where there are none.
    """

    cycle: Cycle
    bucket: Ints
    rows: Ints
    held: tuple[tuple[tuple[Ints, Ints], ...], ...]
    table: Floats
    sums: Ints
    powers: Floats

    @classmethod
    def of(
        cls, season: Season, groups: Sequence[Sequence[Bucket]], layout: Layout, value: Floats, errors: Sequence[int]
    ) -> Self:
        """Compile a season.

        Parameters
        ----------
        season, groups
            The cycle, and the buckets of each group; the first is all rows.
        layout
            Where the columns lie.
        value
            (cells,) number that stands for a cell whatever the time.
        errors
            Positions of the columns that are errors, 1 for wrong.
        """
        held = tuple(tuple(_held(bucket, layout) for bucket in buckets) for buckets in groups)
        table = _table(held, layout, value, errors)
        powers = _powers(held, table, layout.starts)
        totals = np.concatenate([powers[1], powers[2]], axis=1)
        return cls(
            cycle=season.cycle,
            bucket=np.array(season.buckets, np.int64),
            rows=np.array([[bucket.rows for bucket in buckets] for buckets in groups], np.int64),
            held=held,
            table=table,
            sums=np.rint(totals * UNIT).astype(np.int64),
            powers=np.divide(powers[1:], powers[0], out=np.full(powers[1:].shape, np.nan), where=powers[0] > 0),
        )

    @property
    def width(self) -> int:
        """Cells of all columns."""
        return int(self.table.shape[2])

    @property
    def tails(self) -> Ints:
        """(groups, slots + 2 columns) what follows the cells in a vector of the baseline: 0 for the slots, and sums."""
        return np.concatenate([np.zeros((len(self.rows), len(self.bucket)), np.int64), self.sums], axis=1)

    def slots_at(self, time: Ints) -> Ints:
        """Return (n,) the slot of each event time."""
        return slots_of(self.cycle, time)

    def values(self, cells: Ints, slots: Ints, members: Sequence[Ints]) -> list[Floats]:
        """Return (columns, n) the number of each value, once per entry of `members`: the groups of the rows."""
        bucket = self.bucket[slots]
        if len(self.table) == 1:
            return [self.table[0][bucket, cells]] * len(members)
        return [self.table[groups, bucket, cells] for groups in members]

    def usual(self, group: int, window: Ints, pooled: Ints) -> Ints:
        """Return the rows of the baseline at the same times as a window's, in the same proportions.

        They are as many as independent rows of one distribution would tell as much: 1 / sum(w^2 / n) for shares w of
        the window in buckets of n rows. Times at which the group has none are compared with all its rows, counted as
        a single one.

        Parameters
        ----------
        group
            Whose window it is.
        window, pooled
            (vector,) rows of the window, and of the group's baseline whatever the time.
        """
        rows = self.rows[group]
        slots = window[self.width : self.width + len(self.bucket)]
        share = np.bincount(self.bucket, weights=slots, minlength=len(rows)) / max(slots.sum(), 1)
        doubt = float((share**2 / np.maximum(rows, 1)).sum())
        size = min(math.floor(1.0 / doubt + 1e-6), int(rows.sum())) if doubt > 0 else 0
        expected = np.zeros(self.width)
        for i in np.flatnonzero(share).tolist():
            cells, counts = self.held[group][i]
            if rows[i]:
                expected[cells] += counts * (share[i] / rows[i])
            else:
                expected += pooled[: self.width] * (share[i] / max(rows.sum(), 1))
        out = np.zeros_like(window)
        out[: self.width] = np.diff(np.floor(np.cumsum(expected) * size + 0.5).astype(np.int64), prepend=0)
        return out


def fixed(values: Floats) -> Ints:
    """Return values as whole multiples of 1 / UNIT; 0 for NaN."""
    return np.rint(np.nan_to_num(values) * UNIT).astype(np.int64)


def _held(bucket: Bucket, layout: Layout) -> tuple[Ints, Ints]:
    """Return the cells of the vector that a bucket holds rows in, and how many."""
    cells, counts = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    for name, start in zip(layout.names, layout.starts.tolist(), strict=True):
        where, how_many = (np.array(side, np.int64) for side in bucket.counts.get(name, ((), ())))
        cells.append(start + where)
        counts.append(how_many)
    return np.concatenate(cells), np.concatenate(counts)


def _powers(held: Sequence[Sequence[tuple[Ints, Ints]]], table: Floats, starts: Ints) -> Floats:
    """Return (5, groups, columns) the number of good values, and the sums of their first four powers."""
    out = np.zeros((5, len(held), len(starts)))
    for group, buckets in enumerate(held):
        numbers = table[group if len(table) > 1 else 0]
        totals = np.zeros((5, table.shape[2]))
        for mine, (cells, counts) in zip(numbers, buckets, strict=True):
            good = ~np.isnan(mine[cells])
            for power in range(5):
                totals[power, cells[good]] += counts[good] * mine[cells[good]] ** power
        out[:, group] = np.add.reduceat(totals, starts, axis=1)
    return out


def _dense(buckets: Sequence[tuple[Ints, Ints]], width: int) -> Ints:
    out = np.zeros((len(buckets), width), np.int64)
    for row, (cells, counts) in zip(out, buckets, strict=True):
        row[cells] = counts
    return out


def _table(held: Sequence[Sequence[tuple[Ints, Ints]]], layout: Layout, value: Floats, errors: Sequence[int]) -> Floats:
    everything = _dense(held[0], layout.width)
    table = np.full((len(held) if errors else 1, *everything.shape), np.nan)
    for i, (start, size) in enumerate(zip(layout.starts.tolist(), layout.sizes.tolist(), strict=True)):
        good = slice(start, start + size)
        if i in errors:
            for group, mine in enumerate(
                adjusted_errors([_dense(b, layout.width)[:, good] for b in held], value[good])
            ):
                table[group, :, good] = mine
        else:
            table[:, :, good] = ranks(everything[:, good])[0]
    return table
