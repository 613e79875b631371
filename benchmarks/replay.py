"""Events a second of a replay from files, beside the naive loop on the same files."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.logs import credit_cards, simulated
from benchmarks.measurement import alternate_apart, rates
from benchmarks.naive import watch

from anchorwatch.clock import SystemClock
from anchorwatch.replay import replay
from anchorwatch.transport.files import FileSource

if TYPE_CHECKING:
    from benchmarks.logs import Log
    from benchmarks.measurement import Measurement
    from benchmarks.naive import Naive

    from anchorwatch.replay import Report

ROUNDS = 5


def measure() -> list[Measurement]:
    """Measure each log."""
    found = []
    with tempfile.TemporaryDirectory() as place:
        for log in (simulated(_made(place, "simulated")), credit_cards(_made(place, "cards"))):
            if log is None:
                print("replay: the credit cards are not there; `make test` fetches them")
                continue
            found += compared(log, ROUNDS)
    return found


def compared(log: Log, rounds: int) -> list[Measurement]:
    """Return a log's rate beside the naive loop as it is written, and beside one with asymptotic p-values.

    Both watch the same. The last line is what anchorwatch does unless told otherwise, beside the same loop.
    """
    quick = replace(log, job=replace(log.job, p_value="asymp"))
    shipped = replace(log, settings=log.shipped)
    contenders = partial(ours, log), partial(theirs, log), partial(theirs, quick), partial(ours, shipped)
    seconds = alternate_apart(rounds, *contenders)
    name = f"replay of {log.name}"
    return [
        rates(name, log.events, "naive loop", [[own, naive] for own, naive, _, _ in seconds]),
        rates(name, log.events, "naive loop, asymptotic p-values", [[own, naive] for own, _, naive, _ in seconds]),
        rates(f"{name}, all defaults", log.events, "naive loop", [[all_, naive] for _, naive, _, all_ in seconds]),
    ]


def ours(log: Log) -> Report:
    """Replay a log."""
    clock = SystemClock()
    source = FileSource({topic: [str(path)] for topic, path in log.paths.items()}, clock=clock)
    try:
        return replay(log.settings, source, clock)
    finally:
        source.close()


def theirs(log: Log) -> Naive:
    """Run the naive loop over a log."""
    with (
        log.paths[log.predictions].open(encoding="utf-8") as predictions,
        log.paths[log.labels].open(encoding="utf-8") as labels,
    ):
        return watch(log.job, predictions, labels)


def _made(place: str, name: str) -> Path:
    directory = Path(place) / name
    directory.mkdir()
    return directory
