"""Baselines made of a version's first rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec
import numpy as np

from anchorwatch.engine.arrivals import arrivals_of
from anchorwatch.engine.baseline import Baseline, Rows, Segment, classes_of, segments_of, summarise
from anchorwatch.engine.cycles import find
from anchorwatch.engine.estimate_monitor import with_curve
from anchorwatch.engine.figures import with_metrics
from anchorwatch.engine.reference import token_of
from anchorwatch.engine.revisions import Revisions
from anchorwatch.engine.season import LENGTH
from anchorwatch.engine.track import joined
from anchorwatch.engine.version import attach, begin

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from anchorwatch.engine.baseline import Part
    from anchorwatch.engine.cycles import Found
    from anchorwatch.engine.reference import Block
    from anchorwatch.engine.season import Cycle
    from anchorwatch.engine.track import Plan, Track
    from anchorwatch.engine.version import Version
    from anchorwatch.engine.watch import Watch

BEFORE = -1


class Made(NamedTuple):
    """A baseline, and the position in the release at which it was completed."""

    at: int
    baseline: Baseline


def predictions(watch: Watch, version: Version, rows: Block, made: list[Made]) -> tuple[Block, int | None]:
    """Gather the first rows of a version; return the rows that are to be watched, and where the baseline was completed.

    The second is a position in the release, -1 for an earlier release, None for not yet.
    """
    track = version.predictions
    if track.gathered is None:
        return rows, BEFORE
    missing = _covering(watch, track, rows, watch.first - track.rows)
    if len(rows) < missing:
        track.gather(rows)
        return rows.take(slice(0, 0)), None
    track.gather(rows.take(slice(0, missing)))
    part = predictions_part(watch, track.gathered)
    at = int(rows.at[missing - 1])
    made.append(Made(at, _complete(watch, version, predictions=part, outcomes=None)))
    return rows.take(slice(missing, None)), at


def outcomes(
    watch: Watch, version: Version, came: tuple[Block, Block | None], done: int | None, made: list[Made]
) -> Block:
    """Gather the first labelled rows of a version; return those that are to be watched.

    The part is complete with the first row at which there are enough of them and the predictions part was there, at
    position `done`. `came` are the labelled rows, and those whose label was replaced.
    """
    track, plan = version.outcomes, watch.outcomes
    labelled, revised = came
    if track is None or plan is None or track.gathered is None:
        return labelled
    after = len(labelled) if done is None else int(np.searchsorted(labelled.at, done, side="right"))
    needed = _covering(watch, track, labelled, max(watch.first_labelled - track.rows, after + 1))
    if done is None or len(labelled) < needed:
        track.gather(labelled)
        version.revised = version.revised.add(Revisions.of(revised))
        return labelled.take(slice(0, 0))
    track.gather(labelled.take(slice(0, needed)))
    known = version.baseline.predictions if version.baseline is not None else None
    at = int(labelled.at[needed - 1])
    part = with_curve(watch, plan, outcomes_part(plan, track.gathered, known, watch.cycle), track.gathered)
    until = None if revised is None else revised.take(revised.at < at)
    revisions, version.revised = version.revised.add(Revisions.of(until)), Revisions.none()
    part = with_metrics(part, plan, watch.figures, track.gathered, revisions)
    part = msgspec.structs.replace(part, labelling=version.feeds.gathered.until(at, classes_of(known)))
    made.append(Made(at, _complete(watch, version, predictions=known, outcomes=part)))
    return labelled.take(slice(needed, None))


def of_everything(watch: Watch, version: Version) -> Baseline | None:
    """Return one baseline of all rows that a version has gathered; None where there is not one.

    The outcomes are left out where no label came.
    """
    rows = version.predictions.gathered
    if not rows:
        return None
    predictions = predictions_part(watch, rows)
    labelled = version.outcomes.gathered if version.outcomes is not None else None
    outcomes = None
    if watch.outcomes is not None and labelled:
        outcomes = with_curve(
            watch, watch.outcomes, outcomes_part(watch.outcomes, labelled, predictions, watch.cycle), labelled
        )
        outcomes = with_metrics(outcomes, watch.outcomes, watch.figures, labelled, version.revised)
        outcomes = msgspec.structs.replace(
            outcomes, labelling=version.feeds.gathered.until(BEFORE, classes_of(predictions))
        )
    return Baseline(
        model=watch.name,
        version=version.name,
        predictions=predictions,
        outcomes=outcomes,
        extends="",
        code=watch.code,
        configuration=watch.fingerprint,
    )


def _covering(watch: Watch, track: Track, rows: Block, least: int) -> int:
    """Return of how many of the rows a part is complete: at least so many, and with a season a whole cycle of them."""
    if watch.cycle is None:
        return least
    begin = track.gathered[0].time[0] if track.gathered else rows.time[0] if len(rows) else 0
    before = track.gathered[-1].time[-1] if track.gathered else begin
    over = 0 if before >= begin + LENGTH[watch.cycle] else int(np.searchsorted(rows.time, begin + LENGTH[watch.cycle]))
    return max(least, over + 1)


def cycles_of(watch: Watch, version: Version, baseline: Baseline) -> list[Found]:
    """Return the cycles of the day or week in all rows that a version has gathered, the strongest first."""
    tracks = ((watch.predictions, version.predictions), (watch.outcomes, version.outcomes))
    parts = (baseline.predictions, baseline.outcomes)
    here = [
        (_rows(plan, joined(track.gathered)), part)
        for (plan, track), part in zip(tracks, parts, strict=True)
        if plan is not None and track is not None and track.gathered and part is not None
    ]
    found = [each for rows, part in here for each in find(rows, part, looks=len(here))]
    return sorted(found, key=lambda each: -each.strength)


def predictions_part(watch: Watch, gathered: Sequence[Block]) -> Part:
    """Return the summary of rows of the predictions track."""
    block = joined(gathered)
    segments: list[Segment] = []
    for column, row in zip(watch.predictions.segment_columns, watch.segment_rows, strict=True):
        codes, words = block.category[row], block.vocabulary[row]
        segments += segments_of(column, codes, words, watch.max_segments, watch.min_sample)
    part = summarise(_rows(watch.predictions, block), segments, watch.cycle)
    return msgspec.structs.replace(part, arrivals=arrivals_of(block.time))


def outcomes_part(plan: Plan, gathered: Sequence[Block], known: Part | None, cycle: Cycle | None) -> Part:
    """Return the summary of rows of the outcomes track, in the segments that the predictions part `known` has."""
    block = joined(gathered)
    segments: list[Segment] = []
    for column, row in zip(plan.segment_columns, block.segments, strict=True):
        segments += _same_segments(known, column, row)
    return summarise(_rows(plan, block), segments, cycle)


def _complete(watch: Watch, version: Version, *, predictions: Part | None, outcomes: Part | None) -> Baseline:
    """Give the version a baseline of these parts, and let the tracks that wait for it begin."""
    baseline = version.baseline = Baseline(
        model=watch.name,
        version=version.name,
        predictions=predictions,
        outcomes=outcomes,
        extends=version.baseline.id if version.baseline is not None else "",
        code=watch.code,
        configuration=watch.fingerprint,
    )
    attach(watch, version)
    begin(version)
    return baseline


def _rows(plan: Plan, block: Block) -> Rows:
    numbers = [c.name for c in plan.columns if c.numeric]
    words = [c.name for c in plan.columns if not c.numeric]
    return Rows(
        time=block.time,
        ident=block.ident,
        numeric={n: (block.numeric[i], block.numeric_fault[i]) for i, n in enumerate(numbers)},
        category={n: (block.category[i], block.vocabulary[i], block.category_fault[i]) for i, n in enumerate(words)},
        made=block.made,
    )


def _same_segments(part: Part | None, column: str, tokens: NDArray[np.uint64]) -> list[Segment]:
    """Return the segments that a part made before has for a column, over rows known by token."""
    values = [g.value for g in part.groups if g.column == column and g.value is not None] if part is not None else []
    named = token_of(values)
    rest = (tokens != 0) & ~np.isin(tokens, named)
    return [*(Segment(column, v, tokens == t) for v, t in zip(values, named, strict=True)), Segment(column, None, rest)]
