from __future__ import annotations

import copy
import json

import pytest

from anchorwatch.events.decode import Decoder
from anchorwatch.events.records import Partition, Records
from anchorwatch.settings.models import Model

NOW = 1_800_000_000 * 10**9

CONFIGURATION = {
    "predictions": {
        "topic": "p",
        "id": "id",
        "time": "ts",
        "version": "version",
        "latency": "ms",
        "features": {
            "amount": "numeric",
            "country": "category",
            "age": {"kind": "numeric", "path": "customer.age"},
        },
        "dimensions": {"shop": "customer.shop"},
        "prediction": {"kind": "binary", "score": "score"},
    },
    "labels": {"topic": "l", "id": "id", "time": "ts", "value": "fraud"},
    "baseline": {"first": 1000},
}

EVENT = {
    "id": "a1",
    "ts": "2026-01-05T10:00:00Z",
    "version": "3",
    "ms": 12.5,
    "amount": 99.5,
    "country": "DE",
    "customer": {"age": 40, "shop": "s1"},
    "score": 0.7,
}
LABEL = {"id": "a1", "ts": "2026-01-06T10:00:00Z", "fraud": 1}


def merged(base, changes):
    """Return a copy of nested dictionaries with changes; a value of ... removes its key."""
    result = copy.deepcopy(base)
    for key, value in changes.items():
        if value is ...:
            result.pop(key, None)
        elif isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = merged(result[key], value)
        else:
            result[key] = value
    return result


class Bench:
    """A decoder with records around it."""

    def __init__(self, **changes):
        self.model = Model.model_validate(merged(CONFIGURATION, changes))
        self.decoder = Decoder("fraud", self.model)
        self.shape = self.decoder.shape

    def raw(self, values, topic="p", *, text=False, timestamps=None, keys=()):
        n = len(values)
        part = Records(Partition(topic, 0), range(10, 10 + n), timestamps or [None] * n, values, keys, (), text)
        topics = {self.model.predictions.topic} | ({self.model.labels.topic} if self.model.labels else set())
        return self.decoder.decode([part], [Partition(t, 0) for t in sorted(topics)], NOW)

    def predictions(self, *events, **options):
        return self.raw([json.dumps(event).encode() for event in events], **options)

    def event(self, **changes):
        """Decode one event that differs from the usual one in `changes`, and return the batch and the letters."""
        return self.predictions(merged(EVENT, changes))

    def label(self, **changes):
        return self.raw([json.dumps(merged(LABEL, changes)).encode()], topic="l")

    def number(self, batch, name, row=0):
        column = self.shape.numeric.index(name)
        return float(batch.predictions.numeric[column, row]), int(batch.predictions.numeric_fault[column, row])

    def word(self, batch, name, row=0):
        column = self.shape.category.index(name)
        code = int(batch.predictions.category[column, row])
        word = batch.predictions.vocabulary[column][code] if code >= 0 else None
        return word, int(batch.predictions.category_fault[column, row])


@pytest.fixture(scope="session")
def bench():
    return Bench


@pytest.fixture(scope="session")
def usual():
    return Bench()


@pytest.fixture(scope="session")
def event():
    return EVENT


@pytest.fixture(scope="session")
def label():
    return LABEL


@pytest.fixture(scope="session")
def now():
    return NOW
