"""Messages about retrainings to reports: any bytes give a report, a dead letter, or are passed over by a named rule."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from anchorwatch.events.admission import id_text
from anchorwatch.events.gather import NO_TIMESTAMP
from anchorwatch.events.reader import LARGEST, lenient, too_large
from anchorwatch.events.reasons import Reason, Skip
from anchorwatch.events.reports import PROGRESS, Statuses
from anchorwatch.events.times import time_of

if TYPE_CHECKING:
    from anchorwatch.events.gather import Gathered
    from anchorwatch.events.reader import Trouble
    from anchorwatch.events.values import Scalar

LONGEST = 1000
"""Characters of an id or a version that are taken: nothing that names a trigger or a model is longer."""


class _Said(NamedTuple):
    time: int
    retraining: str
    progress: str
    version: str
    by: str


class StatusDecoder:
    """Reads the reports for one model from the topic that all models share.

    A message is a JSON object, or a CloudEvent (structured) whose `data` is one: `id` or `idempotency_key` of the
    trigger, `status`, `version` where a new one came of it, `time` (else the record's own), `by` (who says so;
    what is no short text says nobody), and, to tell models apart, `model`.

    Parameters
    ----------
    model
        The model's name; a message that names another is passed over.
    future
        How far ahead of the wall clock a report may be, ns.
    """

    def __init__(self, model: str, future: int) -> None:
        self._model = model
        self._future = future

    def decode(self, gathered: Gathered, now: int) -> tuple[Statuses, dict[int, Trouble], dict[Skip, int]]:
        """Return the reports, what is wrong with those that cannot be used, by position, and how many were skipped."""
        stamps = gathered.timestamps().tolist()
        troubles: dict[int, Trouble] = {}
        said: dict[int, _Said] = {}
        others = 0
        for i, (value, stamp) in enumerate(zip(gathered.values, stamps, strict=True)):
            found = self._read(value, stamp, now)
            if found is None:
                others += 1
            elif isinstance(found, _Said):
                said[i] = found
            else:
                troubles[i] = found
        index = np.array(list(said), np.int64)
        statuses = Statuses(
            time=np.array([each.time for each in said.values()], np.int64),
            partition=gathered.partitions()[index],
            offset=gathered.offsets()[index],
            retraining=tuple(each.retraining for each in said.values()),
            progress=tuple(each.progress for each in said.values()),
            version=tuple(each.version for each in said.values()),
            by=tuple(each.by for each in said.values()),
        )
        return statuses, troubles, {Skip.OTHER_MODEL: others, Skip.TOMBSTONE: gathered.tombstones}

    def _read(self, value: bytes, stamp: int, now: int) -> _Said | Trouble | None:
        """Return what a message says, what is wrong with it, or None where it is about another model."""
        message = too_large() if len(value) > LARGEST else lenient(value)
        if not isinstance(message, dict):
            return message
        data = message.get("data")
        fields = {"time": message.get("time"), **data} if isinstance(data, dict) else message
        if fields.get("model") is not None and fields.get("model") != self._model:
            return None
        ident = _text(fields.get("id")) or _text(fields.get("idempotency_key"))
        progress, version = fields.get("status"), fields.get("version")
        if ident is None:
            return Reason.ID_MISSING, "the report names no trigger: write its `id` or `idempotency_key` as text"
        if not isinstance(progress, str) or progress not in PROGRESS:
            return Reason.STATUS_UNKNOWN, f"`status` says none of {', '.join(PROGRESS)}: write one of them"
        if version is not None and _text(version) is None:
            return Reason.STATUS_VERSION_WRONG, "`version` is neither text nor a whole number: write it as text"
        said = _Said(0, ident, progress, _text(version) or "", _text(fields.get("by")) or "")
        return self._timed(fields.get("time"), stamp, now, said)

    def _timed(self, value: object, stamp: int, now: int, said: _Said) -> _Said | Trouble:
        time = stamp
        if value is not None:
            given = time_of(_scalar(value), "auto")
            if given is None:
                return Reason.TIME_INVALID, "`time` is no ISO 8601 text or epoch number between 1677 and 2262"
            time = given
        if time == NO_TIMESTAMP:
            return Reason.TIME_MISSING, "neither the report nor its record has a time: write `time`"
        if time > now + self._future:
            return Reason.TIME_IN_FUTURE, "the report is further ahead of the clock than event_time.future allows"
        return said._replace(time=time)


def _scalar(value: object) -> Scalar:
    return value if isinstance(value, str | int | float) else ""


def _text(value: object) -> str | None:
    """Return an id or a version as text; None for what is none."""
    text = id_text(_scalar(value)) if value is not None else None
    return text if text and len(text) <= LONGEST and text.isprintable() else None
