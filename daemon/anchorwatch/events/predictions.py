"""Events of the predictions stream to columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from anchorwatch.events import classes
from anchorwatch.events.columns import PREDICTION_SCORE, Fault, Predictions
from anchorwatch.events.items import naming, ranked
from anchorwatch.events.probabilities import Probabilities
from anchorwatch.events.values import numbers, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    import msgspec
    from numpy.typing import NDArray

    from anchorwatch.events.admission import Admitted
    from anchorwatch.events.columns import Bytes, Floats, Int32s, Shape
    from anchorwatch.events.probabilities import Given
    from anchorwatch.events.reader import Reader
    from anchorwatch.events.values import Getter
    from anchorwatch.settings import models as settings

    Words = tuple[tuple[str, ...], Int32s, Bytes]


class PredictionColumns:
    """Makes the columns of prediction events.

    Parameters
    ----------
    stream
        Settings of the stream.
    reader
        What its payloads are read with.
    shape
        Which columns there are.
    """

    def __init__(self, stream: settings.Predictions, reader: Reader, shape: Shape) -> None:
        self._prediction = stream.prediction
        self._reader = reader
        self._shape = shape
        found = stream.prediction.probabilities
        self._probabilities = Probabilities(shape.classes, found, reader) if found else None
        read = [row for row, name in enumerate(shape.numeric) if not (found and name == PREDICTION_SCORE)]
        self._numeric = [
            (row, reader.getter(path), path in reader.numbers) for row, path in zip(read, _numeric(stream), strict=True)
        ]
        self._features = [
            reader.getter(feature.path or name)
            for name, feature in stream.features.items()
            if feature.kind == "category"
        ]
        self._dimensions = [reader.getter(path) for path in stream.dimensions.values()]
        self._class = None if stream.prediction.class_ is None else reader.getter(stream.prediction.class_)
        self._items = None if stream.prediction.items is None else reader.list_getter(stream.prediction.items)
        self._version = None if stream.version is None else reader.getter(stream.version)
        self._binary = classes.Binary(stream.prediction.positive)

    @staticmethod
    def fields(stream: settings.Predictions) -> dict[str, bool]:
        """Return the paths that are needed; True where a path is used as a number and as nothing else."""
        features = stream.features.items()
        others = {feature.path or name for name, feature in features if feature.kind == "category"}
        others |= {stream.id, *stream.dimensions.values(), *stream.where}
        prediction = stream.prediction
        more = (stream.time, stream.version, prediction.class_, prediction.items)
        others |= {path for path in more if path is not None}
        numeric = [*_numeric(stream), *prediction.probabilities.values()]
        return {path: path not in others for path in [*others, *numeric]}

    def present(self, rows: Sequence[msgspec.Struct]) -> NDArray[np.bool_]:
        """Tell of each event whether it has any column of a prediction."""
        found = np.zeros(len(rows), np.bool_)
        for _, get, strict in self._numeric:
            found |= numbers(rows, get, strict=strict, text=self._reader.text)[1] != Fault.ABSENT
        for get in [*self._features, *([self._class] if self._class else [])]:
            found |= self._words(rows, get)[2] != Fault.ABSENT
        if self._items is not None:
            found |= naming(list(map(self._items, rows)), text=self._reader.text) != Fault.ABSENT
        if self._probabilities is not None:
            found |= self._probabilities.present(rows)
        return found

    def of(self, rows: Sequence[msgspec.Struct], found: Admitted) -> Predictions:
        """Return the columns of the admitted events `rows`."""
        n = len(rows)
        numeric = np.empty((len(self._shape.numeric), n))
        faults = np.empty((len(self._shape.numeric), n), np.uint8)
        for row, get, strict in self._numeric:
            numeric[row], faults[row] = numbers(rows, get, strict=strict, text=self._reader.text)
        category = [self._words(rows, get) for get in self._features]
        token, items, given = np.zeros(n, np.uint64), None, None
        if self._items is not None:
            lists = ranked(list(map(self._items, rows)), self._prediction.k, text=self._reader.text)
            category.append((lists.vocabulary, lists.codes, lists.fault))
            token, items = lists.tokens[:, 0], lists.tokens
        elif self._prediction.kind != "regression":
            given = None if self._probabilities is None else self._probabilities.of(rows)
            category.append(self._classes(rows, numeric, faults) if given is None else self._chosen(rows, given))
            if given is not None:
                score = self._shape.numeric.index(PREDICTION_SCORE)
                numeric[score], faults[score] = given.of_classes(*category[-1][1:])
            token = classes.tokens(category[-1][0], category[-1][1])
        category.extend(self._words(rows, get) for get in self._dimensions)
        versions, version = self._versions(rows)
        return Predictions(
            time=found.time,
            ident=found.ident,
            partition=found.partition,
            offset=found.offset,
            version=version,
            versions=versions,
            numeric=numeric,
            numeric_fault=faults,
            category=np.array([codes for _, codes, _ in category], np.int32).reshape(len(category), n),
            category_fault=np.array([fault for _, _, fault in category], np.uint8).reshape(len(category), n),
            vocabulary=tuple(vocabulary for vocabulary, _, _ in category),
            token=token,
            items=items,
            probabilities=None if given is None else given.p,
        )

    def _words(self, rows: Sequence[msgspec.Struct], get: Getter) -> Words:
        return words(rows, get, text=self._reader.text)

    def _versions(self, rows: Sequence[msgspec.Struct]) -> tuple[tuple[str, ...], Int32s]:
        """Return the model versions; an event that names none is of the version "" (all are, without a path)."""
        if self._version is None:
            return ("",), np.zeros(len(rows), np.int32)
        vocabulary, codes, _ = self._words(rows, self._version)
        if (codes < 0).any():
            vocabulary, codes = (*vocabulary, ""), np.where(codes < 0, len(vocabulary), codes).astype(np.int32)
        return vocabulary, codes

    def _classes(self, rows: Sequence[msgspec.Struct], numeric: Floats, faults: Bytes) -> Words:
        """Return the predicted classes: of a binary model by its score where there is one, else as named."""
        n = len(rows)
        vocabulary: tuple[str, ...] = ()
        codes, fault = np.full(n, -1, np.int32), np.full(n, Fault.ABSENT, np.uint8)
        binary = self._prediction.kind == "binary"
        if self._class is not None:
            vocabulary, codes, fault = self._words(rows, self._class)
            naming = self._binary if binary else classes.class_word
            vocabulary, codes = classes.renamed(codes, [naming(word) for word in vocabulary])
        if not binary or self._prediction.score is None:
            return vocabulary, codes, fault
        if self._class is not None:
            _, codes = classes.renamed(codes, vocabulary, (classes.NEGATIVE, classes.POSITIVE))
        row = self._shape.numeric.index(PREDICTION_SCORE)
        score = numeric[row]
        scored = ~np.isnan(score)
        codes = np.where(scored, score >= self._prediction.threshold, codes).astype(np.int32)
        fault = np.where(scored, Fault.NONE, fault if self._class is not None else faults[row]).astype(np.uint8)
        return (classes.NEGATIVE, classes.POSITIVE), codes, fault

    def _chosen(self, rows: Sequence[msgspec.Struct], given: Given) -> Words:
        """Return the predicted classes: as named where a place for them is known, else the most probable ones."""
        if self._probabilities is None or self._class is None:
            names = () if self._probabilities is None else self._probabilities.names
            return names, given.most_probable(), given.fault
        vocabulary, codes, fault = self._words(rows, self._class)
        return *self._probabilities.coded(vocabulary, codes), fault


def _numeric(stream: settings.Predictions) -> list[str]:
    """Return the paths of the numeric columns, in the order of the shape."""
    prediction = stream.prediction
    output = prediction.value if prediction.kind == "regression" else prediction.score
    features = [feature.path or name for name, feature in stream.features.items() if feature.kind == "numeric"]
    return [*features, *(path for path in (output, stream.latency) if path is not None)]
