"""A model of normal features that hang together as much as is asked for."""

import numpy as np

from anchorwatch.engine.baseline import Baseline
from anchorwatch.engine.building import outcomes_part, predictions_part
from anchorwatch.engine.reference import Block, token_of
from anchorwatch.engine.simulated_scenes import Logged
from anchorwatch.engine.vector import RIGHT, WRONG
from anchorwatch.engine.watch import compile_watch
from anchorwatch.settings.models import Model
from anchorwatch_detectors import synth

FEATURES, ROWS = 20, 2000
SECOND = 10**9
SCORES = {"kind": "binary", "score": "score"}
WRONG_RATE = 0.1


def a_model(*, budget="1 per 5000 events", labels=False, **other):
    names = [f"f{i}" for i in range(FEATURES)]
    document = {
        "predictions": {
            "topic": "p", "id": "id", "time": "at", "prediction": SCORES, "features": dict.fromkeys(names, "numeric"),
            "dimensions": {"region": "region"},
        },
        "baseline": {"first": ROWS},
        "false_alarms": budget,
        "windows": {"size": 250},
        **other,
    }  # fmt: skip
    if labels:
        document["labels"] = {"topic": "l", "id": "id", "value": "truth", "wait": "1h"}
    return Model.model_validate(document)


def a_watch(**settings):
    return compile_watch("/test", "m", a_model(**settings), None, "test")


def rows(n, seed, correlation=0.0, memory=0.0):
    """Return predictions; every feature is normal, with the same correlation between any two."""
    common = synth.autoregressive(n, seed, memory)
    own = np.array([synth.autoregressive(n, [seed, i], memory) for i in range(FEATURES)])
    features = np.sqrt(correlation) * common + np.sqrt(1.0 - correlation) * own
    rng = np.random.default_rng([seed, 1000])
    score, region = rng.random(n), rng.choice(3, n, p=[0.6, 0.3, 0.1])
    numeric = np.concatenate([features, score[np.newaxis]])
    return Block(
        at=np.arange(n), time=np.arange(n) * SECOND, ident=np.zeros((n, 2), np.uint64),
        numeric=numeric, numeric_fault=np.zeros(numeric.shape, np.uint8),
        category=np.array([score >= 0.5, region], np.int32), category_fault=np.zeros((2, n), np.uint8),
        vocabulary=(("no", "yes"), ("north", "south", "west")), segments=np.empty((0, n), np.uint64),
    )  # fmt: skip


def labelled(n, seed):
    """Return outcomes of which one in ten is wrong."""
    wrong = synth.bernoulli(n, seed, WRONG_RATE).astype(np.int32)[np.newaxis]
    none = np.empty((0, n))
    return Block(
        at=np.arange(n), time=np.arange(n) * SECOND, ident=np.zeros((n, 2), np.uint64),
        numeric=none, numeric_fault=none.astype(np.uint8),
        category=wrong, category_fault=np.zeros((1, n), np.uint8),
        vocabulary=((RIGHT, WRONG),), segments=np.empty((0, n), np.uint64),
    )  # fmt: skip


def in_segments(block):
    """Return predictions whose region is a segment."""
    words = block.vocabulary[1]
    return Block(**{
        **{name: getattr(block, name) for name in Block.__dataclass_fields__},
        "segments": token_of(words)[block.category[1]][np.newaxis],
    })  # fmt: skip


def a_baseline(watch, block, outcomes=None):
    part = predictions_part(watch, [block])
    known = None if outcomes is None else outcomes_part(watch.outcomes, [outcomes], part, watch.cycle)
    return Baseline("m", "1", part, known, "", "test", watch.fingerprint)


def a_log(block, outcomes=None):
    return Logged(block, outcomes)
