"""How a part of a baseline lies in the one long vector of a reference: profiles, counts and numbers of its cells."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from anchorwatch.engine.baseline import FAULTS, profile_of
from anchorwatch.engine.season import Season
from anchorwatch.engine.seasonal import Seasonal
from anchorwatch_detectors.profile import CategoryProfile, NumericProfile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from anchorwatch.engine.baseline import AnyProfile, Group, Part
    from anchorwatch.engine.reference import Column
    from anchorwatch.engine.seasonal import Layout

RIGHT, WRONG = "right", "wrong"


def profile_for(part: Part, column: Column) -> AnyProfile:
    """Return the profile that a part has of a column; an empty one where it has none of its kind."""
    plain = part.columns.get(column.name)
    if plain is not None and (plain["kind"] == "numeric") == column.numeric:
        return profile_of(plain)
    return NumericProfile.of(np.empty(0)) if column.numeric else CategoryProfile.of(np.empty(0, np.int64), ())


def vector_of(group: Group, columns: Sequence[Column], sizes: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the counts of a group over the cells of all columns, `sizes` good ones each and the faults."""
    parts = [
        np.array(
            group.counts.get(c.name, []) if len(group.counts.get(c.name, [])) == n + FAULTS else [0] * (n + FAULTS)
        )
        for c, n in zip(columns, sizes.tolist(), strict=True)
    ]
    return np.concatenate(parts).astype(np.int64)


def season_for(
    part: Part, groups: Sequence[Group], layout: Layout, value: NDArray[np.float64], columns: Sequence[Column]
) -> Seasonal | None:
    """Return the season of a part made ready; None where it has none."""
    if not isinstance(part.season, Season):
        return None
    errors = [i for i, column in enumerate(columns) if column.kind == "accuracy" and not column.numeric]
    known = [len(groups[0].counts.get(name, [])) for name in layout.names]
    names = tuple(
        name if n == cells else "" for name, n, cells in zip(layout.names, known, layout.cells.tolist(), strict=True)
    )
    buckets = [g.buckets if isinstance(g.buckets, list) else [] for g in groups]
    return Seasonal.of(part.season, buckets, layout._replace(names=names), value, errors)


def numbers_of(profile: AnyProfile, column: Column) -> NDArray[np.float64]:
    """Return the number that stands for each cell of a column: its mid-rank, or whether it is a wrong answer."""
    cells = profile.mid_ranks
    if column.kind == "accuracy" and isinstance(profile, CategoryProfile):
        known = [1.0 if word == WRONG else 0.0 for word in profile.words]
        cells = np.array([*known, 0.0 if WRONG in profile.words else 1.0])
    return np.concatenate([cells, np.full(FAULTS, np.nan)])
