"""One stream of rows of a model version, from its first row to its findings.

A version has two tracks: its predictions, and its outcomes (predictions whose label came). A track first gathers the
rows of its baseline, unless it was given one, and watches from then on.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

from anchorwatch.engine import schema_monitor, sequential_monitor, share_monitor, window_monitor
from anchorwatch.engine.answers import joined_words
from anchorwatch.engine.grouping import grouped
from anchorwatch.engine.lanes import Lanes
from anchorwatch.engine.marks import Marks
from anchorwatch.engine.panes import Panes
from anchorwatch.engine.reference import Block, Reference
from anchorwatch.engine.schema_monitor import Runs
from anchorwatch.engine.sequential_monitor import Seen

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from anchorwatch.engine.finding import Finding
    from anchorwatch.engine.lanes import Lookout
    from anchorwatch.engine.panes import Moment, Span, Window
    from anchorwatch.engine.reference import Column
    from anchorwatch.engine.share_monitor import Bounds
    from anchorwatch.engine.window_monitor import Family


class Plan(NamedTuple):
    """What a track watches, compiled from the configuration.

    Attributes
    ----------
    columns
        The watched columns: numeric ones first, each kind in the order of the block's rows.
    segment_columns
        Names of the columns that make groups.
    span
        How long windows are.
    families, lookouts
        Window tests and sequential detectors.
    shares
        Bounds for shares by kind of trouble.
    schema_run
        Length of a run that breaks a column; None for not watched.
    """

    columns: tuple[Column, ...]
    segment_columns: tuple[str, ...]
    span: Span
    families: tuple[Family, ...]
    lookouts: tuple[Lookout, ...]
    shares: dict[str, Bounds]
    schema_run: int | None


@dataclass(slots=True)
class Track:
    """State of one track.

    Attributes
    ----------
    rows
        Rows seen, ever.
    gathered
        Rows of the baseline to come; None once it is there.
    panes, lanes, runs, marks
        State of the monitors, once there is a baseline: lanes by lookout, marks by group.
    newest, closed
        Rows watched before the present release, and the positions of its rows in it; windows that it closed.
    """

    rows: int
    gathered: list[Block] | None
    panes: Panes | None
    lanes: list[Lanes]
    runs: Runs | None
    marks: list[Marks]
    newest: tuple[int, NDArray[np.int64]] = (0, np.empty(0, np.int64))
    closed: tuple[Window, ...] = ()

    @classmethod
    def fresh(cls) -> Self:
        """Return a track that has seen nothing."""
        return cls(rows=0, gathered=[], panes=None, lanes=[], runs=None, marks=[])

    def watched_at(self, moments: Sequence[Moment]) -> NDArray[np.int64]:
        """Return how many rows had been watched at each of some moments of the present release."""
        before, at = self.newest
        position = np.array([moment.position for moment in moments], np.int64)
        after = np.array([moment.order > 0 for moment in moments], np.bool_)
        return before + np.searchsorted(at, position + after)

    def rest(self) -> None:
        """Let no row be in the present release."""
        self.newest = (self.marks[0].rows if self.marks else self.rows, np.empty(0, np.int64))

    def copy(self) -> Self:
        """Return an independent copy."""
        return replace(
            self,
            gathered=None if self.gathered is None else list(self.gathered),
            panes=None if self.panes is None else self.panes.copy(),
            lanes=[lane.copy() for lane in self.lanes],
            runs=None if self.runs is None else self.runs.copy(),
            marks=[mark.copy() for mark in self.marks],
        )

    def begin(self, plan: Plan, reference: Reference) -> None:
        """Start watching against a baseline."""
        self.gathered = None
        self.panes = Panes.fresh(len(reference.groups), reference.width)
        self.lanes = [Lanes.fresh(lookout, reference) for lookout in plan.lookouts]
        self.runs = Runs.fresh(len(reference.columns))
        self.marks = [Marks.fresh() for _ in reference.groups]

    def gather(self, block: Block) -> None:
        """Keep rows for the baseline to come."""
        if self.gathered is None:
            raise RuntimeError("the baseline of this track is there already")
        if len(block):
            self.gathered.append(block)
            self.rows += len(block)

    def watch(
        self, plan: Plan, reference: Reference, block: Block, time: NDArray[np.int64], frontier: int
    ) -> list[Finding]:
        """Take rows in order and let event time come to `frontier`; return what was found, in no particular order.

        Parameters
        ----------
        plan, reference
            What is watched, and against what.
        block
            The rows.
        time
            Event time of every position of the release.
        frontier
            Every event before it has come.
        """
        if self.panes is None or self.runs is None:
            raise RuntimeError("this track has no baseline yet")
        self.rows += len(block)
        self.newest = (self.marks[0].rows, block.at)
        cells = reference.cells(block)
        members = reference.members(block)
        ranks = [self._rank(groups, block.time) for groups in members]
        values = reference.values(cells, block, members)
        sums = reference.sums(values)
        windows = self._windows(plan.span, members, reference.counted(cells, block), sums, block, time, frontier)
        self.closed = tuple(windows)
        findings: list[Finding] = []
        if plan.schema_run is not None:
            findings += schema_monitor.follow(self.runs, plan.schema_run, reference, block, cells)
        for family in plan.families:
            findings += window_monitor.compare(family, reference, windows)
        shares = share_monitor.shares_of(reference) if windows and plan.shares else []
        for kind, bounds in plan.shares.items():
            mine = [s for s in shares if s.kind == kind]
            findings += share_monitor.judge(mine, bounds, reference, windows)
        for lookout, lanes in zip(plan.lookouts, self.lanes, strict=True):
            first = values[0][list(lookout.columns)]
            numbers = [first if v is values[0] else v[list(lookout.columns)] for v in values]
            seen = Seen(block, numbers, members, windows, ranks)
            findings += sequential_monitor.follow(lanes, lookout, reference, self.marks, seen)
        return findings

    def _rank(self, groups: NDArray[np.int64], time: NDArray[np.int64]) -> NDArray[np.int64]:
        """Note the rows of each group, and return each row's number within its group."""
        rank = np.full(len(groups), -1, np.int64)
        for group, rows in grouped(groups, groups >= 0):
            mark = self.marks[group]
            rank[rows] = mark.rows + np.arange(len(rows))
            mark.add(time[rows])
        return rank

    def _windows(
        self,
        span: Span,
        members: Sequence[NDArray[np.int64]],
        cells: NDArray[np.int64],
        sums: Sequence[NDArray[np.int64]] | None,
        block: Block,
        time: NDArray[np.int64],
        frontier: int,
    ) -> list[Window]:
        panes = self.panes
        windows: list[Window] = []
        if panes is None:
            return windows
        for k, groups in enumerate(members):
            for group, places in grouped(groups, groups >= 0):
                rows = slice(None) if len(places) == len(groups) else places  # all of them, and no copy
                mine = None if sums is None else sums[k][:, rows]
                windows += panes.add(span, group, cells[:, rows], block.time[rows], block.at[rows], mine)
        windows += panes.expire(span, frontier)
        placed = [
            w if w.moment.position >= 0 else replace(w, moment=w.moment._replace(position=_before(time, w.moment.time)))
            for w in windows
        ]
        return sorted(placed, key=lambda w: (w.moment, w.group))

    def to_plain(self) -> dict[str, Any]:
        """Return the track as plain data."""
        return {
            "rows": self.rows,
            "gathered": None
            if self.gathered is None
            else [block_to_plain(joined(self.gathered))]
            if self.gathered
            else [],
            "panes": None if self.panes is None else self.panes.to_plain(),
            "lanes": [lane.to_plain() for lane in self.lanes],
            "runs": None if self.runs is None else self.runs.to_plain(),
            "marks": [mark.to_plain() for mark in self.marks],
        }

    @classmethod
    def from_plain(cls, plan: Plan, plain: dict[str, Any]) -> Self:
        """Return the track that `to_plain` described."""
        gathered = plain["gathered"]
        return cls(
            rows=plain["rows"],
            gathered=None if gathered is None else [block_from_plain(b) for b in gathered],
            panes=None if plain["panes"] is None else Panes.from_plain(plain["panes"]),
            lanes=[Lanes.from_plain(k, lane) for k, lane in zip(plan.lookouts, plain["lanes"], strict=False)],
            runs=None if plain["runs"] is None else Runs.from_plain(plain["runs"]),
            marks=[Marks.from_plain(mark) for mark in plain["marks"]],
        )

    def trim(self) -> None:
        """Let go of what nothing later may use."""
        for mark in self.marks:
            mark.trim()


