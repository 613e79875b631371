"""Milliseconds of a checkpoint of a model's whole state, beside pickling the same state into a file.

Both are on disk when they return. Ours is a transaction with positions and messages, and only it can be read by another
version of the program; pickle is what one writes first.
"""

from __future__ import annotations

import os
import pickle
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.logs import simulated
from benchmarks.measurement import alternate, durations

from anchorwatch.app import models_of, replayed
from anchorwatch.clock import SystemClock
from anchorwatch.engine.state import to_parts
from anchorwatch.host import Host, Parts
from anchorwatch.store.rows import Checkpoint
from anchorwatch.store.store import Store
from anchorwatch.transport.files import FileSource
from anchorwatch.transport.nowhere import Nowhere

if TYPE_CHECKING:
    from benchmarks.measurement import Measurement

    from anchorwatch.hosted import Model

ROUNDS = 15
SIZES = (4_000, 30_000)
"""Predictions after which the state is written: the baseline is still being gathered, and is there."""


def measure() -> list[Measurement]:
    """Measure states of these sizes."""
    return [compared(size, ROUNDS) for size in SIZES]


def compared(predictions: int, rounds: int, baseline: int = 10_000) -> Measurement:
    """Return the time of a checkpoint after so many predictions."""
    with tempfile.TemporaryDirectory() as place:
        directory, clock = Path(place), SystemClock()
        store = Store.open(directory / "anchorwatch.db", holder="a benchmark", now=clock.now())
        try:
            model = watched(directory, predictions, baseline)
            file = directory / "state.pickle"
            checkpoint(store, model, clock.now())
            seconds = alternate(rounds, lambda: checkpoint(store, model, clock.now()), lambda: pickled(model, file))
            size = file.stat().st_size / 1e6
        finally:
            store.close()
    return durations(f"checkpoint after {predictions:,} predictions, {size:.1f} MB", "pickle and fsync", seconds)


def watched(directory: Path, predictions: int, baseline: int) -> Model:
    """Return a model that has seen so many predictions and their labels."""
    log, clock = simulated(directory, predictions, baseline), SystemClock()
    store = Store.open(Path(":memory:"), holder="a benchmark", now=clock.now())
    source = FileSource({topic: [str(path)] for topic, path in log.paths.items()}, clock=clock)
    try:
        models = models_of(log.settings, store)
        replayed([Host(models, Parts(source, Nowhere(), store, clock), log.settings.source, log.settings.outputs)])
    finally:
        source.close()
        store.close()
    return models[0]


def checkpoint(store: Store, model: Model, now: int) -> None:
    """Write a whole state as the daemon does."""
    store.checkpoint(Checkpoint(at=now, parts={model.watch.name: to_parts(model.watch, model.state)}))


def pickled(model: Model, path: Path) -> None:
    """Write a whole state as one file, so that it is there after a power cut."""
    new = path.with_suffix(".new")
    with new.open("wb") as file:
        pickle.dump(model.state, file, pickle.HIGHEST_PROTOCOL)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
