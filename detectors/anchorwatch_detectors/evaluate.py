"""Detectors judged by what their alarms are worth where the changes are known: delay, missed, false alarms.

Undefined is NaN, never 0: a detector without an alarm has no precision, and one that found nothing has no delay.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from anchorwatch_detectors.against_baseline import AgainstBaseline

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike

    from anchorwatch_detectors.base import Floats, Ints, SequentialDetector, Usual

PIECE = 100_000
"""Values fed at once; it changes nothing but the memory needed."""


@dataclass(frozen=True, slots=True)
class Score:
    """What the alarms on streams with known changes are worth.

    Attributes
    ----------
    events
        Values looked at, those within the time allowed for a detection included.
    changes, detected
        Known changes, and those with an alarm in time.
    alarms, false_alarms
        All alarms, and those that are neither in time after a change nor repeat what lasts (see `score`).
    delay_sum
        Sum of the delays of the detected changes, in values.
    quiet
        Values at which an alarm would have been false.
    """

    events: int
    changes: int
    detected: int
    alarms: int
    false_alarms: int
    delay_sum: int
    quiet: int

    @property
    def missed(self) -> int:
        """Changes without an alarm in time."""
        return self.changes - self.detected

    @property
    def delay(self) -> float:
        """Mean values from the first one after a change to its alarm, both counted; NaN if none was detected."""
        return _ratio(self.delay_sum, self.detected)

    @property
    def between_false_alarms(self) -> float:
        """Mean values at rest for one false alarm; NaN if there was none: it is then known only to be longer."""
        return _ratio(self.quiet, self.false_alarms)

    @property
    def precision(self) -> float:
        """Detections among detections and false alarms, in [0, 1]; NaN without either."""
        return _ratio(self.detected, self.detected + self.false_alarms)

    @property
    def recall(self) -> float:
        """Detected changes among all, in [0, 1]; NaN without changes."""
        return _ratio(self.detected, self.changes)

    @property
    def f1(self) -> float:
        """Harmonic mean of precision and recall; NaN without changes and false alarms."""
        return _ratio(2 * self.detected, self.changes + self.detected + self.false_alarms)

    def __add__(self, other: Score) -> Score:
        """Return the score of both sets of streams together."""
        return Score(*(getattr(self, name) + getattr(other, name) for name in _COUNTS))


_COUNTS = ("events", "changes", "detected", "alarms", "false_alarms", "delay_sum", "quiet")


def score(
    alarms: ArrayLike, changes: ArrayLike, events: int, most: int | None = None, *, lasting: bool = False
) -> Score:
    """Judge the alarms on one stream.

    An alarm up to `most` values after a change, and before the next one, detects it; only the first one counts as its
    detection, the others then repeat it and are not false. Every other alarm is false.

    Parameters
    ----------
    alarms
        (k,) positions of the alarms, in any order, from 0 to `events` - 1.
    changes
        (m,) positions of the first value after each change, strictly increasing, in the same range.
    events
        Length of the stream.
    most
        Largest delay with which a change counts as detected, at least 1; None allows the time to the next change.
    lasting
        True for a detector that compares with a baseline, to which the stream does not return: from the first change
        on no alarm is false, but too late it detects nothing.

    Raises
    ------
    ValueError
        If positions lie outside the stream, changes do not increase, or `most` is below 1.

    Examples
    --------
    >>> found = score(alarms=[40, 120, 130, 900], changes=[100, 500], events=1000, most=50)
    >>> found.detected, found.missed, found.false_alarms, found.delay
    (1, 1, 2, 21.0)
    """
    at, known = _positions("alarms", alarms, events), _positions("changes", changes, events)
    if (np.diff(known) <= 0).any():
        raise ValueError(f"changes must increase: each is the first value of a new regime, not {known.tolist()}")
    if most is not None and most < 1:
        raise ValueError(f"the largest delay must be at least 1 value, or None for no limit, not {most!r}")
    ends = np.append(known[1:], events)
    if most is not None:
        ends = np.minimum(ends, known + most)
    at = np.sort(at)
    first = np.searchsorted(at, known)
    in_time = np.searchsorted(at, ends) - first
    found = in_time > 0
    false, quiet = len(at) - in_time.sum(), events - (ends - known).sum()
    if lasting and len(known):
        false, quiet = first[0], known[0]
    return Score(
        events=int(events),
        changes=len(known),
        detected=int(found.sum()),
        alarms=len(at),
        false_alarms=int(false),
        delay_sum=int((at[first[found]] - known[found] + 1).sum()),
        quiet=int(quiet),
    )


def alarms_of(detector: SequentialDetector, stream: ArrayLike, usual: Usual | None = None) -> Ints:
    """Return the positions of a detector's alarms on a stream.

    Parameters
    ----------
    detector
        Any sequential detector.
    stream
        (n,) values; those that are not finite are passed over but keep their position.
    usual
        Baseline of one lane, for detectors that compare with one.
    """
    values = np.asarray(stream, dtype=np.float64)[np.newaxis]
    state = detector.start(1, 1, usual)
    found = [state.update(values[:, at : at + PIECE]).event + at for at in range(0, values.shape[1], PIECE)]
    return np.concatenate([np.empty(0, dtype=np.int64), *found])


def compare(
    detectors: Mapping[str, SequentialDetector],
    streams: Sequence[tuple[ArrayLike, ArrayLike]],
    *,
    usual: Sequence[Usual | None] | None = None,
    most: int | None = None,
) -> dict[str, Score]:
    """Judge several detectors on the same streams.

    Parameters
    ----------
    detectors
        By the name they shall have in the table.
    streams
        Pairs of (n,) values and (m,) positions of the changes.
    usual
        Baseline of each stream; None for no baselines.
    most
        See `score`.

    Returns
    -------
    dict
        For each detector the score of all streams together; a change lasts for those that hold it against a baseline.

    Raises
    ------
    ValueError
        If there are no streams or another number of baselines, or as `score` does.

    Examples
    --------
    >>> from anchorwatch_detectors import registry, synth
    >>> stream = synth.abrupt(synth.bernoulli(4000, 1, 0.1), synth.bernoulli(4000, 2, 0.4), at=2000)
    >>> detectors = {name: registry.sequential(name) for name in ("adwin", "shiryaev_roberts")}
    >>> for row in table(compare(detectors, [(stream, [2000])], most=1000)).splitlines():
    ...     print(row)
    | detector | delay | detected | missed | false alarms | between false alarms | precision | recall | F1 |
    |---|---|---|---|---|---|---|---|---|
    | adwin | 80.0 | 1 | 0 | 0 | NaN | 1.000 | 1.000 | 1.000 |
    | shiryaev_roberts | 61.0 | 1 | 0 | 0 | NaN | 1.000 | 1.000 | 1.000 |
    """
    baselines = [None] * len(streams) if usual is None else list(usual)
    if not streams or len(baselines) != len(streams):
        raise ValueError(f"there must be streams and one baseline each, not {len(streams)} and {len(baselines)}")
    found = {}
    for name, detector in detectors.items():
        scores = [
            score(
                alarms_of(detector, stream, baseline),
                changes,
                len(np.asarray(stream)),
                most,
                lasting=baseline is not None and isinstance(detector, AgainstBaseline),
            )
            for (stream, changes), baseline in zip(streams, baselines, strict=True)
        ]
        found[name] = sum(scores[1:], start=scores[0])
    return found


def table(scores: Mapping[str, Score]) -> str:
    """Return scores as a Markdown table; what is undefined is told as NaN."""
    columns = ("delay", "detected", "missed", "false alarms", "between false alarms", "precision", "recall", "F1")
    lines = [f"| detector | {' | '.join(columns)} |", f"|---|{'---|' * len(columns)}"]
    for name, row in scores.items():
        counts = (f"{row.detected}", f"{row.missed}", f"{row.false_alarms}", _number(row.between_false_alarms, 0))
        shares = (_number(value, 3) for value in (row.precision, row.recall, row.f1))
        lines.append(f"| {' | '.join((name, _number(row.delay, 1), *counts, *shares))} |")
    return "\n".join(lines)


def _number(value: float, digits: int) -> str:
    return "NaN" if math.isnan(value) else f"{value:,.{digits}f}"


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole else math.nan


def _positions(name: str, given: ArrayLike, events: int) -> Ints:
    values: Floats | Ints = np.asarray(given)
    found = values.astype(np.int64).ravel()
    if not np.array_equal(found, values.ravel()) or (found < 0).any() or (found >= events).any():
        raise ValueError(f"{name} must be whole positions from 0 to {events - 1}, not {values.tolist()}")
    return found
