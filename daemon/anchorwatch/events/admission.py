"""Which events of a stream are taken: those its `where` asks for, with an id and a time that can be used."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from msgspec import UNSET

from anchorwatch.events.gather import NO_TIMESTAMP, Gathered
from anchorwatch.events.identity import identify
from anchorwatch.events.reasons import Reason
from anchorwatch.events.times import TimeState, times_of
from anchorwatch.events.values import canonical, words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import msgspec
    from numpy.typing import NDArray

    from anchorwatch.events.columns import Ids, Int32s, Int64s
    from anchorwatch.events.reader import Reader, Trouble
    from anchorwatch.events.values import Scalar
    from anchorwatch.settings.models import Labels, Predictions

    Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Admitted:
    """The events that are taken.

    Attributes
    ----------
    ident, time, partition, offset
        As in `Predictions` and `Labels`.
    index
        (n,) positions of the events among those offered, rising.
    troubles
        By position, why the others that were asked for are not taken.
    """

    ident: Ids
    time: Int64s
    partition: Int32s
    offset: Int64s
    index: Int64s
    troubles: Mapping[int, Trouble]


class Admission:
    """Admits the events of one stream.

    Parameters
    ----------
    place
        Where the stream stands in the configuration, for messages.
    stream
        Its settings.
    reader
        What its payloads are read with.
    future
        How far ahead of the wall clock an event may be, ns.
    """

    def __init__(self, place: str, stream: Predictions | Labels, reader: Reader, future: int) -> None:
        self._place = place
        self._stream = stream
        self._reader = reader
        self._future = future
        self._id = reader.getter(stream.id)
        self._time = None if stream.time is None else reader.getter(stream.time)
        self._where = [(reader.getter(path), canonical(value)) for path, value in stream.where.items()]

    def asked_for(self, rows: Sequence[msgspec.Struct]) -> Mask:
        """Tell of each event whether `where` asks for it."""
        mask = np.ones(len(rows), np.bool_)
        for get, wanted in self._where:
            vocabulary, codes, _ = words(rows, get, text=self._reader.text)
            mask &= codes == (vocabulary.index(wanted) if wanted in vocabulary else len(vocabulary))
        return mask

    def admit(
        self, rows: Sequence[msgspec.Struct], gathered: Gathered, mask: Mask, now: int
    ) -> tuple[Sequence[msgspec.Struct], Admitted]:
        """Return the events under `mask` that have a usable id and time; `now` is wall time, ns since the epoch."""
        index = np.flatnonzero(mask)
        offered = rows if len(index) == len(rows) else [rows[i] for i in index.tolist()]
        ids, good = self._ids(list(map(self._id, offered)))
        time, state, given = self._times(offered, gathered, index)
        future = time > now + self._future
        troubles: dict[int, Trouble] = {}
        for i in np.flatnonzero(~good | (state != TimeState.GIVEN) | future).tolist():
            at = int(index[i])
            if not good[i]:
                troubles[at] = self._id_trouble(self._id(offered[i]))
            elif state[i]:
                troubles[at] = self._time_trouble(TimeState(state[i]), given)
            else:
                troubles[at] = self._future_trouble(int(time[i]) - now)
        if troubles:
            good &= (state == TimeState.GIVEN) & ~future
            ids = [text for text, taken in zip(ids, good, strict=True) if taken]
            offered = [row for row, taken in zip(offered, good, strict=True) if taken]
            index, time = index[good], time[good]
        found = Admitted(identify(ids), time, gathered.partitions()[index], gathered.offsets()[index], index, troubles)
        return offered, found

    def _ids(self, values: list[Scalar]) -> tuple[list[str], Mask]:
        """Return each id as text (empty where it cannot be used), and which can be used."""
        if set(map(type, values)) == {str}:
            ids: list[str] = values  # type: ignore[assignment]  # all are text, as just seen
        else:
            ids = [id_text(value) or "" for value in values]
        if all(ids):
            return ids, np.ones(len(ids), np.bool_)
        return ids, np.fromiter(map(bool, ids), np.bool_, len(ids))

    def _times(
        self, rows: Sequence[msgspec.Struct], gathered: Gathered, index: Int64s
    ) -> tuple[Int64s, NDArray[np.uint8], bool]:
        """Return the times, their states, and whether they stand in the events."""
        if self._time is not None:
            return *times_of(list(map(self._time, rows)), self._stream.time_unit), True
        time = gathered.timestamps()[index]
        state = np.where(time == NO_TIMESTAMP, TimeState.MISSING, TimeState.GIVEN).astype(np.uint8)
        return time, state, False

    def _id_trouble(self, value: Scalar) -> Trouble:
        at = f"{self._place}.id is {self._stream.id!r}"
        if value is None or value is UNSET or value == "":
            return Reason.ID_MISSING, f"the event has no id ({at}): say where it stands, or have the producer add it"
        return Reason.ID_WRONG_TYPE, f"the id is neither text nor a whole number ({at}): write it as text"

    def _time_trouble(self, state: TimeState, given: bool) -> Trouble:  # noqa: FBT001  # a fact, not a switch
        if not given:
            return Reason.TIME_MISSING, f"the record has no timestamp: set {self._place}.time to a field that holds one"
        at = f"{self._place}.time is {self._stream.time!r}, time_unit {self._stream.time_unit}"
        if state is TimeState.MISSING:
            return Reason.TIME_MISSING, f"the event has no time ({at}): say where it stands, or have it written"
        return Reason.TIME_INVALID, f"the time is no ISO 8601 text or epoch number between 1677 and 2262 ({at})"

    def _future_trouble(self, ahead: int) -> Trouble:
        return Reason.TIME_IN_FUTURE, (
            f"the event is {ahead / 1e9:.0f} s ahead of the clock, more than event_time.future allows: "
            f"correct the producer's clock, or {self._place}.time_unit (now {self._stream.time_unit})"
        )


def id_text(value: Scalar) -> str | None:
    """Return an id as text: text as is, whole numbers as decimal integers; None for everything else.

    17 and 17.0 are one id, as a table writes whole numbers once a cell of the column is empty. A number with a
    fraction, or beyond 2**53 where doubles skip integers, is no id.
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float) and value.is_integer() and abs(value) <= 2**53:
        return str(int(value))
    return None
