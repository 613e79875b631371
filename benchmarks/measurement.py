"""What a benchmark says: how fast we are, how fast the alternative is, in the same run."""

from __future__ import annotations

import gc
import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable


class Measurement(NamedTuple):
    """One comparison.

    Attributes
    ----------
    name
        What was measured, and on what.
    value, unit
        Median of our rounds.
    against
        The alternative: its name, and the median of its rounds.
    ratio
        How many times better we are: the median of the rounds' own ratios, for what else the machine does falls on
        both sides of a round. Above 1 is better, whether more or less of the unit is wanted.
    rounds
        Values of each round, ours first, in the order they were measured in.
    """

    name: str
    value: float
    unit: str
    against: dict[str, Any]
    ratio: float
    rounds: list[list[float]]


def rates(name: str, events: int, against: str, rounds: list[list[float]]) -> Measurement:
    """Return seconds of each round as events a second."""
    each = [[round(events / seconds) for seconds in pair] for pair in rounds]
    ours, theirs = (median(values) for values in zip(*each, strict=True))
    ratio = median(own / other for own, other in each)
    return Measurement(name, ours, "events/s", {"name": against, "value": theirs}, round(ratio, 2), each)


def durations(name: str, against: str, rounds: list[list[float]]) -> Measurement:
    """Return seconds of each round as milliseconds."""
    each = [[round(seconds * 1e3, 3) for seconds in pair] for pair in rounds]
    ours, theirs = (median(values) for values in zip(*each, strict=True))
    ratio = median(other / own for own, other in each)
    return Measurement(name, ours, "ms", {"name": against, "value": theirs}, round(ratio, 2), each)


def alternate(
    rounds: int, *contenders: Callable[[], object], clock: Callable[[], float] = time.perf_counter
) -> list[list[float]]:
    """Return the seconds of each contender in each round; they take turns, so that a busy machine is busy for all.

    Where all they do is compute in this process, `time.process_time` as the clock leaves others' share out.
    """
    return [[_seconds(contender, clock) for contender in contenders] for _ in range(rounds)]


def alternate_apart(rounds: int, *contenders: Callable[[], object]) -> list[list[float]]:
    """Return the seconds of each contender in each round, each in a process of its own that ran it once before.

    Within one process, what one contender leaves scattered over the memory makes the next one slower.
    """
    context = multiprocessing.get_context("spawn")
    with ExitStack() as stack:
        places = [stack.enter_context(ProcessPoolExecutor(1, mp_context=context)) for _ in contenders]
        turns = list(zip(places, contenders, strict=True))
        found = [[place.submit(_seconds, contender).result() for place, contender in turns] for _ in range(rounds + 1)]
    return found[1:]


def _seconds(contender: Callable[[], object], clock: Callable[[], float] = time.perf_counter) -> float:
    gc.collect()
    began = clock()
    contender()
    return clock() - began
