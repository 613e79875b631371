"""Labels that find their predictions among those that wait, checkpoints included, beside a dict and an SQLite table.

A day's traffic in a loop: predictions come, labels come for one of those that wait, and as many are forgotten as come.
Ours decides all that is documented (duplicates, revisions, expiry, event time) and is written as the daemon writes it:
the new parts of a model's state with their digests, in one transaction of the store, on disk when it returns. The table
holds the same columns, is committed as often and as safely; the dict is not kept anywhere. All are timed by the wall.
Each side is a process of its own, and its memory is that of the process beyond what it began with.
"""

from __future__ import annotations

import sqlite3
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from benchmarks.measurement import Measurement

from anchorwatch.app import models_of
from anchorwatch.clock import SystemClock
from anchorwatch.engine import join
from anchorwatch.engine.join import Arrivals
from anchorwatch.engine.state import to_parts
from anchorwatch.engine.tables import Columns
from anchorwatch.settings.models import Settings
from anchorwatch.store.rows import Checkpoint
from anchorwatch.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from anchorwatch.hosted import Model

WAITING = 10_000_000
COMPARED = 1_000_000
"""Predictions that wait: alone, and where others are compared (of ten million, theirs do not fit beside the tests)."""
WRITTEN = 5
"""Turns between two checkpoints."""
ROW = 44
"""Bytes of a prediction with a score."""
WAIT = 7 * 86_400 * 10**9
CONFIGURATION = {
    "models": {
        "fraud": {
            "predictions": {"topic": "predictions", "id": "id", "prediction": {"kind": "binary", "score": "p"}},
            "labels": {"topic": "labels", "id": "id", "value": "y", "wait": "7d", "early": "1d"},
            "baseline": {"first": 10_000},
        }
    }
}


class Traffic(NamedTuple):
    """Predictions that wait, predictions and labels of a turn, and turns that are timed."""

    waiting: int
    batch: int = 20_000
    turns: int = 50


class Sustained(NamedTuple):
    """What one side came to.

    Attributes
    ----------
    seconds, matched
        Of the timed turns, and the labels that met in them.
    memory
        At the most, MB.
    written, longest
        What checkpoints ever wrote, MB, and the seconds of the longest; 0 where there are none.
    """

    seconds: float
    matched: int
    memory: float
    written: float = 0.0
    longest: float = 0.0


def measure() -> list[Measurement]:
    """Measure ours at ten million, and beside the others at one million."""
    large, alone = apart(ours, Traffic(WAITING)), apart(ours, Traffic(COMPARED))
    table, known = apart(in_sqlite, Traffic(COMPARED)), apart(in_dict, Traffic(COMPARED))
    return [
        compared(f"labels joined, {WAITING:,} predictions wait", large, f"sqlite of {COMPARED:,}", table),
        compared(f"labels joined, {COMPARED:,} predictions wait", alone, "sqlite table with an index", table),
        compared(f"labels joined, {COMPARED:,} predictions wait", alone, "python dict, nothing kept", known),
        memory(f"memory of {WAITING:,} waiting predictions", large, f"python dict of {COMPARED:,}, times ten", known),
        writing(large),
    ]


def compared(name: str, mine: Sustained, against: str, theirs: Sustained) -> Measurement:
    """Return labels a second of both."""
    usual = Traffic(COMPARED)
    rate = [round(usual.turns * usual.batch / side.seconds) for side in (mine, theirs)]
    return Measurement(name, rate[0], "labels/s", {"name": against, "value": rate[1]}, rate[0] / rate[1], [rate])


def memory(name: str, mine: Sustained, against: str, theirs: Sustained) -> Measurement:
    """Return the memory of both, theirs scaled to as many predictions."""
    scaled = theirs.memory * WAITING / COMPARED
    return Measurement(
        name, mine.memory, "MB", {"name": against, "value": scaled}, scaled / mine.memory, [[mine.memory, scaled]]
    )


