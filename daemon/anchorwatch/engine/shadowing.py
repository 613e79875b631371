"""Predictions of a release go into the shadow, and out of it with their labels."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from anchorwatch.engine.grouping import grouped, order_of, places
from anchorwatch.engine.reference import token_of
from anchorwatch.engine.sampling import sampled
from anchorwatch.engine.shadow import PIECE, Labelled, Waiting
from anchorwatch.engine.shadow_revisions import Revised

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from anchorwatch.engine.join import Outcomes
    from anchorwatch.engine.pending import Release
    from anchorwatch.engine.routing import Routed
    from anchorwatch.engine.shadow import Keeping, Shadow
    from anchorwatch.engine.version import Version
    from anchorwatch.events.columns import Predictions


def follow(
    keeping: Keeping,
    shadow: Shadow,
    release: Release,
    routed: Routed,
    outcomes: Outcomes,
    versions: Sequence[Version],
) -> Shadow:
    """Take the predictions and outcomes of a release; call when the tracks have taken them.

    Parameters
    ----------
    keeping, shadow
        What is kept, and what has been.
    release, routed, outcomes
        The predictions that were taken, and those whose label is known now.
    versions
        Of the model; their tracks say how many labelled predictions they have watched.
    """
    n, m = len(routed.rows), len(outcomes.at)
    if not n and not m:
        return _revised(shadow, outcomes.revised, versions)
    desk = _Desk(keeping, shadow, release, outcomes, _orders(outcomes, versions))
    start = done = 0
    for end in range(keeping.block - shadow.seen % keeping.block, n + 1, keeping.block):
        until = int(np.searchsorted(outcomes.at, routed.at[end - 1], side="right"))
        desk.arrive(release.predictions, routed.rows[start:end])
        desk.resolve(np.arange(done, until))
        desk.look(int(release.predictions.time[routed.rows[end - 1]]))
        start, done = end, until
    desk.arrive(release.predictions, routed.rows[start:])
    desk.resolve(np.arange(done, m))
    return _revised(desk.result(), outcomes.revised, versions)


def _revised(shadow: Shadow, revised: Outcomes | None, versions: Sequence[Version]) -> Shadow:
    """Take labels that replace others, once the rows of the release are there."""
    if revised is None:
        return shadow
    orders, taken = _orders(revised, versions), dict(shadow.revised)
    for code in np.unique(revised.record.version).tolist():
        pieces = [(PIECE * number, piece) for number, piece in sorted(shadow.labelled.get(code, {}).items())]
        mine = revised.record.version == code
        more = taken.get(code, Revised.none()).add(pieces, orders[mine], revised.record.take(mine))
        if len(more.row):
            taken[code] = more
    return replace(shadow, revised=taken)


def _orders(outcomes: Outcomes, versions: Sequence[Version]) -> NDArray[np.int64]:
    """Return for each outcome how many labelled predictions its version had watched then, itself included."""
    orders = np.zeros(len(outcomes.at), np.int64)
    for code in np.unique(outcomes.record.version).tolist():
        track = versions[code].outcomes
        if track is not None and track.marks:
            mine = outcomes.record.version == code
            before, at = track.newest
            orders[mine] = before + np.searchsorted(at, outcomes.at[mine], side="right")
    return orders


class _Desk:
    """A shadow while a release is worked through."""

    def __init__(
        self, keeping: Keeping, shadow: Shadow, release: Release, outcomes: Outcomes, orders: NDArray[np.int64]
    ) -> None:
        self._keeping = keeping
        self._shadow = shadow
        self._outcomes = outcomes
        self._known = release.time[outcomes.at]
        self._orders = orders
        self._seen = shadow.seen
        self._thin = shadow.thin
        self._waiting = dict(shadow.waiting)
        self._open = dict(shadow.open)
        self._labelled = {code: dict(pieces) for code, pieces in shadow.labelled.items()}
        self._counted = dict(shadow.counted)
        zero = np.zeros(1, np.uint64)
        self._tokens = [np.append(token_of(release.predictions.vocabulary[i]), zero) for i in keeping.category]

    def arrive(self, predictions: Predictions, rows: NDArray[np.int64]) -> None:
        """Take predictions of one block."""
        number = self._seen // self._keeping.block
        self._seen += len(rows)
        if self._keeping.sample < 1.0:
            rows = rows[sampled(predictions.ident[rows], self._keeping.sample)]
        if self._thin:
            rows = rows[self._sampled(predictions.ident[rows, 1])]
        if not len(rows):
            return
        arrived = self._features(predictions, rows)
        before = self._waiting.get(number)
        mask = np.ones(len(arrived), np.bool_)
        if before is None:
            order = order_of(arrived.ident[:, 0])
            self._waiting[number], self._open[number] = arrived.take(order), mask
        else:
            self._waiting[number], order = before.insert(arrived)
            self._open[number] = np.concatenate([self._open[number], mask])[order]

    def resolve(self, rows: NDArray[np.int64]) -> None:
        """Move the predictions whose label has come, outcomes `rows`, to their version."""
        record = self._outcomes.record
        if self._thin:
            rows = rows[self._sampled(record.ident[rows, 1])]
        found: list[tuple[NDArray[np.int64], Waiting]] = []
        for number, table in list(self._waiting.items()):
            if not len(rows):
                break
            made = record.time[rows]
            near = (made >= table.time.min()) & (made <= table.time.max())
            here = rows[near]
            if not len(here):
                continue
            at = _place(table, record.ident[here, 0], made[near])
            hit = (table.ident[at] == record.ident[here]).all(axis=1) & (table.time[at] == made[near])
            hit &= self._open[number][at]
            found.append((here[hit], table.take(at[hit])))
            self._open[number] = self._open[number].copy()
            self._open[number][at[hit]] = False
            near[near] = hit
            rows = rows[~near]
        if len(found) == 1:  # rising as they are
            self._keep(found[0][0], found[0][1].numeric, found[0][1].category)
        elif found:
            mine = np.concatenate([index for index, _ in found])
            order = np.argsort(mine)
            numeric = np.concatenate([table.numeric for _, table in found], axis=1)[:, order]
            category = np.concatenate([table.category for _, table in found], axis=1)[:, order]
            self._keep(mine[order], numeric, category)

    def look(self, now: int) -> None:
        """At the end of a block, let go of what waits in vain, and thin out or thicken the sample."""
        for number, table in self._waiting.items():
            self._open[number] = self._open[number] & (table.time + self._keeping.wait >= now)
        waiting = self._count()
        while waiting > self._keeping.waiting:
            self._thin += 1
            for number, table in self._waiting.items():
                self._open[number] = self._open[number] & self._sampled(table.ident[:, 1])
            waiting = self._count()
        if self._thin and waiting < self._keeping.waiting // 4:
            self._thin -= 1
        for number in list(self._waiting):
            mask = self._open[number]
            if not mask.any():
                del self._waiting[number], self._open[number]
            elif 2 * int(mask.sum()) < len(mask):
                self._waiting[number], self._open[number] = self._waiting[number].take(mask), mask[mask]

    def result(self) -> Shadow:
        return replace(
            self._shadow,
            seen=self._seen,
            thin=self._thin,
            waiting=self._waiting,
            open=self._open,
            labelled=self._labelled,
            counted=self._counted,
        )

    def _features(self, predictions: Predictions, rows: NDArray[np.int64]) -> Waiting:
        numeric = np.empty((len(self._keeping.numeric), len(rows)))
        for i, place in enumerate(self._keeping.numeric):
            values, fault = predictions.numeric[place, rows], predictions.numeric_fault[place, rows]
            numeric[i] = np.where(fault == 0, values, np.nan)
        category = np.empty((len(self._keeping.category), len(rows)), np.uint64)
        for i, place in enumerate(self._keeping.category):
            category[i] = self._tokens[i][predictions.category[place, rows]]
        return Waiting(predictions.ident[rows], predictions.time[rows], numeric, category)

    def _sampled(self, head: NDArray[np.uint64]) -> NDArray[np.bool_]:
        chosen: NDArray[np.bool_] = head >> np.uint64(64 - self._thin) == 0
        return chosen

    def _count(self) -> int:
        return sum(int(mask.sum()) for mask in self._open.values())

    def _keep(self, rows: NDArray[np.int64], numeric: NDArray[np.float64], category: NDArray[np.uint64]) -> None:
        record = self._outcomes.record.take(rows)
        labelled = Labelled(
            order=self._orders[rows],
            known=self._known[rows],
            made=record.time,
            numeric=numeric,
            category=category,
            token=record.token,
            number=record.number,
            label_token=record.label_token,
            label_number=record.label_number,
            ident=record.ident[:, 0],
        )
        for code, rows_of in grouped(record.version, record.version >= 0):
            mine = labelled if len(rows_of) == len(labelled) else labelled.take(rows_of)
            pieces = self._labelled.setdefault(code, {})
            count = self._counted.get(code, 0)
            for start in range(-(count % PIECE), len(mine), PIECE):
                part = mine.take(slice(max(start, 0), start + PIECE))
                number = (count + max(start, 0)) // PIECE
                pieces[number] = Labelled.concat([pieces[number], part]) if number in pieces else part
            self._counted[code] = count + len(mine)


def _place(table: Waiting, heads: NDArray[np.uint64], time: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return where each prediction would stand; an id that was forgotten may have come again within a block."""
    known, last = np.ascontiguousarray(table.ident[:, 0]), len(table) - 1
    at = np.minimum(places(known, heads), last)
    while (on := (at < last) & (table.time[at] != time) & (known[np.minimum(at + 1, last)] == heads)).any():
        at = at + on
    return at
