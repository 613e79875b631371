"""Changes of simulated rows whose detection is to be timed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from anchorwatch.engine.baseline import profile_of
from anchorwatch.engine.vector import RIGHT, WRONG
from anchorwatch_detectors.profile import CategoryProfile, NumericProfile

if TYPE_CHECKING:
    from anchorwatch.engine.baseline import Part
    from anchorwatch.engine.reference import Block


def shifted(rows: Block, part: Part, rng: np.random.Generator, *, column: tuple[str, int], deviations: float) -> Block:
    """Return rows whose numeric column is shifted by so many standard deviations of its normal score.

    That is the shift of a normal feature; one of any other distribution moves as far within its own. So the divergence
    is known, whatever the tails, and no value leaves the range.

    Parameters
    ----------
    rows, part
        The rows, and their baseline.
    rng
        Places values within the cells of the profile.
    column, deviations
        Name of the column and its place in the block; and how far.
    """
    from scipy.special import ndtr, ndtri

    name, place = column
    profile = profile_of(part.columns[name])
    if not isinstance(profile, NumericProfile):
        raise TypeError(f"{name} is no numeric column")
    cells = profile.cells(rows.numeric[place])
    share = profile.masses / profile.masses.sum()
    rank = (np.cumsum(share) - share)[cells] + rng.random(len(rows)) * share[cells]
    moved = profile.ppf(np.clip(ndtr(ndtri(rank) + deviations), 0.0, 1.0))
    numeric = rows.numeric.copy()
    numeric[place] = np.where(cells >= 0, moved, np.nan)
    return replace(rows, numeric=numeric)


def error_rate(part: Part, column: str) -> float:
    """Return the share of wrong answers in a baseline; NaN where its errors are sizes, or where it has none."""
    profile = profile_of(part.columns[column])
    if not isinstance(profile, CategoryProfile) or not profile.n:
        return float("nan")
    return float(dict(zip(profile.words, profile.counts.tolist(), strict=False)).get(WRONG, 0)) / profile.n


def more_errors(rows: Block, part: Part, rng: np.random.Generator, *, rate: float, factor: float) -> Block:
    """Return rows of outcomes of which so many times as many are wrong; `rate` is what it was."""
    del part
    words = rows.vocabulary[0]
    vocabulary = words if WRONG in words else (*words, WRONG)
    chance = min(1.0, rate * (factor - 1.0) / (1.0 - rate))
    right = rows.category[0] == (words.index(RIGHT) if RIGHT in words else -1)
    turned = right & (rng.random(len(rows)) < chance)
    category = rows.category.copy()
    category[0, turned] = vocabulary.index(WRONG)
    return replace(rows, category=category, vocabulary=(vocabulary, *rows.vocabulary[1:]))


def larger_errors(rows: Block, part: Part, rng: np.random.Generator, *, factor: float) -> Block:
    """Return rows of outcomes whose errors are so many times as large."""
    del part, rng
    return replace(rows, numeric=rows.numeric * factor)