def writing(mine: Sustained) -> Measurement:
    """Return what the checkpoints wrote while they were filled and timed, beside writing each row once."""
    usual = Traffic(WAITING)
    once = (WAITING + usual.turns * usual.batch) * ROW / 1e6
    against = {"name": "each prediction once", "value": once, "longest checkpoint": round(mine.longest, 2)}
    name = f"written until {WAITING:,} predictions wait, checkpoints {usual.batch * WRITTEN:,} apart"
    return Measurement(name, mine.written, "MB", against, once / mine.written, [[mine.written, once]])


def apart(side: Callable[[Traffic], Sustained], traffic: Traffic) -> Sustained:
    """Return what one side comes to in a process of its own."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(side, traffic).result()


def ours(traffic: Traffic) -> Sustained:
    """Fill our join, checkpoints included, then time it."""
    before = resident()
    with tempfile.TemporaryDirectory() as place:
        store = Store.open(Path(place) / "anchorwatch.db", holder="a benchmark", now=SystemClock().now())
        try:
            (model,) = models_of(Settings.model_validate(CONFIGURATION), store)
            nobody = np.empty(0, np.int64)
            filled = [(start, nobody) for start in range(0, traffic.waiting, traffic.batch)]
            _, filling = turns(store, model, filled, traffic)
            asked, began = labelled(traffic), time.perf_counter()
            memory, timed = turns(store, model, asked, traffic)
            seconds = time.perf_counter() - began
        finally:
            store.close()
    written, longest = (filling[0] + timed[0]) / 1e6, max(filling[1], timed[1])
    return Sustained(seconds, model.state.join.counts["matched"], memory - before, written, longest)


def turns(
    store: Store, model: Model, asked: list[tuple[int, NDArray[np.int64]]], traffic: Traffic
) -> tuple[float, tuple[int, float]]:
    """Take turns; return memory at the most, and the bytes of all checkpoints and the seconds of the longest."""
    most, written, longest = 0.0, 0, 0.0
    for number, (start, which) in enumerate(asked):
        take(model, start, which, traffic)
        if number % WRITTEN == WRITTEN - 1 or number == len(asked) - 1:
            began = time.perf_counter()
            written += checkpoint(store, model)
            longest = max(longest, time.perf_counter() - began)
        most = max(most, resident())
    return most, (written, longest)


def take(model: Model, start: int, asked: NDArray[np.int64], traffic: Traffic) -> None:
    """Let a model's join take the predictions of one turn, and labels for those asked for."""
    terms, known = model.watch.terms, model.state.join
    records, now, n = predictions(start, traffic), int((start + traffic.batch) * (WAIT // traffic.waiting)), len(asked)
    labels = Arrivals(idents(asked), np.full(n, now), asked.astype(np.uint64) & np.uint64(1), np.full(n, np.nan))
    known, _ = join.remember(known, terms, records)
    known, _ = join.match(known, terms, records, np.arange(traffic.batch), labels, traffic.batch + np.arange(n))
    model.state = replace(model.state, join=join.forget(known, terms, now))


def checkpoint(store: Store, model: Model) -> int:
    """Write what is new in a model's state as the daemon does; return how many bytes."""
    parts = to_parts(model.watch, model.state, model.saved)
    store.checkpoint(Checkpoint(at=SystemClock().now(), parts={model.watch.name: parts}))
    model.saved = model.state
    return sum(len(content) for content in parts.values() if content is not None)


def in_dict(traffic: Traffic) -> Sustained:
    """Fill a dict of tuples by id, then time it; ids are forgotten in the order in which they came."""
    before, known = resident(), dict[bytes, tuple[int, int, float]]()

    def take(start: int) -> None:
        records = predictions(start, traffic)
        keys = records.ident.tobytes()
        rows = zip(records.time.tolist(), records.token.tolist(), records.number.tolist(), strict=True)
        for i, row in enumerate(rows):
            known.setdefault(keys[16 * i : 16 * i + 16], row)

    for start in range(0, traffic.waiting, traffic.batch):
        take(start)
    most, matched, seconds = resident(), 0, 0.0
    for start, asked in labelled(traffic):
        began = time.perf_counter()
        take(start)
        keys = idents(asked).tobytes()
        found = [known.get(keys[16 * i : 16 * i + 16]) for i in range(len(asked))]
        matched += sum(row is not None for row in found)
        for key in [key for key, _ in zip(known, range(traffic.batch), strict=False)]:
            del known[key]
        seconds += time.perf_counter() - began
        most = max(most, resident())
    return Sustained(seconds, matched, most - before)


def in_sqlite(traffic: Traffic) -> Sustained:
    """Fill a table with an index over the id, then time it."""
    before = resident()
    with tempfile.TemporaryDirectory() as place:
        table = sqlite3.connect(Path(place) / "join.db", isolation_level=None)
        table.execute("PRAGMA journal_mode = WAL")
        table.execute("CREATE TABLE waits (id BLOB PRIMARY KEY, at INT, token BLOB, number REAL, label BLOB)")
        table.execute("CREATE INDEX by_time ON waits (at)")
        for start in range(0, traffic.waiting, traffic.batch):
            table.execute("BEGIN")
            _insert(table, predictions(start, traffic))
            table.execute("COMMIT")
        most, matched, seconds = resident(), 0, 0.0
        table.execute("BEGIN")
        for number, (start, asked) in enumerate(labelled(traffic)):
            began, keys = time.perf_counter(), idents(asked).tobytes()
            records = predictions(start, traffic)
            _insert(table, records)
            rows = ((keys[16 * i : 16 * i + 16],) for i in range(len(asked)))
            cursor = table.executemany("UPDATE waits SET label = '1' WHERE id = ? AND label IS NULL", rows)
            matched += cursor.rowcount
            table.execute("DELETE FROM waits WHERE at < ?", (int(records.time[-1]) - WAIT,))
            if number % WRITTEN == WRITTEN - 1:
                table.execute("COMMIT")
                table.execute("BEGIN")
            seconds += time.perf_counter() - began
            most = max(most, resident())
        table.execute("COMMIT")
        table.close()
    return Sustained(seconds, matched, most - before)


def predictions(start: int, traffic: Traffic) -> Columns:
    """Return the records of one turn: scores and classes of so many predictions that a week holds `waiting` of them."""
    number = np.arange(start, start + traffic.batch)
    ident = idents(number)
    return Columns(
        ident=ident,
        time=number * (WAIT // traffic.waiting),
        version=np.zeros(traffic.batch, np.int32),
        segments=np.empty((traffic.batch, 0), np.uint64),
        token=ident[:, 1] & np.uint64(1),
        number=(ident[:, 1] % np.uint64(1000)) / 1000.0,
        labelled=np.zeros(traffic.batch, np.bool_),
        label_token=np.zeros(traffic.batch, np.uint64),
        label_number=np.full(traffic.batch, np.nan),
    )


def labelled(traffic: Traffic) -> list[tuple[int, NDArray[np.int64]]]:
    """Return the turns that are timed: the first prediction of each, and of which predictions labels come."""
    rng = np.random.default_rng(1)
    starts = [traffic.waiting + traffic.batch * turn for turn in range(traffic.turns)]
    return [
        (start, rng.integers(max(start - int(0.95 * traffic.waiting), 0), start, traffic.batch)) for start in starts
    ]


def idents(number: NDArray[np.int64]) -> NDArray[np.uint64]:
    """Return (n, 2) hashes of numbers (Steele et al., 2014: the finaliser of splitmix64)."""
    word = np.stack([number, number + 10**12], axis=1).astype(np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return word ^ (word >> np.uint64(31))


def resident() -> float:
    """Return the memory of this process, MB."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * 4096 / 1e6


def _insert(table: sqlite3.Connection, records: Columns) -> None:
    keys, tokens = records.ident.tobytes(), records.token.tobytes()
    rows = enumerate(zip(records.time.tolist(), records.number.tolist(), strict=True))
    table.executemany(
        "INSERT OR IGNORE INTO waits (id, at, token, number) VALUES (?, ?, ?, ?)",
        ((keys[16 * i : 16 * i + 16], at, tokens[8 * i : 8 * i + 8], score) for i, (at, score) in rows),
    )
