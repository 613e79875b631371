"""A batch as columns: what the engine works on instead of events.

Numbers are float64 with NaN for anything unusable, categories are int32 codes into a vocabulary with -1 for anything
unusable, and a fault code beside each value says what was wrong with it.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from anchorwatch.events import concatenate
from anchorwatch.events.reports import Statuses

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]
    Int64s = NDArray[np.int64]
    Int32s = NDArray[np.int32]
    Bytes = NDArray[np.uint8]
    Ids = NDArray[np.uint64]


class Fault(enum.IntEnum):
    """What was wrong with one value."""

    NONE = 0
    NULL = 1
    ABSENT = 2
    WRONG_TYPE = 3
    NOT_FINITE = 4


@dataclass(frozen=True, slots=True)
class Shape:
    """Which columns the predictions of a model have; prediction columns and latency stand among the features.

    `score`, `value`, `class` and `latency` are the names of the model's own outputs, prefixed so that no feature can
    collide with them. `classes` are those whose probabilities are given, in order.
    """

    numeric: tuple[str, ...]
    category: tuple[str, ...]
    classes: tuple[str, ...] = ()


PREDICTION_SCORE = "prediction:score"
PREDICTION_VALUE = "prediction:value"
PREDICTION_CLASS = "prediction:class"
LATENCY = "latency"


@dataclass(frozen=True, slots=True)
class Predictions:
    """Prediction events of one model.

    Attributes
    ----------
    time
        (n,) event time, ns since the epoch.
    ident
        (n, 2) 128-bit hash of the prediction id.
    partition
        (n,) index into the `partitions` of the batch.
    offset
        (n,) place in that partition; only the order within a batch matters.
    version
        (n,) code into `versions`.
    numeric, numeric_fault
        (numeric columns, n) values and faults, rows as in `Shape.numeric`.
    category, category_fault
        (category columns, n) codes and faults, rows as in `Shape.category`.
    vocabulary
        One tuple of strings per category column.
    token
        (n,) 64-bit hash of the predicted class in canonical form, of the first item of a ranking; 0 for regression.
    items
        (n, k) hashes of the first k items of a ranking (`events.items`); None for others.
    probabilities
        (n, classes) that of each class, NaN for all where they cannot be used (`events.probabilities`); None without.
    """

    time: Int64s
    ident: Ids
    partition: Int32s
    offset: Int64s
    version: Int32s
    versions: tuple[str, ...]
    numeric: Floats
    numeric_fault: Bytes
    category: Int32s
    category_fault: Bytes
    vocabulary: tuple[tuple[str, ...], ...]
    token: NDArray[np.uint64]
    items: Ids | None = None
    probabilities: Floats | None = None

    def __len__(self) -> int:
        """Return the number of events."""
        return len(self.time)

    @classmethod
    def empty(cls, shape: Shape) -> Self:
        """Return no events of the given shape."""
        f, c = len(shape.numeric), len(shape.category)
        return cls(
            time=np.empty(0, np.int64),
            ident=np.empty((0, 2), np.uint64),
            partition=np.empty(0, np.int32),
            offset=np.empty(0, np.int64),
            version=np.empty(0, np.int32),
            versions=(),
            numeric=np.empty((f, 0)),
            numeric_fault=np.empty((f, 0), np.uint8),
            category=np.empty((c, 0), np.int32),
            category_fault=np.empty((c, 0), np.uint8),
            vocabulary=((),) * c,
            token=np.empty(0, np.uint64),
        )

    def take(self, index: Any) -> Self:
        """Return the events at `index` (positions, a mask or a slice), in that order."""
        return type(self)(
            time=self.time[index],
            ident=self.ident[index],
            partition=self.partition[index],
            offset=self.offset[index],
            version=self.version[index],
            versions=self.versions,
            numeric=self.numeric[:, index],
            numeric_fault=self.numeric_fault[:, index],
            category=self.category[:, index],
            category_fault=self.category_fault[:, index],
            vocabulary=self.vocabulary,
            token=self.token[index],
            items=None if self.items is None else self.items[index],
            probabilities=None if self.probabilities is None else self.probabilities[index],
        )

    @classmethod
    def concat(cls, parts: Sequence[Self]) -> Self:
        """Return the events of all parts, one after the other, over a common vocabulary."""
        if len(parts) == 1:
            return parts[0]
        versions, version = concatenate.categories([p.versions for p in parts], [p.version for p in parts])
        columns = range(parts[0].category.shape[0])
        merged = [
            concatenate.categories([p.vocabulary[c] for p in parts], [p.category[c] for p in parts]) for c in columns
        ]
        n = sum(len(p) for p in parts)
        return cls(
            time=np.concatenate([p.time for p in parts]),
            ident=np.concatenate([p.ident for p in parts]),
            partition=np.concatenate([p.partition for p in parts]),
            offset=np.concatenate([p.offset for p in parts]),
            version=version,
            versions=versions,
            numeric=np.concatenate([p.numeric for p in parts], axis=1),
            numeric_fault=np.concatenate([p.numeric_fault for p in parts], axis=1),
            category=np.stack([codes for _, codes in merged]) if merged else np.empty((0, n), np.int32),
            category_fault=np.concatenate([p.category_fault for p in parts], axis=1),
            vocabulary=tuple(words for words, _ in merged),
            token=np.concatenate([p.token for p in parts]),
            items=concatenate.items([p.items for p in parts]),
            probabilities=concatenate.items([p.probabilities for p in parts]),
        )


@dataclass(frozen=True, slots=True)
class Labels:
    """Label events of one model.

    Attributes
    ----------
    time
        (n,) event time, ns since the epoch.
    ident
        (n, 2) 128-bit hash of the prediction id.
    partition
        (n,) index into the `partitions` of the batch.
    offset
        (n,) place in that partition; only the order within a batch matters.
    number
        (n,) ground truth of a regression; NaN for classes.
    token
        (n,) 64-bit hash of the true class in canonical form, of all relevant items of a ranking; 0 for regression.
    items
        (n, most) hashes of the relevant items of a ranking, then 0; None for others.
    """

    time: Int64s
    ident: Ids
    partition: Int32s
    offset: Int64s
    number: Floats
    token: NDArray[np.uint64]
    items: Ids | None = None

    def __len__(self) -> int:
        """Return the number of events."""
        return len(self.time)

    @classmethod
    def empty(cls) -> Self:
        """Return no labels."""
        return cls(
            time=np.empty(0, np.int64),
            ident=np.empty((0, 2), np.uint64),
            partition=np.empty(0, np.int32),
            offset=np.empty(0, np.int64),
            number=np.empty(0),
            token=np.empty(0, np.uint64),
        )

    def take(self, index: Any) -> Self:
        """Return the labels at `index` (positions, a mask or a slice), in that order."""
        return type(self)(
            time=self.time[index],
            ident=self.ident[index],
            partition=self.partition[index],
            offset=self.offset[index],
            number=self.number[index],
            token=self.token[index],
            items=None if self.items is None else self.items[index],
        )

    @classmethod
    def concat(cls, parts: Sequence[Self]) -> Self:
        """Return the labels of all parts, one after the other."""
        if len(parts) == 1:
            return parts[0]
        return cls(
            time=np.concatenate([p.time for p in parts]),
            ident=np.concatenate([p.ident for p in parts]),
            partition=np.concatenate([p.partition for p in parts]),
            offset=np.concatenate([p.offset for p in parts]),
            number=np.concatenate([p.number for p in parts]),
            token=np.concatenate([p.token for p in parts]),
            items=concatenate.items([p.items for p in parts]),
        )


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """An input that could not be used: where it was, what it was, why.

    `reason` is one word of a closed set (fit for a metric's label), `detail` a sentence for people.
    """

    model: str
    topic: str
    partition: int
    offset: int
    reason: str
    detail: str
    key: bytes | None
    value: bytes | None


@dataclass(frozen=True, slots=True)
class Batch:
    """All that one call of the engine takes in for one model.

    Attributes
    ----------
    partitions
        Names of this model's partitions, sorted; `partition` columns index it.
    predictions, labels
        The events in order of their offsets within each partition.
    idle
        Names of partitions that are not waited for: finite ones that ended, quiet ones that timed out.
    dead, skipped
        Dead letters and records passed over by rule (tombstones, `where`) of this batch, by reason; counted in the
        state so that everything read is accounted for.
    statuses, reporting
        Reports on retrainings, and the names of the partitions that hold such reports.
    over
        Whether no further prediction will ever come: the logs of a replay have ended.
    """

    partitions: tuple[str, ...]
    predictions: Predictions
    labels: Labels
    idle: frozenset[str] = frozenset()
    dead: tuple[tuple[str, int], ...] = ()
    skipped: tuple[tuple[str, int], ...] = ()
    statuses: Statuses = field(default_factory=Statuses.empty)
    reporting: frozenset[str] = frozenset()
    over: bool = False
