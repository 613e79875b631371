"""Detectors as a command line names them, tried on a log or on made-up streams."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from anchorwatch.errors import UsageError
from anchorwatch.evaluation.report import of_detectors
from anchorwatch_detectors import registry
from anchorwatch_detectors.trials import Feed, feed_of, try_out

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from anchorwatch.evaluation.log import Log
    from anchorwatch.evaluation.report import Evaluation
    from anchorwatch.evaluation.streams import Stream
    from anchorwatch_detectors.base import SequentialDetector
    from anchorwatch_detectors.trials import Trial, Tried


@dataclass(frozen=True, slots=True)
class Choice:
    """Detectors that are to be judged, and how.

    Attributes
    ----------
    detectors
        By the text that names them.
    asked_for
        Whether somebody named them; else they are all that are registered.
    feed
        What all are given of a numeric column; None gives each what it is made for.
    smallest
        Smallest shift of the mean worth knowing, in the unit of what is fed.
    most
        Largest delay with which a change counts as detected; None allows the time to the next change.
    """

    detectors: dict[str, SequentialDetector]
    asked_for: bool
    feed: Feed | None
    smallest: float
    most: int | None

    @classmethod
    def of(cls, texts: Sequence[str], feed: str | None, smallest: float, most: int | None) -> Self:
        """Return what a command line asks for.

        Raises
        ------
        UsageError
            If a detector, a parameter or what is fed is unknown, or a number out of its range.
        """
        if not math.isfinite(smallest):
            raise UsageError(f"--smallest-shift {smallest}: is no shift; give a finite number, at least 0")
        feeds = {"ranks": Feed.RANKS, "values": Feed.VALUES}
        if feed is not None and feed not in feeds:
            raise UsageError(f"--feed {feed}: is none of {', '.join(feeds)}")
        return cls(named(texts), bool(texts), feeds[feed] if feed is not None else None, smallest, most)

    def on_log(self, log: Log, changes: Sequence[int], baseline: int | None = None) -> Evaluation:
        """Judge them on a log with changes at known rows; see `Log.trial` for what is raised."""
        trial = log.trial(changes, baseline)
        found = self._tried([trial], errors=log.errors)
        return of_detectors(found, log.about(trial), self.most, self._left_out(found))

    def on_stream(self, stream: Stream, seeds: int, baseline: int) -> Evaluation:
        """Judge them on a made-up stream, drawn with the seeds from 0 on."""
        if not (stream.errors or baseline):
            raise UsageError("--baseline 0: a numeric stream is held against its baseline; give it some values")
        trials = (stream.trial(seed, baseline) for seed in range(seeds))
        found = self._tried(trials, errors=stream.errors)
        return of_detectors(found, stream.about(seeds, baseline), self.most, self._left_out(found))

    def _tried(self, trials: Iterable[Trial], *, errors: bool) -> dict[str, Tried]:
        unfit = [name for name, each in self.detectors.items() if feed_of(each, errors=errors) is None]
        if unfit and self.asked_for:
            raise UsageError(
                f"--detector {unfit[0]}: counts errors (1 = wrong), and these values are none: leave it out, or watch "
                "the errors of a model (--prediction and --label, or a stream of the family bernoulli)"
            )
        return try_out(self.detectors, trials, most=self.most, smallest=self.smallest, feed=self.feed)

    def _left_out(self, found: dict[str, Tried]) -> list[str]:
        return [name for name in self.detectors if name not in found]


def named(texts: Sequence[str]) -> dict[str, SequentialDetector]:
    """Return detectors by the text that names them.

    Parameters
    ----------
    texts
        A registered name or the import path of one of river's each, with parameters behind a colon:
        "adwin:delta=0.01", "river.drift.KSWIN". Empty for all that are registered.

    Raises
    ------
    UsageError
        If a name or a parameter is unknown, or a parameter out of its range.

    Examples
    --------
    >>> named(["adwin:delta=0.01"])
    {'adwin:delta=0.01': Adwin(delta=0.01, clock=32, max_buckets=5, min_window_length=5, grace_period=10)}
    """
    found = {}
    for text in texts or registry.names("sequential"):
        name, colon, given = text.partition(":")
        parameters = dict(_parameter(text, part) for part in given.split(",")) if colon else {}
        try:
            found[text] = registry.sequential(name, parameters)
        except ValueError as error:
            raise UsageError(f"--detector {text}: {error}") from error
    return found


def _parameter(text: str, part: str) -> tuple[str, Any]:
    """Return name and value of a parameter: a JSON scalar where it is one, else text."""
    name, equals, value = (word.strip() for word in part.partition("="))
    if not (name and equals and value):
        raise UsageError(
            f"--detector {text}: {part!r} is no parameter; write NAME:param=value,param=value, such as "
            "adwin:delta=0.01,clock=1"
        )
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value
