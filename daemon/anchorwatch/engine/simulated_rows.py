"""Rows like those of a baseline, as many as are asked for: blocks of rows of a log, or drawn from its profiles."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Protocol, Self

import msgspec
import numpy as np

from anchorwatch.engine.baseline import FAULTS, profile_of
from anchorwatch.engine.reference import Block, Reference, token_of
from anchorwatch.events.columns import Fault
from anchorwatch_detectors.copula import Dependence
from anchorwatch_detectors.profile import CategoryProfile, NumericProfile
from anchorwatch_detectors.resample import block_length, circular_blocks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from anchorwatch.engine.baseline import AnyProfile, Part
    from anchorwatch.engine.reference import Column
    from anchorwatch.engine.track import Plan

OTHERS = 1000
"""Words that stand for those a baseline does not name: so many that none of them is frequent."""


class Rows(Protocol):
    """Where simulated rows come from."""

    def draw(self, size: int, rng: np.random.Generator) -> Block:
        """Return rows, their event time rising evenly at the baseline's pace."""
        ...


@dataclass(frozen=True, slots=True)
class Resampled:
    """Blocks of rows that are there: columns stay together, neighbours too.

    With a season each row stays at its own time of the cycle, whatever its place in the stream.

    Attributes
    ----------
    rows
        At least one.
    length
        Rows of a block.
    """

    rows: Block
    length: int

    @classmethod
    def of(cls, rows: Block, part: Part, plan: Plan) -> Self:
        """Return blocks as long as the dependence of successive values asks for.

        Parameters
        ----------
        rows
            All rows, in order.
        part
            Their summary.
        plan
            What is watched of them.
        """
        reference = Reference.of("", part, plan.columns, ())
        everything = [np.zeros(len(rows), np.int64)]
        return cls(rows, block_length(reference.values(reference.cells(rows), rows, everything)[0]))

    def draw(self, size: int, rng: np.random.Generator) -> Block:
        """Return rows, see `Rows.draw`."""
        taken = self.rows.take(circular_blocks(len(self.rows), self.length, size, rng))
        time = self.rows.time
        times = _times(int(time.min()), int(time.max()), len(time), size)
        return replace(taken, at=np.arange(size), time=times, made=taken.in_cycle)


@dataclass(frozen=True, slots=True)
class Drawn:
    """Rows drawn from a part of a baseline: its profiles, with ranks of a Gaussian copula.

    Unusable values come as often as in the baseline, each on its own; the values of a segment column that is not
    watched itself are drawn on their own too.

    Attributes
    ----------
    part
        The baseline's.
    plan
        What is watched.
    extra
        Category columns behind those of the plan that are only segment columns, in the order of the block's rows.
    """

    part: Part
    plan: Plan
    extra: tuple[str, ...]

    @property
    def dependent(self) -> bool:
        """Whether the part says how its columns hang together; if not, they are drawn as independent."""
        return self.part.dependence is not None

    @property
    def seasonal(self) -> bool:
        """Whether the part knows a season, which rows drawn from it do not have."""
        return not isinstance(self.part.season, msgspec.UnsetType)

    def draw(self, size: int, rng: np.random.Generator) -> Block:
        """Return rows, see `Rows.draw`."""
        ranks = self._ranks(size, rng)
        profiles = {c.name: self._profile(c) for c in self.plan.columns}
        numbers, words = ([c.name for c in self.plan.columns if c.numeric is kind] for kind in (True, False))
        faults = {name: self._faults(name, size, rng) for name in profiles}
        numeric = np.array([_numbers(profiles[name], ranks[name]) for name in numbers]).reshape(len(numbers), size)
        numeric_fault = np.array([faults[n] for n in numbers], np.uint8).reshape(len(numbers), size)
        drawn = [_words(profiles[name], ranks[name], rng) for name in words]
        drawn += [self._segment(name, size, rng) for name in self.extra]
        codes = np.array([code for code, _ in drawn], np.int32).reshape(len(drawn), size)
        category_fault = np.zeros((len(drawn), size), np.uint8)
        category_fault[: len(words)] = np.array([faults[n] for n in words]).reshape(len(words), size)
        codes[category_fault > 0] = -1
        known = dict(zip([*words, *self.extra], range(len(drawn)), strict=True))
        segments = [
            _tokens(codes[known[s]], drawn[known[s]][1]) if s in known else _tokens(*self._segment(s, size, rng))
            for s in self.plan.segment_columns
        ]
        return Block(
            at=np.arange(size),
            time=_times(self.part.start, self.part.end, self.part.rows, size),
            ident=np.zeros((size, 2), np.uint64),
            numeric=np.where(numeric_fault > 0, np.nan, numeric),
            numeric_fault=numeric_fault,
            category=codes,
            category_fault=category_fault,
            vocabulary=tuple(vocabulary for _, vocabulary in drawn),
            segments=np.array(segments, np.uint64).reshape(len(segments), size),
        )

    def _profile(self, column: Column) -> AnyProfile:
        """Return the profile of a column; one that the baseline does not know has no values."""
        plain = self.part.columns.get(column.name)
        if plain is not None and (plain["kind"] == "numeric") is column.numeric:
            return profile_of(plain)
        return NumericProfile.of(()) if column.numeric else CategoryProfile.of((), ())

    def _ranks(self, size: int, rng: np.random.Generator) -> dict[str, NDArray[np.float64]]:
        names = list(self.part.columns)
        plain = self.part.dependence
        dependence = Dependence.none(len(names)) if plain is None else Dependence.from_plain(plain)
        masses = [_masses(profile_of(self.part.columns[name])) for name in names]
        ranks = dict(zip(names, dependence.draw(masses, size, rng), strict=True))
        unknown = np.full(size, np.nan)
        return {column.name: ranks.get(column.name, unknown) for column in self.plan.columns}

    def _faults(self, name: str, size: int, rng: np.random.Generator) -> NDArray[np.uint8]:
        if name not in self.part.columns:
            return np.full(size, Fault.ABSENT, np.uint8)
        counts = np.array(self.part.groups[0].counts[name][-FAULTS:], np.float64)
        chances = np.append(self.part.rows - counts.sum(), counts)
        return _chosen(chances, size, rng).astype(np.uint8)

    def _segment(self, column: str, size: int, rng: np.random.Generator) -> tuple[NDArray[np.int64], tuple[str, ...]]:
        """Return codes and words of a segment column as often as its groups have rows."""
        groups = [g for g in self.part.groups if g.column == column]
        named = [g for g in groups if g.value is not None]
        rest = sum(g.rows for g in groups if g.value is None)
        without = max(self.part.rows - sum(g.rows for g in groups), 0)
        chances = np.array([*(g.rows for g in named), rest, without], np.float64)
        words = [g.value for g in named if g.value is not None]
        codes = _others(_chosen(chances, size, rng), len(words), rng)
        codes[codes == len(words) + OTHERS] = -1
        return codes, (*words, *_OTHER_WORDS)


