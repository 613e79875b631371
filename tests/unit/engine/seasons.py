"""Seeded streams that follow the day, and the engine run over them."""

import numpy as np

from anchorwatch.engine.state import fresh
from anchorwatch.engine.step import step
from anchorwatch.engine.watch import compile_watch
from anchorwatch.events import classes
from anchorwatch.events.columns import Batch, Fault, Labels, Predictions
from anchorwatch.events.identity import identify
from anchorwatch.settings.models import Model

SECOND = 10**9
HOUR = 3600 * SECOND
START = 1_777_593_600 * SECOND  # a Friday, 00:00 UTC
ANSWERS = (classes.NEGATIVE, classes.POSITIVE)
COUNTRIES = ("CH", "DE", "FR", "IT", "LI")
FEATURES = ("amount", "income", "items", "load")


def model(season, first=6000, **more):
    """Return the default configuration with a season."""
    return Model.model_validate(
        {
            "predictions": {
                "topic": "predictions", "id": "id", "time": "at", "prediction": {"kind": "binary", "score": "score"},
                "features": {**dict.fromkeys(FEATURES, "numeric"), "country": "category"},
            },
            "labels": {"topic": "labels", "id": "id", "time": "at", "value": "truth", "wait": "4h"},
            "segments": ["country"],
            "baseline": {"first": first, "season": season},
            **more,
        }
    )  # fmt: skip


def stream(seed, n=14_000, gap=16.0):
    """Return a stream that is the same every day: traffic, places, spread, counts, words, gaps and errors follow it.

    About 2,700 rows a day; `day` is -1 at midnight and 1 at noon.
    """
    rng = np.random.default_rng(seed)
    hours = np.cumsum(rng.exponential(gap / 3600, 3 * n))
    hours = hours[rng.random(3 * n) < 0.5 + 0.4 * np.sin(2 * np.pi * (hours - 9) / 24)][:n]
    day, noise = np.sin(2 * np.pi * (hours - 6) / 24), rng.normal(size=(4, n))
    weights = np.stack([np.exp(k * day) for k in (-1, 0, 0.5, 1, -1)]) * np.array([[4, 3, 1.5, 1, 0.5]]).T
    country = (rng.random(n) > np.cumsum(weights / weights.sum(axis=0), axis=0)[:4]).sum(axis=0)
    fault = np.zeros((5, n), np.uint8)
    fault[2] = np.where(rng.random(n) < 0.15 * (1 - day), Fault.NULL, Fault.NONE)
    return {
        "hours": hours,
        "amount": 2.0 * day + noise[0],
        "income": np.exp(day + noise[1]),
        "items": rng.poisson(np.exp(1 + 0.5 * day)).astype(float),
        "load": (1.2 + day) * noise[2],
        "score": 1 / (1 + np.exp(-0.7 * day - noise[3])),
        "country": country,
        "wrong": rng.random(n) < 0.06 * np.exp(0.9 * day) * np.where(country == 1, 1.8, 0.8),
        "fault": fault,
    }


def run(watched, settings, *, cuts=()):
    """Run a stream, cut into batches after so many rows; return (state, notices, evidence)."""
    n = len(watched["hours"])
    watch, said = compile_watch("/test", "credit", settings, None, "test"), (watched["score"] >= 0.5).astype(np.int32)
    time, ident = START + (watched["hours"] * HOUR).astype(np.int64), identify([f"p{i}" for i in range(n)])
    true = np.where(watched["wrong"], 1 - said, said).astype(np.int32)
    numeric = np.where(watched["fault"] > 0, np.nan, np.stack([watched[name] for name in (*FEATURES, "score")]))
    partitions, state, notices, evidence = ("labels/0", "predictions/0"), fresh(watch), [], []
    for start, stop in zip([0, *cuts], [*cuts, n], strict=True):
        rows, size = slice(start, stop), stop - start
        predictions = Predictions(
            time=time[rows], ident=ident[rows], partition=np.ones(size, np.int32), offset=np.arange(size),
            version=np.zeros(size, np.int32), versions=("1",),
            numeric=numeric[:, rows], numeric_fault=watched["fault"][:, rows],
            category=np.stack([watched["country"][rows], said[rows]]).astype(np.int32),
            category_fault=np.zeros((2, size), np.uint8), vocabulary=(COUNTRIES, ANSWERS),
            token=classes.tokens(ANSWERS, said[rows]),
        )  # fmt: skip
        labels = Labels(
            time=time[rows] + HOUR, ident=ident[rows], partition=np.zeros(size, np.int32), offset=np.arange(size),
            number=np.full(size, np.nan), token=classes.tokens(ANSWERS, true[rows]),
        )  # fmt: skip
        idle = frozenset(partitions if stop == n else ())
        state, outcome = step(watch, state, Batch(partitions, predictions, labels, idle))
        notices += outcome.decision.notices
        evidence += outcome.evidence
    return state, notices, evidence


def alerts(notices):
    """Return the first notice of every alert."""
    return [notice for notice in notices if str(notice.status) == "firing" and notice.number == 1]
