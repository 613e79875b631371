"""Two runs over the same log, compared: what the second one told that the first did not, earlier, later, or no more."""

from __future__ import annotations

import enum
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from numpy.typing import NDArray

    from anchorwatch.comparison.told import Told, What

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class Change(enum.StrEnum):
    """What the second run did with what the first told.

    GAINED
        Told by the second alone.
    LOST
        Told by the first alone.
    EARLIER, LATER
        Told by both, by the second at an earlier or a later event time.
    REGRADED
        Told by both at the same time, with another severity.
    SAME
        Told by both at the same time, alike.
    """

    GAINED = "gained"
    LOST = "lost"
    EARLIER = "earlier"
    LATER = "later"
    REGRADED = "regraded"
    SAME = "same"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that was told by either run or by both.

    Attributes
    ----------
    change
        What the second run did with it.
    first, second
        As each run told it; None where it did not.
    predictions
        Predictions of the model whose event time lies between the two tellings, negative where the second was earlier;
        None where one run alone told it.
    """

    change: Change
    first: Told | None
    second: Told | None
    predictions: int | None

    @property
    def told(self) -> Told:
        """What was told, by the first run where it did."""
        found = self.first or self.second
        assert found is not None  # noqa: S101  a difference is of something
        return found

    @property
    def shift(self) -> timedelta | None:
        """How much later the second run told it in event time; None where one run alone told it."""
        return None if self.first is None or self.second is None else self.second.at - self.first.at

    def to_plain(self) -> dict[str, Any]:
        """Return the difference as one JSON object; times are ISO 8601, `seconds` and `predictions` numbers or null."""
        told, shift = self.told, self.shift
        return {
            "what": told.what.value,
            "model": told.model,
            "change": self.change.value,
            "labels": dict(told.identity),
            "first": _plain(self.first),
            "second": _plain(self.second),
            "seconds": None if shift is None else shift / timedelta(seconds=1),
            "predictions": self.predictions,
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """The difference between two runs over one log.

    Attributes
    ----------
    models
        Models that both configurations have, in the order of the first.
    only_first, only_second
        Models that one of them has; nothing of theirs is compared.
    differences
        What was told of the common models, what both told alike as well, in the order of the times at which the first
        run told it (or the second, where the first did not).
    """

    models: tuple[str, ...]
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]
    differences: tuple[Difference, ...]

    def counts(self, model: str, what: What) -> dict[Change, int]:
        """Return how many of one kind were gained, lost, earlier, later, regraded and told alike."""
        mine = (d for d in self.differences if d.told.model == model and d.told.what is what)
        found = Counter(difference.change for difference in mine)
        return {change: found[change] for change in Change}


def compare(
    first: Sequence[Told],
    second: Sequence[Told],
    models: tuple[Collection[str], Collection[str]],
    predictions: Mapping[str, NDArray[np.int64]],
) -> Comparison:
    """Compare what two runs told.

    Alerts are the same where their labels are, severity aside, and their times overlap; incidents and triggers where
    they are of one model and their times overlap. Each is matched once, the earliest with the earliest.

    Parameters
    ----------
    first, second
        What each of them told.
    models
        The models of the first and of the second configuration.
    predictions
        For each common model: (n,) event times of its predictions, ns since the epoch, in any order.
    """
    common = tuple(name for name in models[0] if name in set(models[1]))
    times = {name: np.sort(predictions[name] // 1000) for name in common}  # messages give microseconds
    pairs: list[tuple[Told | None, Told | None]] = []
    groups = {_key(told): None for told in (*first, *second) if told.model in times}
    for key in groups:
        pairs += _matched([t for t in first if _key(t) == key], [t for t in second if _key(t) == key])
    differences = [_difference(one, other, times) for one, other in pairs]
    return Comparison(
        models=common,
        only_first=tuple(name for name in models[0] if name not in times),
        only_second=tuple(name for name in models[1] if name not in times),
        differences=tuple(sorted(differences, key=lambda d: (d.told.at, d.told.what, d.told.identity))),
    )


def _key(told: Told) -> tuple[What, str, tuple[tuple[str, str], ...]]:
    return told.what, told.model, told.identity


def _matched(first: list[Told], second: list[Told]) -> list[tuple[Told | None, Told | None]]:
    """Return pairs that overlap, the earliest with the earliest, and what is left over alone."""
    pairs: list[tuple[Told | None, Told | None]] = []
    left = sorted(second, key=lambda told: told.at)
    for one in sorted(first, key=lambda told: told.at):
        found = next((other for other in left if one.overlaps(other)), None)
        pairs.append((one, found))
        if found is not None:
            left.remove(found)
    return [*pairs, *((None, other) for other in left)]


def _difference(first: Told | None, second: Told | None, times: Mapping[str, NDArray[np.int64]]) -> Difference:
    if first is None or second is None:
        return Difference(Change.GAINED if first is None else Change.LOST, first, second, None)
    before, after = (int(np.searchsorted(times[first.model], _since_epoch(t.at), "right")) for t in (first, second))
    if first.at != second.at:
        change = Change.EARLIER if second.at < first.at else Change.LATER
    else:
        change = Change.SAME if first.severity == second.severity else Change.REGRADED
    return Difference(change, first, second, after - before)


def _since_epoch(at: datetime) -> int:
    return (at - _EPOCH) // _MICROSECOND


def _plain(told: Told | None) -> dict[str, Any] | None:
    if told is None:
        return None
    until = None if told.until is None else told.until.isoformat()
    return {
        "since": told.since.isoformat(),
        "at": told.at.isoformat(),
        "until": until,
        "severity": told.severity or None,
        "summary": told.summary,
    }
