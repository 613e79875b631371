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
    buckets = [g.buckets if isinstance(g.buckets, list) else [] for g in groups]
    return Seasonal.of(part.season, buckets, layout, value, errors)
