"""Raw records of one model to columns; what cannot be used becomes a dead letter and loses nothing."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from anchorwatch.events.admission import Admission
from anchorwatch.events.columns import Batch, DeadLetter, Labels, Predictions
from anchorwatch.events.gather import Gathered
from anchorwatch.events.labels import LabelColumns
from anchorwatch.events.predictions import PredictionColumns
from anchorwatch.events.reader import Reader
from anchorwatch.events.reasons import Skip
from anchorwatch.events.reports import Statuses
from anchorwatch.events.shape import shape_of
from anchorwatch.events.statuses import StatusDecoder

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import msgspec
    from numpy.typing import NDArray

    from anchorwatch.events.reader import Trouble
    from anchorwatch.events.records import Partition, Records
    from anchorwatch.settings.models import Model

    Mask = NDArray[np.bool_]


class Decoder:
    """Decodes the records of one model.

    Every record is counted once: as a row, as a dead letter, or as skipped by a named rule. Only where one topic
    holds both predictions and labels may a record be two rows: a prediction that carries its label.

    Parameters
    ----------
    name
        The model's name.
    model
        Its settings.
    statuses
        Topic on which retrainings are reported; None for none, or where the model asks for none.

    Raises
    ------
    ConfigurationError
        If the fields it asks for cannot stand in one event.
    """

    def __init__(self, name: str, model: Model, statuses: str | None = None) -> None:
        self.shape = shape_of(model)
        self._name = name
        self._reports, self._statuses = StatusDecoder(name, model.event_time.future), statuses
        self._predictions = model.predictions.topic
        self._topics = {model.predictions.topic} | ({model.labels.topic} if model.labels else set())
        self._formats = {text: _Format(name, model, text=text) for text in (False, True)}

    def decode(
        self,
        records: Sequence[Records],
        partitions: Sequence[Partition],
        now: int,
        idle: Collection[Partition] = (),
        ended: Collection[Partition] = (),
    ) -> tuple[Batch, list[DeadLetter]]:
        """Decode records into a batch.

        Parameters
        ----------
        records
            Records of this model's topics, each partition's in order of offset.
        partitions
            All partitions of this model's topics.
        now
            Wall time, ns since the epoch: events too far ahead of it are dead letters.
        idle
            Partitions that are not waited for.
        ended
            Partitions of which no further record will ever come.

        Returns
        -------
        tuple
            The batch, and the dead letters in the order of their records.

        Raises
        ------
        ValueError
            If a record's topic is none of this model's.
        """
        names = sorted(map(str, partitions))
        codes = {partition: names.index(str(partition)) for partition in partitions}
        groups: dict[tuple[str, bool], list[Records]] = {}
        reports = [part for part in records if part.partition.topic == self._statuses]
        for part in records:
            if part.partition.topic != self._statuses:
                groups.setdefault((part.partition.topic, part.text_values), []).append(part)
        run = _Run(self._name, now)
        if reports:
            run.report(Gathered(reports, codes, text=False), self._reports)
        for (topic, text), parts in groups.items():
            if topic not in self._topics:
                raise ValueError(f"topic {topic!r} is none of model {self._name!r}: {sorted(self._topics)}")
            self._formats[text].decode(topic, Gathered(parts, codes, text=text), run)
        batch = Batch(
            partitions=tuple(names),
            predictions=Predictions.concat(run.predictions or [Predictions.empty(self.shape)]),
            labels=Labels.concat(run.labels or [Labels.empty()]),
            idle=frozenset(map(str, idle)),
            dead=tuple(sorted(Counter(str(letter.reason) for letter in run.letters).items())),
            skipped=tuple(sorted((str(skip), n) for skip, n in run.skipped.items() if n)),
            statuses=run.statuses,
            reporting=frozenset(str(p) for p in partitions if p.topic == self._statuses),
            over=bool(ended) and all(p in ended for p in partitions if p.topic == self._predictions),
        )
        return batch, run.letters


class _Run:
    """What one call gathers."""

    def __init__(self, model: str, now: int) -> None:
        self.model = model
        self.now = now
        self.predictions: list[Predictions] = []
        self.labels: list[Labels] = []
        self.letters: list[DeadLetter] = []
        self.skipped: Counter[Skip] = Counter()
        self.statuses = Statuses.empty()

    def report(self, gathered: Gathered, decoder: StatusDecoder) -> None:
        """Take the reports on retrainings, all of which stand in one topic."""
        self.statuses, troubles, skipped = decoder.decode(gathered, self.now)
        self.skipped.update(skipped)
        self.bury(gathered, troubles)

    def bury(self, gathered: Gathered, troubles: Mapping[int, Trouble]) -> None:
        """Make dead letters."""
        for i in sorted(troubles):
            reason, detail = troubles[i]
            self.letters.append(gathered.letter(i, self.model, reason, detail))


class _Format:
    """The decoding of a model's records of one kind: values with types, or as text."""

    def __init__(self, name: str, model: Model, *, text: bool) -> None:
        self._topics = (model.predictions.topic, model.labels.topic if model.labels else None)
        ahead = model.event_time.future
        wanted = PredictionColumns.fields(model.predictions)
        truths = LabelColumns.fields(model.labels) if model.labels else {}
        items = model.predictions.prediction.items
        lists = [[] if items is None else [items], [model.labels.value] if items is not None and model.labels else []]
        if self._topics[0] == self._topics[1]:
            wanted = truths = {path: wanted.get(path, True) and truths.get(path, True) for path in wanted | truths}
            lists = [lists[0] + lists[1]] * 2
        self._reader = Reader(wanted, text=text, lists=lists[0])
        self._columns = PredictionColumns(model.predictions, self._reader, shape_of(model))
        self._admission = Admission(f"models.{name}.predictions", model.predictions, self._reader, ahead)
        if model.labels:
            self._label_reader = Reader(truths, text=text, lists=lists[1])
            kind = model.predictions.prediction
            self._truth = LabelColumns(f"models.{name}.labels", model.labels, kind, self._label_reader)
            self._label_admission = Admission(f"models.{name}.labels", model.labels, self._label_reader, ahead)

    def decode(self, topic: str, gathered: Gathered, run: _Run) -> None:
        """Decode the records of one topic."""
        run.skipped[Skip.TOMBSTONE] += gathered.tombstones
        if not len(gathered):
            return
        is_predictions, is_labels = (topic == role for role in self._topics)
        reader = self._reader if is_predictions else self._label_reader
        rows, troubles = reader.read(gathered.values)
        readable = np.ones(len(rows), np.bool_)
        readable[list(troubles)] = False
        nobody = np.zeros(len(rows), np.bool_)
        mine = self._admission.asked_for(rows) & readable if is_predictions else nobody
        theirs = self._label_admission.asked_for(rows) & readable if is_labels else nobody
        if is_predictions and is_labels:
            self._share(rows, mine, theirs)
        run.skipped[Skip.WHERE] += int((readable & ~mine & ~theirs).sum())
        if theirs.any():
            troubles |= self._take_labels(rows, gathered, theirs, run)
        if mine.any():
            troubles |= self._take_predictions(rows, gathered, mine, run)
        run.bury(gathered, troubles)

    def _share(self, rows: Sequence[msgspec.Struct], mine: Mask, theirs: Mask) -> None:
        """Decide what the events are that both streams ask for.

        An event with a label is a label, and a prediction as well where it has anything of one; an event without a
        label is a prediction, unless it has nothing of one and a place for a label.
        """
        both = np.flatnonzero(mine & theirs)
        events = [rows[i] for i in both.tolist()]
        labelled, placed = self._truth.present(events)
        predicted = self._columns.present(events)
        theirs[both] = labelled | (placed & ~predicted)
        mine[both] = predicted | ~placed

    def _take_predictions(
        self, rows: Sequence[msgspec.Struct], gathered: Gathered, mask: Mask, run: _Run
    ) -> Mapping[int, Trouble]:
        taken, found = self._admission.admit(rows, gathered, mask, run.now)
        run.predictions.append(self._columns.of(taken, found))
        return found.troubles

    def _take_labels(
        self, rows: Sequence[msgspec.Struct], gathered: Gathered, mask: Mask, run: _Run
    ) -> Mapping[int, Trouble]:
        taken, found = self._label_admission.admit(rows, gathered, mask, run.now)
        labels, troubles = self._truth.of(taken, found)
        run.labels.append(labels)
        return {**troubles, **found.troubles}
