"""Looks for a cycle of the day or the week in rows.

Numbers of a column are added up by half hours. If they follow a cycle, the power of their spectrum at its frequency, or
at two or three times that, stands out from the frequencies around it. Noise of any smooth spectrum does not, so what
only has a memory is not taken for a cycle.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from anchorwatch.engine.baseline import profile_of, with_faults
from anchorwatch.engine.season import LENGTH, SLOT, slots_of
from anchorwatch_detectors.profile import NumericProfile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from anchorwatch.engine.baseline import Part, Rows
    from anchorwatch.engine.season import Cycle

    Floats = NDArray[np.float64]

SIGNIFICANCE: Final = 0.001
"""Probability that anything at all is found in rows without a cycle, shared among columns, cycles and harmonics."""
SMALLEST: Final = 0.01
"""Share of a column's variance below which a cycle is not worth telling."""
HARMONICS: Final = 3
AROUND: Final = 8
"""Frequencies on either side that a cycle has to stand out from."""
WORDS: Final = 8
"""So many of the most frequent words of a category are looked at."""


class Found(NamedTuple):
    """A cycle in a column.

    Attributes
    ----------
    column, cycle
        Which.
    strength
        Share of the variance (of ranks, of a word's or an error's being there) that the time of the cycle explains.
    p_value
        Of its best harmonic, times all that were looked at; at most `SIGNIFICANCE`.
    """

    column: str
    cycle: Cycle
    strength: float
    p_value: float


def find(rows: Rows, part: Part, looks: int = 1) -> list[Found]:
    """Return the cycles of the columns, the strongest first.

    Parameters
    ----------
    rows
        The rows of a part of a baseline.
    part
        The part.
    looks
        Parts that are looked at together: the significance is shared among them.
    """
    series = list(_series(rows, part))
    time = rows.time if rows.made is None else rows.made
    found: dict[tuple[str, Cycle], Found] = {}
    for cycle in LENGTH:
        for name, good, numbers in series:
            p = _p_value(time[good], numbers, cycle) * len(series) * len(LENGTH) * looks
            if p > SIGNIFICANCE:
                continue
            strength = _explained(slots_of(cycle, time[good]), numbers, LENGTH[cycle] // SLOT)
            known = found.get((name, cycle))
            if strength >= SMALLEST and (known is None or strength > known.strength):
                found[name, cycle] = Found(name, cycle, strength, p)
    return sorted(found.values(), key=lambda f: (-f.strength, f.column, f.cycle))


def proposed(found: list[Found]) -> Cycle | None:
    """Return the season that suits what was found: a week holds its days too."""
    cycles = {f.cycle for f in found}
    return "week" if "week" in cycles else "day" if cycles else None


def _series(rows: Rows, part: Part) -> Iterator[tuple[str, NDArray[np.bool_], Floats]]:
    """Yield numbers to look at, with their columns and the rows that have them."""
    for name, (values, fault) in rows.numeric.items():
        profile = profile_of(part.columns[name])
        if isinstance(profile, NumericProfile) and profile.n:
            cells = with_faults(profile.cells(values), len(profile.counts), fault)
            good = cells < len(profile.counts)
            yield name, good, profile.mid_ranks[cells[good]]
    for name, (codes, words, fault) in rows.category.items():
        good = fault == 0
        place = {word: code for code, word in enumerate(words)}
        for word in part.columns[name]["words"][:WORDS]:
            yield name, good, (codes[good] == place[word]).astype(np.float64)


def _p_value(time: NDArray[np.int64], numbers: Floats, cycle: Cycle) -> float:
    """Return the p-value of the best harmonic, times how many there are; 1 where there are not two whole cycles.

    Over d whole cycles a cycle is at every d-th frequency of the spectrum. Its power over the mean power of the m
    frequencies around it has an F distribution with 2 and 2m degrees of freedom; 1 and 2m are taken, since rows that
    come at some hours alone bring the phase of the cycle near to a fixed one.
    """
    from scipy.special import betainc

    slot = (time - time.min()) // SLOT if len(time) else time
    per_cycle = LENGTH[cycle] // SLOT
    whole = (int(slot.max()) + 1) // per_cycle if len(slot) else 0
    if whole < 2:
        return 1.0
    inside = slot < whole * per_cycle
    sums = np.bincount(slot[inside], weights=numbers[inside] - numbers[inside].mean(), minlength=whole * per_cycle)
    power = np.abs(np.fft.rfft(sums)) ** 2
    reach = min(whole - 1, AROUND)
    best = 1.0
    for harmonic in range(1, HARMONICS + 1):
        at = harmonic * whole
        around = np.concatenate([power[at - reach : at], power[at + 1 : at + 1 + reach]])
        noise = float(around.mean())
        if noise > 0.0:
            freedom = 2.0 * len(around)
            tail = float(betainc(freedom / 2, 0.5, freedom / (freedom + float(power[at]) / noise)))
            best = min(best, HARMONICS * tail)
    return best


def _explained(slots: NDArray[np.int64], numbers: Floats, n: int) -> float:
    """Return the share of the variance between the slots, as it would be without noise; from 0 to 1."""
    rows = np.bincount(slots, minlength=n)
    means = np.bincount(slots, weights=numbers, minlength=n) / np.maximum(rows, 1)
    free = max(len(numbers) - int(np.count_nonzero(rows)), 1)
    rest = float(((numbers - means[slots]) ** 2).sum()) / free
    whole = float(numbers.var())
    return min(max(1.0 - rest / whole, 0.0), 1.0) if whole > 0.0 else 0.0
