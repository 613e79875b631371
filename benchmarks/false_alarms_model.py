"""False alarms of everything that is watched by default of a model with 20 features, on streams that do not change.

Each stream goes through the engine as its events would: its first 10,000 rows are its baseline, and every alert that
fires later is false. The budget is one in 100,000 events, so one stream in five may have one at most. As many more as
chance explains are allowed for: the 99 % bound of the binomial law.

    python benchmarks/run.py false_alarms_model
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
from benchmarks.measurement import Measurement

from anchorwatch.engine.state import fresh
from anchorwatch.engine.step import step
from anchorwatch.engine.watch import compile_watch
from anchorwatch.events import classes
from anchorwatch.events.columns import Batch, Labels, Predictions
from anchorwatch.events.identity import identify
from anchorwatch.settings.models import Baseline, Model
from anchorwatch.settings.units import NS

if TYPE_CHECKING:
    from anchorwatch.decide.notices import Notice
    from anchorwatch_detectors.base import Floats

STREAMS: Final = 200
FEATURES: Final = 20
FIRST: Final = 10_000
WATCHED: Final = 20_000
BUDGET: Final = 100_000
DAY: Final = 1_440
"""Rows of a day: one comes each minute."""
KINDS: Final = ("normal", "student_t", "lognormal", "autoregressive", "daily", "bernoulli")
ANSWERS: Final = (classes.NEGATIVE, classes.POSITIVE)
START: Final = 1_777_622_400 * NS["s"]
SEASON: Final = {"season": "day"} if "season" in Baseline.model_fields else {}


def model(kind: str, budget: str) -> Model:
    """Return the configuration: nothing but what has to be said."""
    features = dict.fromkeys((f"f{i:02}" for i in range(FEATURES)), "numeric")
    return Model.model_validate(
        {
            "predictions": {
                "topic": "predictions", "id": "id", "time": "at", "features": features,
                "prediction": {"kind": "binary", "score": "score"},
            },
            "labels": {"topic": "labels", "id": "id", "time": "at", "value": "truth", "wait": "7d"},
            "baseline": {"first": FIRST, **(SEASON if kind == "daily" else {})},
            "false_alarms": budget,
        }
    )  # fmt: skip


def stream(kind: str, seed: int, rows: int) -> tuple[Floats, Floats]:
    """Return features and score, (FEATURES + 1, rows), and errors, (rows,): one answer in twenty is wrong."""
    rng = np.random.default_rng([KINDS.index(kind), seed])
    shape = (FEATURES, rows)
    drawn = {
        "normal": rng.standard_normal,
        "student_t": lambda size: rng.standard_t(3.0, size),
        "lognormal": lambda size: rng.lognormal(size=size),
        "autoregressive": lambda size: _autoregressive(rng.standard_normal(size)),
        "daily": lambda size: rng.standard_normal(size) + np.sin(np.arange(size[1]) * 2.0 * np.pi / DAY),
        "bernoulli": lambda size: (rng.random(size) < 0.05).astype(np.float64),
    }[kind](shape)
    return np.concatenate([drawn, rng.beta(2.0, 2.0, (1, rows))]), (rng.random(rows) < 0.05).astype(np.float64)


def alerts(kind: str, columns: Floats, wrong: Floats, budget: str = f"1 per {BUDGET} events") -> list[Notice]:
    """Return the alerts that fire over a stream."""
    watch = compile_watch("/benchmark", "model", model(kind, budget), None, "benchmark")
    partitions, rows = ("labels/0", "predictions/0"), len(wrong)
    time, ident = START + np.arange(rows) * NS["m"], identify([f"p{i}" for i in range(rows)])
    said = (columns[-1] >= 0.5).astype(np.int32)
    true = np.where(wrong > 0, 1 - said, said)
    predictions = Predictions(
        time=time, ident=ident, partition=np.ones(rows, np.int32), offset=np.arange(rows),
        version=np.zeros(rows, np.int32), versions=("1",),
        numeric=columns, numeric_fault=np.zeros(columns.shape, np.uint8),
        category=said[np.newaxis], category_fault=np.zeros((1, rows), np.uint8), vocabulary=(ANSWERS,),
        token=classes.tokens(ANSWERS, said),
    )  # fmt: skip
    labels = Labels(
        time=time + 1, ident=ident, partition=np.zeros(rows, np.int32), offset=np.arange(rows),
        number=np.full(rows, np.nan), token=classes.tokens(ANSWERS, true),
    )  # fmt: skip
    _, outcome = step(watch, fresh(watch), Batch(partitions, predictions, labels, frozenset(partitions)))
    return [notice for notice in outcome.decision.notices if notice.begins]


def _autoregressive(noise: Floats) -> Floats:
    """Return standard normal values, each correlated by 0.7 with the one before in its row."""
    from scipy.signal import lfilter

    memory = 0.7
    noise[:, 1:] *= np.sqrt(1.0 - memory**2)
    return np.asarray(lfilter([1.0], [1.0, -memory], noise))


def bound(streams: int, rows: int) -> int:
    """Return how many of so many streams may have a false alarm: the 99 % bound of the budget."""
    from scipy.stats import binom

    return int(binom.ppf(0.99, streams, -np.expm1(-rows / BUDGET)))


def measure() -> list[Measurement]:
    """Return for each kind of stream how many of them had a false alarm, against how many may have."""
    allowed, found = bound(STREAMS, WATCHED), []
    for kind in KINDS:
        said = [bool(alerts(kind, *stream(kind, seed, FIRST + WATCHED))) for seed in range(STREAMS)]
        name = f"{kind}: streams of {WATCHED:,} events with a false alarm, of {STREAMS}"
        against = {"name": "99 % bound of the budget", "value": allowed}
        ratio = round((allowed + 1) / (sum(said) + 1), 2)
        found.append(Measurement(name, sum(said), "streams", against, ratio, [[sum(said), allowed]]))
    return found
