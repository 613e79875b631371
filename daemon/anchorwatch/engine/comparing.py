"""Which versions are held against each other, and how both find their labels under one prediction id.

The join holds an id once. The challenger's predictions bear the ids of the champion's, so there they go by an id of
their own that is made of the common one, and each label comes twice, once under either id.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from anchorwatch.engine.join import Arrivals, Outcomes
    from anchorwatch.engine.routing import Routed
    from anchorwatch.engine.state import State
    from anchorwatch.engine.tables import Columns
    from anchorwatch.engine.watch import Watch
    from anchorwatch.settings.models import Model

_OTHER = np.array([0x9E3779B97F4A7C15, 0], np.uint64)
"""What the challenger's ids are mixed with; mixing twice gives the common id back. Their second half stays as it is: by
it ids are sampled, and both versions of a prediction belong into the sample, or neither."""


class Comparison(NamedTuple):
    """Which versions are held against each other.

    Attributes
    ----------
    champion, challenger
        Two versions that score the same predictions; "" for none.
    margin, significance
        Differences that are none worth knowing, and how sure one has to be.
    within
        How far apart in event time, ns, the two outcomes of a prediction may become known.
    rollouts
        Whether a version that has taken over is compared with the one it replaced.
    regression
        Whether predictions are values, not classes.
    """

    champion: str
    challenger: str
    margin: float
    significance: float
    within: int
    rollouts: bool
    regression: bool

    @classmethod
    def of_settings(cls, model: Model) -> Self | None:
        """Return what the configuration asks for; None for nothing."""
        compare = model.compare
        if compare is None:
            return None
        regression = model.predictions.prediction.kind == "regression"
        return cls(
            champion=compare.champion or "",
            challenger=compare.challenger or "",
            margin=compare.margin,
            significance=compare.significance,
            within=compare.within,
            rollouts=compare.rollouts,
            regression=regression,
        )


def code_of(state: State, name: str) -> int:
    """Return the code of a version; -2 where there is none of that name."""
    return next((i for i, version in enumerate(state.versions) if version.name == name), -2)


def challenger_of(watch: Watch, state: State) -> int:
    """Return the code of the challenger; -2 where there is none, or none so far."""
    comparison = watch.comparison
    return -2 if comparison is None or not comparison.challenger else code_of(state, comparison.challenger)


def apart(watch: Watch, state: State, records: Columns) -> Columns:
    """Return records with the challenger's under ids of their own; given such, under the common ids again."""
    mine = records.version == challenger_of(watch, state)
    if not mine.any():
        return records
    return replace(records, ident=np.where(mine[:, None], records.ident ^ _OTHER, records.ident))


def answered(watch: Watch, state: State, routed: Routed, outcomes: Outcomes) -> tuple[Routed, Outcomes]:
    """Return predictions and outcomes without the challenger's, which answered nobody."""
    code = challenger_of(watch, state)
    if code < 0:
        return routed, outcomes
    mine, known = routed.version != code, outcomes.record.version != code
    rows, at, version = routed.rows[mine], routed.at[mine], routed.version[mine]
    routed = replace(routed, rows=rows, at=at, version=version, records=routed.records.take(mine))
    return routed, replace(outcomes, at=outcomes.at[known], record=outcomes.record.take(known))


def together(watch: Watch, state: State, outcomes: Outcomes) -> Outcomes:
    """Return outcomes under the common ids."""
    revised = None if outcomes.revised is None else together(watch, state, outcomes.revised)
    return replace(outcomes, record=apart(watch, state, outcomes.record), revised=revised)


def twice(
    watch: Watch, state: State, routed: Routed, labels: Arrivals, at: NDArray[np.int64]
) -> tuple[Arrivals, NDArray[np.int64]]:
    """Return labels and their positions, those behind the challenger's very first prediction under both ids."""
    code = challenger_of(watch, state)
    mirrored = at > routed.begun[code] if code >= 0 else np.zeros(len(at), np.bool_)
    if not mirrored.any():
        return labels, at
    state.count("mirrored_labels", int(mirrored.sum()))
    place = np.repeat(np.arange(len(at)), 1 + mirrored)
    both = labels.take(place)
    again = np.concatenate([[False], place[1:] == place[:-1]])
    return both._replace(ident=np.where(again[:, None], both.ident ^ _OTHER, both.ident)), at[place]
