"""Which version and segment an event belongs to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from anchorwatch.engine import sampling
from anchorwatch.engine.answers import words_of
from anchorwatch.engine.comparing import apart, challenger_of
from anchorwatch.engine.panes import Moment
from anchorwatch.engine.reference import Block, token_of
from anchorwatch.engine.tables import Columns
from anchorwatch.engine.track import Track
from anchorwatch.engine.vector import RIGHT, WRONG
from anchorwatch.engine.version import Version, attach, begin
from anchorwatch.events.columns import PREDICTION_SCORE, PREDICTION_VALUE, Fault

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from anchorwatch.engine.join import Outcomes
    from anchorwatch.engine.pending import Release
    from anchorwatch.engine.state import State
    from anchorwatch.engine.watch import Watch

VERSIONS = 100  # versions a model may have; predictions of further ones are counted and passed over


@dataclass(frozen=True, slots=True)
class Routed:
    """Predictions of a release that are taken, in order.

    Attributes
    ----------
    rows
        (n,) places among the predictions of the release.
    at
        (n,) positions in the release.
    version
        (n,) code of the version.
    records
        What the join remembers of them.
    begun
        (versions,) position in the release of the first prediction of each version; -1 for an earlier release.
    """

    rows: NDArray[np.int64]
    at: NDArray[np.int64]
    version: NDArray[np.int32]
    records: Columns
    begun: NDArray[np.int64]


class Takeover(NamedTuple):
    """A version has replaced others: so many predictions in a row were its."""

    moment: Moment
    version: str
    replaced: tuple[str, ...]


def route(watch: Watch, state: State, release: Release) -> Routed:
    """Return the predictions to take: of a known or new version, with an id not seen before."""
    version, begun = _versions(watch, state, release)
    known = np.flatnonzero(version >= 0)
    state.count("too_many_versions", len(version) - len(known))
    records = _records(watch, release, version)
    if len(known) < len(records):
        records = records.take(known)
    records = apart(watch, state, records)
    new = sampling.remember(watch, state, records)
    rows = known[new]
    records = records if new.all() else records.take(new)
    return Routed(rows, release.prediction_at[rows], version[rows], records, begun)


def prediction_block(release: Release, routed: Routed, code: int) -> Block:
    """Return the rows of one version, as its track takes them."""
    mine = routed.version == code
    p = release.predictions
    if int(mine.sum()) < len(p):
        p = p.take(routed.rows[mine])
    return Block(
        at=routed.at[mine],
        time=p.time,
        ident=p.ident,
        numeric=p.numeric,
        numeric_fault=p.numeric_fault,
        category=p.category,
        category_fault=p.category_fault,
        vocabulary=p.vocabulary,
        segments=routed.records.segments[mine].T,
    )


def outcome_block(
    watch: Watch, version: Version, outcomes: Outcomes | None, release: Release, code: int
) -> Block | None:
    """Return the labelled predictions of one version in order of becoming known; None without labels."""
    if version.outcomes is None or outcomes is None:
        return None
    mine = outcomes.record.version == code
    record, at = (outcomes.record, outcomes.at) if mine.all() else (outcomes.record.take(mine), outcomes.at[mine])
    n = len(record)
    none = np.zeros((1, n), np.uint8)
    words: tuple[tuple[str, ...], ...] = ()
    if watch.regression:
        numeric = np.abs(record.number - record.label_number)[None, :]
        fault = np.where(np.isfinite(numeric), Fault.NONE, Fault.NOT_FINITE).astype(np.uint8)
        category = np.empty((0, n), np.int32)
    else:
        numeric, fault = np.empty((0, n)), np.empty((0, n), np.uint8)
        category = (record.token != record.label_token).astype(np.int32)[None, :]
        words = ((RIGHT, WRONG),)
    return Block(
        at=at,
        time=release.time[at],
        ident=record.ident,
        numeric=numeric,
        numeric_fault=fault,
        category=category,
        category_fault=none[: len(category)],
        vocabulary=words,
        segments=record.segments.T if n else np.empty((len(watch.segment_rows), 0), np.uint64),
        made=None if watch.cycle is None else record.time,
        answers=words_of(record),
    )


def takeovers(watch: Watch, state: State, routed: Routed) -> list[Takeover]:
    """Follow the versions of successive predictions; return where one has replaced the others."""
    out = []
    tried = challenger_of(watch, state)  # it answers nobody, so it replaces nobody
    mine = np.flatnonzero(routed.version != tried)
    edges = np.flatnonzero(np.diff(routed.version[mine])) + 1
    for rows in np.split(mine, edges):
        if not len(rows):
            continue
        code = int(routed.version[rows[0]])
        before = state.streak[1] if state.streak[0] == code else 0
        state.streak = (code, before + len(rows))
        if before < watch.takeover <= state.streak[1]:
            row = rows[watch.takeover - before - 1]
            others = (routed.begun < routed.at[row]) & ~np.isin(np.arange(len(routed.begun)), [code, tried])
            if others.any():
                moment = Moment(int(routed.at[row]), 1, int(routed.records.time[row]))
                replaced = tuple(state.versions[i].name for i in np.flatnonzero(others).tolist())
                out.append(Takeover(moment, state.versions[code].name, replaced))
    return out


def _versions(watch: Watch, state: State, release: Release) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Return each prediction's code, versions numbered in order of first appearance; -1 beyond the limit.

    The second is the position in the release at which each version began; -1 for an earlier release.
    """
    predictions = release.predictions
    codes = {v.name: i for i, v in enumerate(state.versions)}
    begun = [-1] * len(codes)
    table = np.full(len(predictions.versions) + 1, -1, np.int32)
    _, first = np.unique(predictions.version, return_index=True)
    for row in np.sort(first).tolist():
        local = int(predictions.version[row])
        name = predictions.versions[local]
        if name not in codes and len(codes) < VERSIONS:
            codes[name] = len(codes)
            begun.append(int(release.prediction_at[row]))
            state.versions.append(_new_version(watch, name))
        table[local] = codes.get(name, -1)
    return table[predictions.version], np.array(begun, np.int64)


def _new_version(watch: Watch, name: str) -> Version:
    version = Version(name, watch.given, Track.fresh(), None if watch.outcomes is None else Track.fresh())
    attach(watch, version)
    begin(version)
    if version.outcomes is not None and watch.given is not None and version.outcomes_reference is None:
        version.outcomes.gathered = None  # the given baseline says nothing of outcomes, and accuracy is switched off
    return version


def _records(watch: Watch, release: Release, version: NDArray[np.int32]) -> Columns:
    """Return what the join remembers of each prediction."""
    predictions = release.predictions
    n = len(predictions)
    segments = np.zeros((n, len(watch.segment_rows)), np.uint64)
    for d, row in enumerate(watch.segment_rows):
        words = predictions.vocabulary[row]
        table = np.concatenate([token_of(words), np.zeros(1, np.uint64)])
        segments[:, d] = table[predictions.category[row]]
    number = np.full(n, np.nan)
    for name in (PREDICTION_VALUE, PREDICTION_SCORE):
        if name in watch.shape.numeric:
            number = predictions.numeric[watch.shape.numeric.index(name)]
    return Columns(
        ident=predictions.ident,
        time=predictions.time,
        version=version,
        segments=segments,
        token=predictions.token,
        number=number,
        labelled=np.zeros(n, np.bool_),
        label_token=np.zeros(n, np.uint64),
        label_number=np.full(n, np.nan),
        items=predictions.items,
        probabilities=predictions.probabilities,
    )
