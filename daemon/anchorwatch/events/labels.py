"""Events of the labels stream to columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from anchorwatch.events import classes
from anchorwatch.events.columns import Fault, Labels
from anchorwatch.events.items import naming, relevant
from anchorwatch.events.reasons import Reason
from anchorwatch.events.values import numbers, words

if TYPE_CHECKING:
    from collections.abc import Sequence

    import msgspec
    from numpy.typing import NDArray

    from anchorwatch.events.admission import Admitted
    from anchorwatch.events.columns import Bytes, Floats
    from anchorwatch.events.reader import Reader, Trouble
    from anchorwatch.settings import models as settings

    Mask = NDArray[np.bool_]


class LabelColumns:
    """Makes the columns of label events.

    Parameters
    ----------
    place
        Where the stream stands in the configuration, for messages.
    stream
        Settings of the stream.
    prediction
        What the model predicts, and so what its labels are.
    reader
        What its payloads are read with.
    """

    def __init__(self, place: str, stream: settings.Labels, prediction: settings.Prediction, reader: Reader) -> None:
        self._place = place
        self._stream = stream
        self._kind = prediction.kind
        self._reader = reader
        ranking = prediction.kind == "ranking"
        self._value = reader.list_getter(stream.value) if ranking else reader.getter(stream.value)
        self._most = prediction.relevant if ranking else None
        self._naming = classes.Binary(prediction.positive) if self._kind == "binary" else classes.class_word

    @staticmethod
    def fields(stream: settings.Labels) -> dict[str, bool]:
        """Return the paths that are needed, none of which is a number and nothing else."""
        paths = [stream.id, stream.value, *stream.where, *([] if stream.time is None else [stream.time])]
        return dict.fromkeys(paths, False)

    def present(self, rows: Sequence[msgspec.Struct]) -> tuple[Mask, Mask]:
        """Tell of each event whether it has a label, and whether it has at least a place for one."""
        text = self._reader.text
        if self._most is None:
            _, _, fault = words(rows, self._value, text=text)
        else:
            fault = naming(list(map(self._value, rows)), text=text)
        return ~np.isin(fault, (Fault.NULL, Fault.ABSENT)), fault != Fault.ABSENT

    def of(self, rows: Sequence[msgspec.Struct], found: Admitted) -> tuple[Labels, dict[int, Trouble]]:
        """Return the columns of those of the admitted events `rows` that hold a label, and the others' troubles."""
        number = np.full(len(rows), np.nan)
        token, items = np.zeros(len(rows), np.uint64), None
        many = np.zeros(len(rows), np.bool_)
        if self._most is not None:
            token, items, fault, many = relevant(list(map(self._value, rows)), self._most, text=self._reader.text)
        elif self._kind == "regression":
            number, fault = self._numbers(rows)
        else:
            vocabulary, codes, fault = words(rows, self._value, text=self._reader.text)
            token = classes.tokens([self._naming(word) for word in vocabulary], codes)
        labels = Labels(found.time, found.ident, found.partition, found.offset, number, token, items)
        if not fault.any():
            return labels, {}
        bad = np.flatnonzero(fault)
        return labels.take(fault == 0), {
            int(found.index[i]): self._trouble(Fault(fault[i]), many=bool(many[i])) for i in bad.tolist()
        }

    def _numbers(self, rows: Sequence[msgspec.Struct]) -> tuple[Floats, Bytes]:
        return numbers(rows, self._value, strict=False, text=self._reader.text)

    def _trouble(self, fault: Fault, *, many: bool) -> Trouble:
        at = f"{self._place}.value is {self._stream.value!r}"
        if fault in (Fault.NULL, Fault.ABSENT):
            return Reason.LABEL_MISSING, f"the event has no label ({at}): say where it stands, or send it when known"
        if many:
            help_ = "raise prediction.relevant, or send fewer"
            return Reason.LABEL_WRONG_TYPE, f"the label names more than {self._most} items ({at}): {help_}"
        wanted = "a finite number" if self._kind == "regression" else "text, a number or a truth value"
        wanted = wanted if self._most is None else "an item (text or a whole number), a list of such, or null"
        return Reason.LABEL_WRONG_TYPE, f"the label is not {wanted} ({at})"