_OTHER_WORDS = tuple(f"(other {k})" for k in range(OTHERS))


def _masses(profile: AnyProfile) -> NDArray[np.float64]:
    return profile.masses if isinstance(profile, NumericProfile) else profile.counts.astype(np.float64)


def _numbers(profile: AnyProfile, ranks: NDArray[np.float64]) -> NDArray[np.float64]:
    if not isinstance(profile, NumericProfile):
        raise TypeError("a numeric column has a numeric profile")
    return profile.ppf(ranks)


def _words(
    profile: AnyProfile, ranks: NDArray[np.float64], rng: np.random.Generator
) -> tuple[NDArray[np.int64], tuple[str, ...]]:
    """Return codes and words of a category column at these ranks."""
    if isinstance(profile, NumericProfile):
        raise TypeError("a category column has a category profile")
    if not profile.n:
        return np.full(len(ranks), -1, np.int64), profile.words
    edges = np.cumsum(profile.counts)
    codes = np.searchsorted(edges, np.minimum(ranks, 1.0 - 1e-15) * edges[-1], side="right")
    return _others(codes, len(profile.words), rng), (*profile.words, *_OTHER_WORDS)


def _others(codes: NDArray[np.int64], other: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Spread the code of everything else over many words; codes beyond it move behind them."""
    moved = np.where(codes > other, codes + OTHERS - 1, codes)
    mine = codes == other
    moved[mine] = other + rng.integers(OTHERS, size=int(mine.sum()))
    return moved


def _chosen(chances: NDArray[np.float64], size: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Return places drawn as often as their chances say."""
    if not chances.sum() > 0:
        return np.full(size, len(chances) - 1)
    if chances[0] == chances.sum():
        return np.zeros(size, np.int64)
    places: NDArray[np.int64] = np.searchsorted(np.cumsum(chances), rng.random(size) * chances.sum(), side="right")
    return places


def _tokens(codes: NDArray[np.integer[Any]], words: Sequence[str]) -> NDArray[np.uint64]:
    """Return the token of each code; 0 for none."""
    tokens: NDArray[np.uint64] = np.append(token_of(words), np.uint64(0))[codes]
    return tokens


def _times(start: int, end: int, rows: int, size: int) -> NDArray[np.int64]:
    """Return event times that go on from `start` as far apart as the rows from `start` to `end` were on average."""
    pace = max((end - start) / max(rows - 1, 1), 1.0)
    times: NDArray[np.int64] = start + (np.arange(size) * pace).astype(np.int64)
    return times
