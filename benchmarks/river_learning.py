"""How a model of river learns rows as our cheap models do: what they are held to, and measured against."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from anchorwatch_detectors import learners

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Row = dict[int, float]


def learnt_by_river(
    model: Any, learner: learners.Learner, rows: Sequence[Row], truth: Sequence[Any], said: Callable[[Row], Any]
) -> list[Any]:
    """Return what a model of river said of each row before it learnt it, with the rows again where `learner` does."""
    out = []
    for i, row in enumerate(rows):
        out.append(said(row))
        model.learn_one(row, truth[i])
        if learner.replay and (i + 1) % learners.BLOCK == 0:
            for k in np.random.default_rng(i + 1).permutation(i + 1).tolist():
                model.learn_one(rows[k], truth[k])
    return out
