"""After how many labels a new version of values is told to be farther off than the old one, beside one look that knows.

The look is Mann and Whitney's test (scipy), once, at the number of labels at which it finds the difference in half of
the draws: nobody knows that number before, and who looks more often raises more false alarms than the level says. Ours
looks after each label, and is sure beyond the margin.
"""

from __future__ import annotations

import math
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from benchmarks.measurement import Measurement

from anchorwatch.engine import distances
from anchorwatch.settings.comparing import Compare
from anchorwatch_detectors.paired import Paired
from anchorwatch_detectors.versus import Claim, follow, fresh

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Draw = Callable[[np.random.Generator, int], NDArray[np.float64]]

DRAWS = 101
LOOKS = np.unique(np.geomspace(10, distances.KEPT, 80).astype(int))
"""Numbers of labels that are tried for the one look."""


class Case(NamedTuple):
    """Errors of the old version, drawn, and how many times as large those of the new one are."""

    name: str
    draw: Draw
    times: float


CASES = (
    Case("normal errors, half as large again", np.random.Generator.standard_normal, 1.5),
    Case("normal errors, a tenth larger", np.random.Generator.standard_normal, 1.1),
    Case("heavy tails (Student's t, 2 degrees), half as large again", lambda rng, n: rng.standard_t(2, n), 1.5),
)


def measure() -> list[Measurement]:
    """Measure every case."""
    return [compared(case) for case in CASES]


def compared(case: Case, draws: int = DRAWS) -> Measurement:
    """Return the labels that each draw takes, and those of the one look; rounds are the draws in which ours tells."""
    streams = [_drawn(case, seed) for seed in range(draws)]
    ours, look = [labels(*stream) for stream in streams], one_look(streams)
    value, told = median(ours), [each for each in ours if each < math.inf]
    if value == math.inf:
        raise RuntimeError(f"{case.name}: told in {len(told)} of {draws} draws: measure a larger difference")
    against = {"name": "one look by Mann and Whitney", "value": look, "told": round(len(told) / draws, 2)}
    return Measurement(case.name, value, "labels", against, round(look / value, 2), [[each, look] for each in told])


def labels(old: NDArray[np.float64], new: NDArray[np.float64]) -> float:
    """Return how many labels of the new version it takes until it is called worse; infinity where it never is."""
    contest = Paired(**defaults())
    steps = distances.steps(distances.drawn(distances.codes(old)), distances.codes(new))
    said = follow(contest, fresh(contest), steps)[1]
    return next((each.step + 1 for each in said if each.claim is Claim.WORSE), math.inf)


def defaults() -> dict[str, float]:
    """Return the margin and the significance that nobody set."""
    return {name: Compare.model_fields[name].default for name in ("margin", "significance")}


def one_look(streams: list[tuple[NDArray[np.float64], NDArray[np.float64]]]) -> int:
    """Return the least number of labels at which half of the draws would be told by a test of all so far."""
    from scipy.stats import mannwhitneyu

    level = defaults()["significance"]
    for n in LOOKS.tolist():
        found = [mannwhitneyu(new[:n], old, alternative="greater").pvalue < level for old, new in streams]
        if 2 * sum(found) >= len(streams):
            return int(n)
    raise RuntimeError(f"{LOOKS[-1]:,} labels were too few for one look: measure a larger difference")


def _drawn(case: Case, seed: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how far off both versions are."""
    rng = np.random.default_rng(seed)
    old, new = np.abs(case.draw(rng, distances.KEPT)), np.abs(case.draw(rng, distances.KEPT))
    return old, case.times * new
