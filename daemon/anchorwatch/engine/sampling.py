"""Which predictions and labels are joined where not all are: by the hash of the id, the same on both sides.

Whether an id is in the sample follows from the id alone, so a sample is one of predictions, with all of their labels,
and the same in every run. Predictions outside it are watched as all others, and remembered against duplicates only, as
long as where no labels come.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np

from anchorwatch.engine import join
from anchorwatch.engine.stretches import Terms
from anchorwatch.settings.units import NS

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from anchorwatch.engine.join import Arrivals, Outcomes
    from anchorwatch.engine.state import State
    from anchorwatch.engine.tables import Columns
    from anchorwatch.engine.watch import Watch

REMEMBERED: Final = 10 * NS["m"]
"""How long ids are remembered against duplicates where no label is waited for."""
_OUTSIDE = Terms(REMEMBERED, 0)


def sampled(ident: NDArray[np.uint64], share: float) -> NDArray[np.bool_]:
    """Return which of (n, 2) id hashes are in the sample that holds so great a share of all ids, 0 to 1."""
    if share >= 1.0:
        return np.ones(len(ident), np.bool_)
    inside: NDArray[np.bool_] = ident[:, 1] < np.uint64(share * 2.0**64)
    return inside


def remember(watch: Watch, state: State, records: Columns) -> NDArray[np.bool_]:
    """Take in predictions, in order; return which have an id that is not remembered already."""
    inside = sampled(records.ident, watch.sample)
    if inside.all():
        state.join, new = join.remember(state.join, watch.terms, records)
        return new
    new = np.empty(len(records), np.bool_)
    state.join, new[inside] = join.remember(state.join, watch.terms, records.take(inside))
    others = records.take(~inside)
    n = len(others)
    bare = replace(
        others,
        version=np.zeros(n, np.int32),
        segments=np.empty((n, 0), np.uint64),
        token=np.zeros(n, np.uint64),
        number=np.full(n, np.nan),
        items=None,
        probabilities=None,
    )
    state.outside, new[~inside] = join.remember(state.outside, _OUTSIDE, bare)
    state.outside = replace(state.outside, counts={})
    passed = int(new[~inside].sum())
    state.join = state.join.count(duplicate_predictions=n - passed, sampled_out_predictions=passed)
    return new


def match(
    watch: Watch,
    state: State,
    records: Columns,
    record_at: NDArray[np.int64],
    labels: Arrivals,
    label_at: NDArray[np.int64],
) -> Outcomes:
    """Bring the labels and predictions of the sample together, and forget what can find no other half any more."""
    inside, wanted = sampled(records.ident, watch.sample), sampled(labels.ident, watch.sample)
    if not inside.all():
        records, record_at = records.take(inside), record_at[inside]
    if not wanted.all():
        state.join = state.join.count(sampled_out_labels=int((~wanted).sum()))
        labels, label_at = labels.take(wanted), label_at[wanted]
    state.join, outcomes = join.match(state.join, watch.terms, records, record_at, labels, label_at)
    state.join = join.forget(state.join, watch.terms, state.mark.frontier)
    if state.outside.predictions.runs:
        state.outside = replace(join.forget(state.outside, _OUTSIDE, state.mark.frontier), counts={})
    return outcomes
