"""How often each class was said where each class was true."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from anchorwatch.events.classes import token
from anchorwatch.events.columns import PREDICTION_CLASS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anchorwatch.engine.answers import Words
    from anchorwatch.engine.baseline import Baseline

MOST: Final = 100
"""Pairs of classes that are told, the most frequent first."""
OTHER: Final = "other"
"""Classes that the baseline's predictions do not know, and predictions without one: only hashes of them are kept."""


def confusion(words: Words, baseline: Baseline, more: Sequence[str] = ()) -> list[dict[str, Any]]:
    """Return the counts of (predicted, true) pairs of classes, the most frequent first.

    Parameters
    ----------
    words
        (words, n) predictions with their labels (`engine.answers`).
    baseline
        Knows the names of classes.
    more
        Names of classes that it may not know.
    """
    part = baseline.predictions
    known = [] if part is None else part.columns.get(PREDICTION_CLASS, {}).get("words", [])
    names = {token(word): word for word in (*known, *more)}
    said, row = np.unique(words[1], return_inverse=True)
    true, column = np.unique(words[3], return_inverse=True)
    counts = np.bincount(row.ravel() * len(true) + column.ravel(), minlength=len(said) * len(true))
    found: dict[tuple[str, str], int] = {}
    for place in np.flatnonzero(counts).tolist():
        i, j = divmod(place, len(true))
        pair = names.get(int(said[i]), OTHER), names.get(int(true[j]), OTHER)
        found[pair] = found.get(pair, 0) + int(counts[place])
    ordered = sorted(found.items(), key=lambda each: (-each[1], each[0]))
    return [{"predicted": said, "true": true, "n": n} for (said, true), n in ordered[:MOST]]
