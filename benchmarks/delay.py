"""Delay of every sequential detector, beside the clairvoyant CUSUM's at the same measured run length.

The change comes after 30,000 values; the baseline has a million rows and no smallest shift.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from benchmarks import clairvoyant
from benchmarks.contenders import contenders
from benchmarks.measurement import Measurement
from benchmarks.sources import repeated, sources

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.contenders import Contender
    from benchmarks.sources import Draw, Source
    from numpy.typing import NDArray

    from anchorwatch_detectors.base import SequentialState

BEFORE = 30_000
"""Values before the change."""
RUN_LENGTHS = (100_000.0, 1_000_000.0)
"""What a dial is set to."""
LANES = 50
"""Streams fed at once."""
STREAMS, ALARMS, MOST = (1500, 50), (400, 40), (10**10, 3 * 10**7)
"""Streams of a cell, false alarms that a run length rests on, and values until which they are waited for: of the
defaults, and of the others."""
CONSTANTLY = 2_000.0
"""A run length below which a detector rings so often that its delay means nothing."""
LATE = 10
"""So many times the clairvoyant delay a change is waited for; then it is missed."""


def measure() -> list[Measurement]:
    """Return a comparison for every detector, dial and change."""
    everything, found = list(sources()), list[Measurement]()
    for contender in contenders(RUN_LENGTHS):
        for source in everything:
            if contender.takes(source.kind):
                found += cells(contender, source)
        print(contender.name, contender.setting, flush=True)
    return found


def cells(contender: Contender, source: Source) -> Iterator[Measurement]:
    """Yield a comparison for each change of a source."""
    which = 0 if contender.is_default else 1
    length = run_length(contender, source, ALARMS[which], MOST[which])
    theirs = [math.nan] * len(source.changes)
    each = np.full((len(source.changes), STREAMS[which] // LANES), np.nan)
    if length >= CONSTANTLY:  # NaN, of what never rang, is not
        theirs = [clairvoyant.delay(change.walk, length) for change in source.changes]
        each = delays(contender, source, each.shape[1], [math.ceil(LATE * known) for known in theirs])
    for change, found, known in zip(source.changes, each, theirs, strict=True):
        name, mean = f"{contender.name}, {contender.setting}, {change.name}", float(found.mean())
        against = {"name": "clairvoyant CUSUM", "value": round(known, 3), "run_length": round(length, 0)}
        rounds = [[round(float(part), 3), round(known, 3)] for part in found]
        yield Measurement(name, round(mean, 3), "values", against, round(known / mean, 4), rounds)


def run_length(contender: Contender, source: Source, alarms: int, most: int) -> float:
    """Return values a false alarm on average; NaN where there is none within `most` values."""
    rng = np.random.default_rng(1)
    state = contender.detector.start(1, LANES, repeated(source.usual, LANES))
    found = values = 0
    while found < alarms and values < most:
        found += len(state.update(source.draw(rng, (LANES, 20_000))).event)
        values += LANES * 20_000
    return values / found if found else math.nan


def delays(contender: Contender, source: Source, rounds: int, late: list[int]) -> NDArray[np.float64]:
    """Return mean values from a change to the first alarm after it, (changes, rounds); NaN where one is missed."""
    rng, found = np.random.default_rng(2), np.empty((len(source.changes), rounds))
    for each in range(rounds):
        state = contender.detector.start(1, LANES, repeated(source.usual, LANES))
        for _ in range(0, BEFORE, 10_000):
            state.update(source.draw(rng, (LANES, 10_000)))
        for place, change in enumerate(source.changes):
            found[place, each] = waited(state.copy(), change.draw, rng, late[place]).mean()
    return found


def waited(state: SequentialState, draw: Draw, rng: np.random.Generator, late: int) -> NDArray[np.float64]:
    """Return how long each lane takes until it rings; NaN for one that does not in time."""
    lanes = state.shape[1]
    found, block = np.full(lanes, np.nan), max(20, late // (4 * LATE))
    for at in range(0, late, block):
        alarms = state.update(draw(rng, (lanes, block)))
        for subject, event in zip(alarms.subject.tolist(), alarms.event.tolist(), strict=True):
            found[subject] = at + event + 1 if math.isnan(found[subject]) else found[subject]
        if not np.isnan(found).any():
            break
    return found