def joined(blocks: Sequence[Block]) -> Block:
    """Return blocks as one, over a common vocabulary in order of first use."""
    words: list[dict[str, int]] = [{} for _ in blocks[0].vocabulary]
    codes = []
    for block in blocks:
        rows = []
        for column, (vocabulary, mine) in enumerate(zip(block.vocabulary, block.category, strict=True)):
            used, first = np.unique(mine, return_index=True)
            table = np.full(len(vocabulary) + 1, -1, np.int32)
            for code in used[np.argsort(first)].tolist():
                if code >= 0:
                    table[code] = words[column].setdefault(vocabulary[code], len(words[column]))
            rows.append(table[mine])
        codes.append(np.stack(rows) if rows else block.category)
    return Block(
        at=np.concatenate([b.at for b in blocks]),
        time=np.concatenate([b.time for b in blocks]),
        ident=np.concatenate([b.ident for b in blocks]),
        numeric=np.concatenate([b.numeric for b in blocks], axis=1),
        numeric_fault=np.concatenate([b.numeric_fault for b in blocks], axis=1),
        category=np.concatenate(codes, axis=1),
        category_fault=np.concatenate([b.category_fault for b in blocks], axis=1),
        vocabulary=tuple(tuple(w) for w in words),
        segments=np.concatenate([b.segments for b in blocks], axis=1),
        made=None if blocks[0].made is None else np.concatenate([b.in_cycle for b in blocks]),
        answers=joined_words([b.answers for b in blocks]),
    )


def block_to_plain(block: Block) -> dict[str, Any]:
    """Return rows as plain data; their positions in a release that is over are dropped."""
    names = [name for name in Block.__dataclass_fields__ if name not in {"at", "vocabulary"}]
    plain = {name: getattr(block, name) for name in names if getattr(block, name) is not None}
    return {**plain, "vocabulary": [list(words) for words in block.vocabulary]}


def block_from_plain(plain: dict[str, Any]) -> Block:
    """Return the rows that `block_to_plain` described."""
    body = {**plain, "vocabulary": tuple(tuple(words) for words in plain["vocabulary"])}
    return Block(at=np.full(len(plain["time"]), -1, np.int64), **body)


def _before(time: NDArray[np.int64], end: int) -> int:
    """Return the position of the first event of the release at or after an event time."""
    return int(np.searchsorted(time, end))
