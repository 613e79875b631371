"""Detectors tried on streams with known changes: each is given what it is made for, and all are judged alike."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from anchorwatch_detectors.against_baseline import AgainstBaseline
from anchorwatch_detectors.evaluate import alarms_of, score
from anchorwatch_detectors.guard import LARGEST
from anchorwatch_detectors.profile import NumericProfile
from anchorwatch_detectors.usual import of_sample

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from anchorwatch_detectors.base import Floats, Ints, SequentialDetector, Usual
    from anchorwatch_detectors.evaluate import Score

OWN_UNIT: Final = frozenset({"kswin", "page_hinkley", "river_any"})
"""Detectors that river defines on values as they are: their order alone, or in the unit of their parameters."""

COUNTERS: Final = frozenset({"ddm", "eddm", "fhddm", "rddm", "stepd", "river_any"})
"""Detectors that count errors where they take values in [0, 1] alone: river's, by path, are then for bits."""


class Feed(enum.StrEnum):
    """What a detector is given.

    ERRORS are 1 for wrong and 0 for right. RANKS are mid-ranks within the baseline, in [0, 1], as the engine feeds
    every feature. VALUES are those of the column, in its unit.
    """

    ERRORS = "errors"
    RANKS = "ranks"
    VALUES = "values"


@dataclass(frozen=True, slots=True, eq=False)
class Trial:
    """A stream with known changes, and what came before it.

    Attributes
    ----------
    baseline
        (b,) values of the time when all was well; nobody watches them. May be empty for errors.
    values
        (n,) the stream; values that are not finite keep their position and are passed over.
    changes
        (m,) positions in `values` of the first value after each change, strictly increasing.
    errors
        Whether the values are errors: 1 for wrong, 0 for right.

    Raises
    ------
    ValueError
        If a column that is not of errors has no baseline: its values have no ranks then.
    """

    baseline: Floats
    values: Floats
    changes: Ints
    errors: bool

    def __post_init__(self) -> None:
        if not (self.errors or np.isfinite(self.baseline).any()):
            raise ValueError("a numeric column is held against its baseline, which has no usable value: give it more")

    def fed(self, feed: Feed, smallest: float = 0.0) -> tuple[Floats, Usual | None]:
        """Return the stream as a detector is given it, and what is usual for it; None without a baseline."""
        baseline, values = self.baseline, self.values
        if feed is Feed.RANKS:
            profile = NumericProfile.of(baseline)
            baseline, values = _ranks(profile, baseline), _ranks(profile, values)
        usable = baseline[np.abs(baseline) <= LARGEST]  # detectors pass over what is larger, and over NaN
        return values, of_sample(usable[np.newaxis], smallest) if len(usable) else None


@dataclass(frozen=True, slots=True, eq=False)
class Tried:
    """What came of trying a detector.

    Attributes
    ----------
    feed
        What it was given.
    score
        Of all trials together.
    alarms
        (k,) positions of its alarms in the stream of each trial.
    """

    feed: Feed
    score: Score
    alarms: tuple[Ints, ...]

    def joined(self, other: Tried) -> Tried:
        """Return what came of the trials of both."""
        return Tried(self.feed, self.score + other.score, (*self.alarms, *other.alarms))


def feed_of(detector: SequentialDetector, *, errors: bool, wanted: Feed | None = None) -> Feed | None:
    """Return what a detector is given of a column; None for a counter of errors, where the column is not of errors.

    Parameters
    ----------
    detector
        The detector.
    errors
        Whether the column is of errors; then everybody gets these.
    wanted
        What it shall be given of another column, if it takes that: one for values in [0, 1] always gets ranks. None is
        what it is made for.

    Examples
    --------
    >>> from anchorwatch_detectors import registry
    >>> [feed_of(registry.sequential(name), errors=False) for name in ("adwin", "kswin", "ddm")]
    [<Feed.RANKS: 'ranks'>, <Feed.VALUES: 'values'>, None]
    """
    if errors:
        return Feed.ERRORS
    if getattr(detector, "domain", lambda: None)() == (0.0, 1.0):
        return None if detector.name in COUNTERS else Feed.RANKS
    return wanted or (Feed.VALUES if detector.name in OWN_UNIT else Feed.RANKS)


def try_out(
    detectors: Mapping[str, SequentialDetector],
    trials: Iterable[Trial],
    *,
    most: int | None = None,
    smallest: float = 0.0,
    feed: Feed | None = None,
) -> dict[str, Tried]:
    """Try several detectors on the same streams.

    Parameters
    ----------
    detectors
        By the name they shall have in the table.
    trials
        The streams, all of them of errors or none.
    most
        Largest delay with which a change counts as detected, see `evaluate.score`.
    smallest
        Smallest shift of the mean worth knowing, in the unit of what is fed, for those that compare with a baseline.
    feed
        RANKS or VALUES, which all are given of a column that is not of errors, see `feed_of`; None gives each what it
        is made for.

    Returns
    -------
    dict
        What came of each, in the order given. Counters of errors are left out where the streams are not of errors.

    Raises
    ------
    ValueError
        As `evaluate.score` does.

    Examples
    --------
    >>> from anchorwatch_detectors import registry, synth
    >>> amounts = synth.abrupt(synth.lognormal(9000, 1), synth.lognormal(9000, 2, mean=0.5), at=7000)
    >>> trial = Trial(amounts[:4000], amounts[4000:], np.array([3000]), errors=False)
    >>> found = try_out({name: registry.sequential(name) for name in ("adwin", "ddm")}, [trial])
    >>> {name: (str(tried.feed), tried.score.delay) for name, tried in found.items()}
    {'adwin': ('ranks', 136.0)}
    """
    found: dict[str, Tried] = {}
    for trial in trials:
        streams: dict[Feed, tuple[Floats, Usual | None]] = {}
        for name, detector in detectors.items():
            chosen = feed_of(detector, errors=trial.errors, wanted=feed)
            if chosen is None:
                continue
            if chosen not in streams:
                streams[chosen] = trial.fed(chosen, smallest)
            values, usual = streams[chosen]
            lasting = usual is not None and isinstance(detector, AgainstBaseline)
            alarms = alarms_of(detector, values, usual)
            one = Tried(chosen, score(alarms, trial.changes, len(values), most, lasting=lasting), (alarms,))
            found[name] = found[name].joined(one) if name in found else one
    return found


def _ranks(profile: NumericProfile, values: Floats) -> Floats:
    """Return mid-ranks within a profile, as the engine takes them: one for each of its cells."""
    cells = profile.cells(values)
    return np.where(cells < 0, np.nan, profile.mid_ranks[cells])
