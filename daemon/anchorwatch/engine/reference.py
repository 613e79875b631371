"""A part of a baseline made ready for comparing: every value of every column gets one cell of one long vector.

A window is then a vector of counts, whatever its columns are: good cells of each column, then one cell for each fault.
With a season there follow the slots of the cycle, and for each column the sum of the numbers that its values stand for.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

from anchorwatch.engine import seasonal
from anchorwatch.engine.baseline import FAULTS, with_faults
from anchorwatch.engine.seasonal import Layout, Seasonal
from anchorwatch.engine.vector import numbers_of, profile_for, season_for, vector_of
from anchorwatch.events.identity import identify
from anchorwatch_detectors.profile import NumericProfile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from anchorwatch.decide.evidence import Kind
    from anchorwatch.engine.baseline import AnyProfile, Group, Part
    from anchorwatch.engine.panes import Window


class Column(NamedTuple):
    """A watched column: its name, whether its values are numbers, and what sort of trouble a change of it is."""

    name: str
    numeric: bool
    kind: Kind


@dataclass(frozen=True, slots=True)
class Block:
    """Rows of one model version in order, as columns.

    Attributes
    ----------
    at
        (n,) position of each row in the release.
    time, ident
        (n,) event time, ns; (n, 2) id hash.
    numeric, numeric_fault, category, category_fault
        (columns, n) as in `events.columns.Predictions`.
    vocabulary
        Words of each category column.
    segments
        (segment columns, n) token of each row's value; 0 where it has none.
    made
        (n,) event time of the prediction, where `time` is that of its label and a season asks for it; None: `time`.
    answers
        (words, n) predictions with their labels (`engine.answers`); None for rows that are none.
    """

    at: NDArray[np.int64]
    time: NDArray[np.int64]
    ident: NDArray[np.uint64]
    numeric: NDArray[np.float64]
    numeric_fault: NDArray[np.uint8]
    category: NDArray[np.int32]
    category_fault: NDArray[np.uint8]
    vocabulary: tuple[tuple[str, ...], ...]
    segments: NDArray[np.uint64]
    made: NDArray[np.int64] | None = None
    answers: NDArray[np.uint64] | None = None

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.time)

    def take(self, index: Any) -> Block:
        """Return the rows at `index`, in that order."""
        return Block(
            self.at[index], self.time[index], self.ident[index],
            self.numeric[:, index], self.numeric_fault[:, index],
            self.category[:, index], self.category_fault[:, index],
            self.vocabulary, self.segments[:, index], None if self.made is None else self.made[index],
            None if self.answers is None else self.answers[:, index],
        )  # fmt: skip

    @property
    def in_cycle(self) -> NDArray[np.int64]:
        """(n,) event time by which each row belongs to a time of the day or week."""
        return self.time if self.made is None else self.made


@dataclass(frozen=True)
class Reference:
    """A part of a baseline, compiled for the columns of a watch.

    Attributes
    ----------
    baseline
        Id of the baseline.
    columns, profiles, starts, sizes
        The watched columns, and where the cells of each lie in the vector; `sizes` without the fault cells.
    width
        Length of the vector.
    groups
        Label of each group; the first is all rows.
    counts
        (groups, width) rows of the baseline in each cell.
    inflation
        (columns,) how many times as much as that of independent values the mean of successive values varies.
    value
        (width,) number that stands for a cell: the mid-rank in the baseline, or 1 for wrong and 0 for right; NaN for
        faults. Whatever the time, see `values`.
    segment_columns, tokens, token_groups, others
        Per segment column: its name, the sorted tokens of the values with a group, their groups, the group of the rest
        (-1 for none).
    season
        What is usual at each time of the cycle; None without one.
    """

    baseline: str
    columns: tuple[Column, ...]
    profiles: tuple[AnyProfile, ...]
    starts: NDArray[np.int64]
    sizes: NDArray[np.int64]
    width: int
    groups: tuple[str, ...]
    counts: NDArray[np.int64]
    inflation: NDArray[np.float64]
    value: NDArray[np.float64]
    segment_columns: tuple[str, ...]
    tokens: tuple[NDArray[np.uint64], ...]
    token_groups: tuple[NDArray[np.int64], ...]
    others: tuple[int, ...]
    season: Seasonal | None = None

    @classmethod
    def of(cls, baseline: str, part: Part, columns: Sequence[Column], segment_columns: Sequence[str]) -> Self:
        """Compile a part for these columns; one the baseline does not know is empty, so nothing is said of it."""
        profiles = tuple(profile_for(part, column) for column in columns)
        sizes = np.array([len(p.counts) for p in profiles], np.int64)
        starts = np.concatenate([[0], np.cumsum(sizes + FAULTS)])
        value = np.concatenate([numbers_of(p, c) for p, c in zip(profiles, columns, strict=True)])
        groups = [g for g in part.groups if not g.column or g.column in segment_columns]
        by_column = [_tokens(groups, column) for column in segment_columns]
        layout = Layout(tuple(c.name for c in columns), starts[:-1], sizes, sizes + FAULTS)
        season = season_for(part, groups, layout, value, columns)
        counts = np.stack([vector_of(g, columns, sizes) for g in groups])
        if season is not None:
            counts = np.concatenate([counts, season.tails], axis=1)
        tail = counts.shape[1] - len(value)
        return cls(
            baseline=baseline,
            columns=tuple(columns),
            profiles=profiles,
            starts=starts[:-1],
            sizes=sizes,
            width=int(starts[-1]) + tail,
            groups=tuple(g.label for g in groups),
            counts=counts,
            inflation=np.array([part.columns.get(c.name, {}).get("inflation", 1.0) for c in columns]),
            value=np.concatenate([value, np.full(tail, np.nan)]),
            segment_columns=tuple(segment_columns),
            tokens=tuple(tokens for tokens, _, _ in by_column),
            token_groups=tuple(places for _, places, _ in by_column),
            others=tuple(rest for _, _, rest in by_column),
            season=season,
        )

    def cells(self, block: Block) -> NDArray[np.int64]:
        """Return (columns, n) the place in the vector of each value."""
        out = np.empty((len(self.columns), len(block)), np.int64)
        number = word = 0
        for i, (column, profile) in enumerate(zip(self.columns, self.profiles, strict=True)):
            if isinstance(profile, NumericProfile):
                cells, fault = profile.cells(block.numeric[number]), block.numeric_fault[number]
            else:
                cells = profile.cells(block.category[word], block.vocabulary[word])
                fault = block.category_fault[word]
            number, word = number + column.numeric, word + (not column.numeric)
            out[i] = self.starts[i] + with_faults(cells, int(self.sizes[i]), fault)
        return out

    def members(self, block: Block) -> list[NDArray[np.int64]]:
        """Return the group of each row, once for all rows and once per segment column; -1 for none."""
        out = [np.zeros(len(block), np.int64)]
        for tokens, groups, rest, mine in zip(self.tokens, self.token_groups, self.others, block.segments, strict=True):
            found = np.full(len(mine), rest, np.int64)
            if len(tokens):
                at = np.minimum(np.searchsorted(tokens, mine), len(tokens) - 1)
                found = np.where(tokens[at] == mine, groups[at], rest)
            out.append(np.where(mine == 0, -1, found))
        return out

    def values(
        self, cells: NDArray[np.int64], block: Block, members: Sequence[NDArray[np.int64]]
    ) -> list[NDArray[np.float64]]:
        """Return (columns, n) the number that stands for each value, once per entry of `members`; NaN for a fault."""
        if self.season is None:
            return [self.value[cells]] * len(members)
        return self.season.values(cells, self.season.slots_at(block.in_cycle), members)

    def sums(self, values: Sequence[NDArray[np.float64]]) -> list[NDArray[np.int64]] | None:
        """Return what of these numbers windows add up; None without a season, where the cells say as much."""
        if self.season is None:
            return None
        return [np.concatenate([seasonal.fixed(v), seasonal.fixed(v**2)]) for v in values]

    def counted(self, cells: NDArray[np.int64], block: Block) -> NDArray[np.int64]:
        """Return (m, n) all places of the vector in which each row counts: its cells, with a season also its slot."""
        if self.season is None:
            return cells
        return np.concatenate([cells, self.season.width + self.season.slots_at(block.in_cycle)[None]])

    def usual(self, windows: Sequence[Window]) -> NDArray[np.int64]:
        """Return (windows, width) the rows of the baseline that each window is held against, by cell."""
        if self.season is None:
            return self.counts[[w.group for w in windows]]
        return np.stack([self.season.usual(w.group, w.counts, self.counts[w.group]) for w in windows])

    @cached_property
    def means(self) -> NDArray[np.float64]:
        """(groups, columns) the mean of `value` over the baseline; NaN where a column is empty."""
        return self.mean_of(self.counts)

    @cached_property
    def position(self) -> NDArray[np.float64]:
        """(width,) value of a cell of a numeric column in the column's own unit; 0 for all other cells."""
        parts = []
        for profile in self.profiles:
            cells = profile.position if isinstance(profile, NumericProfile) else np.zeros(len(profile.counts))
            parts += [cells, np.zeros(FAULTS)]
        return np.concatenate(parts)

    @cached_property
    def variances(self) -> NDArray[np.float64]:
        """(groups, columns) the variance of `value` over the baseline; NaN where a column is empty."""
        if self.season is not None:
            return np.array(np.maximum(self.season.powers[1] - self.season.powers[0] ** 2, 0.0))
        total = np.add.reduceat(self.counts * self._number**2, self.starts, axis=-1)
        n = self.valid(self.counts)
        mean_square = np.divide(total, n, out=np.full(total.shape, np.nan), where=n > 0)
        variance: NDArray[np.float64] = np.maximum(mean_square - self.means**2, 0.0)
        return variance

    def mean_of(self, counts: NDArray[np.int64]) -> NDArray[np.float64]:
        """Return (..., columns) the mean of `value` over counts (..., width), faults left out."""
        if self.season is None:
            total = np.add.reduceat(counts * self._number, self.starts, axis=-1)
        else:
            total = counts[..., -2 * len(self.columns) : -len(self.columns)] / seasonal.UNIT
        n = np.add.reduceat(counts * self._known, self.starts, axis=-1)
        mean: NDArray[np.float64] = np.divide(total, n, out=np.full(total.shape, np.nan), where=n > 0)
        return mean

    def valid(self, counts: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return (..., columns) the number of good values in counts (..., width)."""
        return np.add.reduceat(counts * self._good, self.starts, axis=-1)

    @cached_property
    def _good(self) -> NDArray[np.bool_]:
        """(width,) whether a cell holds good values."""
        good = np.zeros(self.width, np.bool_)
        for start, size in zip(self.starts.tolist(), self.sizes.tolist(), strict=True):
            good[start : start + size] = True
        return good

    @cached_property
    def _known(self) -> NDArray[np.bool_]:
        """(width,) whether a number stands for a cell."""
        return ~np.isnan(self.value)

    @cached_property
    def _number(self) -> NDArray[np.float64]:
        """(width,) `value`, 0 where none stands for the cell."""
        return np.where(self._known, self.value, 0.0)


def token_of(words: Sequence[str]) -> NDArray[np.uint64]:
    """Return the token of each segment value: never 0, which stands for none."""
    tokens: NDArray[np.uint64] = np.maximum(identify(words)[:, 0], np.uint64(1))
    return tokens


def _tokens(groups: Sequence[Group], column: str) -> tuple[NDArray[np.uint64], NDArray[np.int64], int]:
    """Return the sorted tokens of a segment column's values, their groups, and the group of the rest."""
    named = [(i, g.value) for i, g in enumerate(groups) if g.column == column and g.value is not None]
    rest = next((i for i, g in enumerate(groups) if g.column == column and g.value is None), -1)
    tokens = token_of([value for _, value in named])
    order = np.argsort(tokens)
    return tokens[order], np.array([i for i, _ in named], np.int64)[order], rest
