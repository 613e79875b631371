"""False alarms of every sequential detector on streams that never change, each against its own first rows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from benchmarks.contenders import contenders
from benchmarks.measurement import Measurement
from scipy.signal import lfilter
from scipy.stats import poisson

from anchorwatch.settings.monitors import Accuracy, Drift
from anchorwatch_detectors import synth
from anchorwatch_detectors.profile import NumericProfile
from anchorwatch_detectors.usual import of_sample

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from benchmarks.contenders import Contender, Kind

    from anchorwatch_detectors.base import Floats

ROWS, LENGTH = 10_000, 100_000
"""Rows of a baseline, and values after it."""
STREAMS, FEW = 200, 20
"""Streams of a kind for the defaults, and for the others."""
LANES = 20
"""Streams fed at once."""
RUN_LENGTH = 100_000.0
"""What a dial is set to."""
DAY = 1_440
"""Values a day of the seasonal stream."""


def autoregressive(n: int, seed: int) -> Floats:
    """Return the values of `synth.autoregressive` at 0.7, in a compiled loop."""
    noise = np.random.default_rng(seed).standard_normal(n)
    noise[1:] *= math.sqrt(1 - 0.7**2)
    values: Floats = lfilter([1.0], [1.0, -0.7], noise)
    return values


def seasonal(n: int, seed: int) -> Floats:
    """Return normal values whose mean goes up and down by one standard deviation each day."""
    return synth.normal(n, seed) + np.sin(2 * np.pi * np.arange(n) / DAY)


STREAM: dict[str, tuple[Kind, Callable[[int, int], Floats]]] = {
    "normal": ("ranks", synth.normal),
    "Student-t(3)": ("ranks", synth.student_t),
    "lognormal": ("ranks", synth.lognormal),
    "AR(1) 0.7": ("ranks", autoregressive),
    "daily-seasonal": ("ranks", seasonal),
    "Bernoulli(.05)": ("errors", lambda n, seed: synth.bernoulli(n, seed, 0.05)),
}


def measure() -> list[Measurement]:
    """Return the alarms of every detector on every kind of stream; the defaults' also with their smallest shift."""
    everyone = list(contenders((RUN_LENGTH,)))
    shipped = {"errors": Accuracy().smallest_shift, "ranks": Drift().smallest_shift}
    found = []
    for name, (kind, draw) in STREAM.items():
        alarms = dict[tuple[str, float], list[int]]()
        for first in range(0, STREAMS, LANES):
            values = np.stack(
                [ranks_or_errors(kind, draw(ROWS + LENGTH, seed)) for seed in range(first, first + LANES)]
            )
            for contender in everyone:
                if contender.takes(kind) and (contender.is_default or first < FEW):
                    for smallest in (0.0, shipped[kind]) if contender.is_default else (0.0,):
                        alarms.setdefault((contender.name, smallest), []).append(rings(contender, values, smallest))
        found += list(judged(name, {each.name: each for each in everyone}, alarms))
        print(name, flush=True)
    return found


def judged(
    stream: str, everyone: dict[str, Contender], alarms: dict[tuple[str, float], list[int]]
) -> Iterator[Measurement]:
    """Yield the alarms of each detector beside what its dial allows: the 99 % bound of as many as were asked for."""
    for (name, smallest), rounds in alarms.items():
        contender, values = everyone[name], len(rounds) * LANES * LENGTH
        asked = values / RUN_LENGTH if contender.setting != "as shipped" else math.nan
        bound = float(poisson.ppf(0.99, asked))
        against = {"name": "99 % bound", "value": bound, "asked": asked, "values": values}
        ratio = round(bound / max(1, sum(rounds)), 4)
        label = f"{name}, {contender.setting}, {stream}, smallest shift {smallest:g}"
        yield Measurement(label, float(sum(rounds)), "alarms", against, ratio, [[float(each)] for each in rounds])


def ranks_or_errors(kind: Kind, values: Floats) -> Floats:
    """Return errors as they are, and features as ranks within the profile of their first rows."""
    return values if kind == "errors" else NumericProfile.of(values[:ROWS]).cdf(values)


def rings(contender: Contender, values: Floats, smallest: float) -> int:
    """Return the number of alarms on (streams, rows) after the rows of their baselines."""
    state = contender.detector.start(1, len(values), of_sample(values[:, :ROWS], smallest))
    return len(state.update(values[:, ROWS:]).event)
