"""Accuracy by the time of the prediction: spans of event time that stay open until their labels had time to come.

A label that comes after its span was closed is counted, never used; so is one that replaces another. A span keeps the
rows it needs for exact metrics, at most so many; beyond that those whose ids have the smallest hashes, which is a
random sample, the same however the stream was cut.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

from anchorwatch.decide.instants import rfc3339
from anchorwatch.engine.answers import WIDTH, made_at
from anchorwatch.engine.grouping import grouped
from anchorwatch.engine.plain import unpack

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from anchorwatch.engine.baseline import Part
    from anchorwatch.engine.figures import Figures
    from anchorwatch.engine.reference import Block
    from anchorwatch.engine.revisions import Revisions
    from anchorwatch.engine.version import Version

OPEN = 32
"""Spans are made so long that no more than about so many are open at once."""
ROWS = 400_000
"""Labelled rows that all open spans of a version keep together, about; fewer where rows have more words than usual."""
EARLIEST = int(np.iinfo(np.int64).min)


class Terms(NamedTuple):
    """When spans begin and end; event time in ns.

    Attributes
    ----------
    begin
        Predictions from before are in no span.
    origin, span
        Spans begin at `origin` and each `span` after it.
    mature
        So long after its end a span is closed.
    """

    begin: int
    origin: int
    span: int
    mature: int

    @classmethod
    def of(cls, figures: Figures, part: Part, rate: float, *, made_here: bool) -> Self:
        """Return the terms that a baseline gives.

        Parameters
        ----------
        figures, part
            What is computed, and the outcomes part of the baseline.
        rate
            Predictions in a ns that a label is waited for.
        made_here
            Whether the baseline was made of the stream's own first rows: spans begin after it.
        """
        usual = figures.wait if part.mature is None else part.mature
        mature = min(figures.wait, usual if figures.mature is None else figures.mature)
        lengths = [] if figures.span.size is None else [max(int(figures.span.size / rate), 1)]
        lengths += [] if figures.span.time is None else [figures.span.time]
        length = min(lengths)
        length *= max(-(-mature // (OPEN * length)), 1)
        begin = part.end + 1 if made_here else EARLIEST
        return cls(begin, begin if made_here else 0, length, mature)

    def due(self, number: Any) -> Any:
        """Return the event time at which a span is closed."""
        return self.origin + (number + 1) * self.span + self.mature

    def most(self) -> int:
        """Return how many labelled rows an open span keeps."""
        return ROWS // (self.mature // self.span + 2)


class Rows(NamedTuple):
    """Labelled predictions of a span: (words, n) answers, (1 + segment columns, n) groups, (n,) hash of the id."""

    words: NDArray[np.uint64]
    members: NDArray[np.int32]
    ident: NDArray[np.uint64]

    def take(self, index: Any) -> Rows:
        """Return some rows."""
        return Rows(self.words[:, index], self.members[:, index], self.ident[index])

    @staticmethod
    def joined(parts: Sequence[Rows], columns: int) -> Rows:
        """Return the rows of all parts, one after the other."""
        known = [part for part in parts if len(part.ident)]
        width = len(known[0].words) if known else WIDTH
        none = Rows(np.empty((width, 0), np.uint64), np.empty((columns, 0), np.int32), np.empty(0, np.uint64))
        return Rows(*(np.concatenate(each, axis=-1) for each in zip(none, *known, strict=True)))


@dataclass(frozen=True, slots=True)
class Opened:
    """A span that is open.

    Attributes
    ----------
    predictions, labelled
        (groups,) how many there are of each.
    rows
        The labelled ones that are kept.
    """

    predictions: NDArray[np.int64]
    labelled: NDArray[np.int64]
    rows: Rows

    def added(
        self, predictions: NDArray[np.int64], labelled: NDArray[np.int64], rows: Sequence[Rows], most: int
    ) -> Self:
        """Return the span with more in it."""
        kept = Rows.joined([self.rows, *rows], len(self.rows.members)) if rows else self.rows
        most = most * WIDTH // len(kept.words)
        if len(kept.ident) > most:
            kept = kept.take(np.sort(np.argsort(kept.ident, kind="stable")[:most]))
        return replace(self, predictions=self.predictions + predictions, labelled=self.labelled + labelled, rows=kept)

    def revised(self, by: Revisions) -> Self:
        """Return the span with the labels of those rows replaced that are kept."""
        return replace(self, rows=self.rows._replace(words=by.onto(self.rows.words, self.rows.ident)))


@dataclass(frozen=True, slots=True)
class Past:
    """What earlier windows said of a metric that is judged, the oldest first; at most so many are remembered.

    Attributes
    ----------
    worse, better, variance
        (k,) by how much more than the margin each was worse and better than the baseline, and its variance.
    start
        (k,) event time at which each began, ns.
    told
        Size of the change that was told, above 0 for worse, below for better; 0 for none.
    told_for
        Windows since then.
    doubt
        (k,) variance of what each window was held against; (0,) without a season, where it is one for all.
    """

    worse: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    better: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    variance: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    start: NDArray[np.int64] = field(default_factory=lambda: np.empty(0, np.int64))
    told: float = 0.0
    told_for: int = 0
    doubt: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))


@dataclass(slots=True)
class Performance:
    """State of the accuracy figures of one version.

    Attributes
    ----------
    terms
        When spans begin and end.
    opened
        Open spans by number.
    late
        Labels that came after their span was closed.
    past
        What is remembered for judging, by group and metric.
    newest
        The figures of the newest closed span that had enough labels; {} before the first.
    late_revisions
        Labels that would have replaced another, after its span was closed.
    """

    terms: Terms
    opened: dict[int, Opened] = field(default_factory=dict)
    late: int = 0
    past: dict[tuple[int, str], Past] = field(default_factory=dict)
    newest: dict[str, Any] = field(default_factory=dict)
    late_revisions: int = 0

    def copy(self) -> Self:
        """Return an independent copy; what it holds is never changed in place."""
        return replace(self, opened=dict(self.opened), past=dict(self.past))

    def due(self, frontier: int) -> list[int]:
        """Return the numbers of the spans that are mature, in order."""
        return sorted(number for number in self.opened if self.terms.due(number) <= frontier)

    def add(self, predictions: Block, by: Sequence[NDArray[np.int64]], groups: int) -> None:
        """Count predictions; `by` has their groups, once for all rows and once per segment column."""
        number = (predictions.time - self.terms.origin) // self.terms.span
        for each, here in grouped(number, predictions.time >= self.terms.begin):
            counts = _counted([members[here] for members in by], groups)
            self._put(each, counts, np.zeros_like(counts), [], len(by))

    def add_labelled(self, labelled: Block, by: Sequence[NDArray[np.int64]], groups: int) -> None:
        """Take predictions whose label came at `labelled.time`."""
        if labelled.answers is None:
            return
        made = made_at(labelled.answers)
        number = (made - self.terms.origin) // self.terms.span
        known = made >= self.terms.begin
        late = known & (labelled.time >= self.terms.due(number))
        self.late += int(late.sum())
        members = np.stack(by).astype(np.int32)
        for each, here in grouped(number, known & ~late):
            rows = Rows(labelled.answers[:, here], members[:, here], labelled.ident[here, 0])
            counts = _counted([column[here] for column in by], groups)
            self._put(each, np.zeros_like(counts), counts, [rows], len(by))

    def revise(self, revised: Revisions) -> None:
        """Take labels that replaced another; call after `add_labelled`."""
        made = made_at(revised.words)
        number = (made - self.terms.origin) // self.terms.span
        known = made >= self.terms.begin
        late = known & (revised.time >= self.terms.due(number))
        self.late_revisions += int(late.sum())
        for each, here in grouped(number, known & ~late):
            if each in self.opened:
                self.opened[each] = self.opened[each].revised(revised.take(here))

    def _put(
        self, number: int, predictions: NDArray[np.int64], labelled: NDArray[np.int64], rows: list[Rows], columns: int
    ) -> None:
        nothing = np.zeros_like(predictions)
        span = self.opened.get(number) or Opened(nothing, nothing, Rows.joined([], columns))
        self.opened[number] = span.added(predictions, labelled, rows, self.terms.most())

    def shown(self) -> dict[str, Any]:
        """Return what is shown of it: the newest figures, and what is not mature yet."""
        instants: dict[str, Any] = {n: rfc3339(self.newest[n]) for n in ("from", "until") if n in self.newest}
        return {
            **self.newest,
            **instants,
            "maturing": {
                "windows": len(self.opened),
                "predictions": sum(int(span.predictions[0]) for span in self.opened.values()),
                "labelled": sum(int(span.labelled[0]) for span in self.opened.values()),
            },
            "late_labels": self.late,
            "late_revisions": self.late_revisions,
        }

    def to_plain(self) -> dict[str, Any]:
        """Return the state as plain data."""
        return {
            "terms": list(self.terms),
            "opened": [
                [number, span.predictions, span.labelled, *span.rows] for number, span in sorted(self.opened.items())
            ],
            "late": self.late,
            "past": [
                [group, name, p.worse, p.better, p.variance, p.start, p.told, p.told_for, p.doubt]
                for (group, name), p in sorted(self.past.items())
            ],
            "newest": self.newest,
            "late_revisions": self.late_revisions,
        }

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> Self:
        """Return the state that `to_plain` described."""
        return cls(
            terms=Terms(*plain["terms"]),
            opened={number: Opened(p, labelled, Rows(*rows)) for number, p, labelled, *rows in plain["opened"]},
            late=plain["late"],
            past={(group, name): Past(*rest) for group, name, *rest in plain["past"]},
            newest=plain["newest"],
            late_revisions=plain.get("late_revisions", 0),
        )


def figures_shown(versions: Sequence[Version]) -> list[dict[str, Any]]:
    """Return what is shown of the accuracy of each version that has figures."""
    return [{"version": v.name, **v.performance.shown()} for v in versions if v.performance is not None]


def figures_saved(head: bytes) -> list[dict[str, Any]]:
    """Return the same of the part `head` of a saved state, for whoever has no watch; raises ValueError."""
    figures: list[dict[str, Any]] = unpack(head).get("figures", [])
    return figures


def _counted(by: Sequence[NDArray[np.int64]], groups: int) -> NDArray[np.int64]:
    """Return (groups,) how many rows each group has; -1 is none."""
    everything = np.concatenate(by)
    return np.bincount(everything[everything >= 0], minlength=groups).astype(np.int64)
