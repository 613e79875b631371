"""One level for many monitors, from a budget of false alarms.

The level is a run length: so many events lie between two false alarms of one monitor alone. The union bound gives each
of m monitors the budget times m. Monitors of columns that hang together ring together, so fewer false alarms come than
that; a baseline that is a small sample, or dependence that a monitor does not know of, brings more. Which it is, is
measured: the whole set runs on streams like the baseline at several levels, and what counts is

    monitors' worth = false alarms / events * run length:

as many independent monitors of that level would ring as often. It hardly depends on the level, so it is measured where
alarms are frequent, and a budget that is too rare to be simulated gets the level `worth * budget`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple, Self

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


CONFIDENCE: Final = 0.99
"""Of every interval here."""
STEP: Final = 2.0
"""Ratio of one simulated level to the one before."""
LENGTHS: Final = 5
"""A simulated stream is so many times as long as false alarms are expected to lie apart."""


class Interval(NamedTuple):
    """A number with its limits at 99 %."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Point:
    """What was simulated at one level.

    Attributes
    ----------
    run_length
        The level: events between two false alarms of one monitor.
    events
        Events of each stream.
    alarms
        False alarms on each stream.
    """

    run_length: float
    events: float
    alarms: tuple[int, ...]

    @property
    def seen(self) -> float:
        """Events simulated in all."""
        return self.events * len(self.alarms)

    @property
    def rate(self) -> Interval:
        """False alarms per event, see `rate_of`."""
        return rate_of(self.alarms, self.events)

    @property
    def worth(self) -> Interval:
        """Number of independent monitors that would ring as often."""
        return Interval(*(limit * self.run_length for limit in self.rate))


def rate_of(alarms: Sequence[int], events: float) -> Interval:
    """Return alarms per event over streams of the same length.

    The limits are those of a Poisson count (Garwood 1936). Where the streams differ by more than such counts do, since
    some baselines are worse than others, they are those of the count divided by how many times as much (quasi-Poisson).

    Raises
    ------
    ValueError
        If there is no stream, or streams have no length.

    Examples
    --------
    >>> [round(limit, 4) for limit in rate_of([1, 0, 2, 1], events=1000)]
    [0.001, 0.0002, 0.0031]
    >>> [round(limit, 4) for limit in rate_of([0, 0, 0, 0], events=1000)]
    [0.0, 0.0, 0.0013]
    """
    if not len(alarms) or events <= 0:
        raise ValueError(f"a rate needs at least one stream of some length, not {len(alarms)} streams of {events}")
    return _limits(sum(alarms), len(alarms) * events, _dispersion([alarms]))


def _limits(alarms: int, exposure: float, dispersion: float) -> Interval:
    """Return alarms per unit of exposure with the limits of a Poisson count of which so many hang together."""
    from scipy.stats import chi2

    count, tail = alarms / dispersion, (1.0 - CONFIDENCE) / 2.0
    low = float(chi2.ppf(tail, 2.0 * count)) / 2.0 if count > 0.0 else 0.0
    high = float(chi2.isf(tail, 2.0 * count + 2.0)) / 2.0
    return Interval(alarms / exposure, low * dispersion / exposure, high * dispersion / exposure)


def _dispersion(counts: Sequence[Sequence[int]]) -> float:
    """Return how many times as much counts vary within their sets as Poisson counts would; at least 1."""
    sets = [np.asarray(c, dtype=np.float64) for c in counts if len(c) > 1 and any(c)]
    freedom = sum(len(c) - 1 for c in sets)
    squares = sum(float(((c - c.mean()) ** 2).sum() / c.mean()) for c in sets)
    return max(1.0, squares / freedom) if freedom else 1.0


def levels_for(
    monitors: int, events: int, streams: int, points: int, budget: float, least: int
) -> tuple[tuple[float, int], ...]:
    """Return the levels to simulate, and the events of each stream there.

    At the union bound false alarms then lie a fifth of a stream apart, at each level twice as far as at the one before.

    Parameters
    ----------
    monitors
        In the set.
    events
        That may be simulated in all.
    streams
        At each level.
    points
        Levels.
    budget
        Events for each false alarm that is allowed: nothing is gained beyond it.
    least
        Events of the shortest stream: as many as monitors need to get going.
    """
    shares = STEP ** np.arange(points)
    longest = events / streams * shares[-1] / shares.sum()
    longest = min(longest, LENGTHS * budget)
    lengths = [max(least, int(longest / STEP ** (points - 1 - k))) for k in range(points)]
    return tuple((monitors * length / LENGTHS, length) for length in sorted(set(lengths)))


@dataclass(frozen=True, slots=True)
class Curve:
    """False alarms against level.

    Attributes
    ----------
    monitors
        In the set: what the union bound counts.
    points
        What was simulated, by rising level.
    """

    monitors: int
    points: tuple[Point, ...]

    @classmethod
    def simulated(
        cls,
        simulate: Callable[[float, int, np.random.Generator], int],
        monitors: int,
        levels: Sequence[tuple[float, int]],
        streams: int,
        seed: Sequence[int],
        progress: Callable[[int], None] | None = None,
    ) -> Self:
        """Simulate streams at every level.

        Parameters
        ----------
        simulate
            Runs the set on one stream: (run length, events, source of chance) -> number of false alarms.
        monitors
            In the set.
        levels
            (run length, events of a stream), by rising level.
        streams
            At each level.
        seed
            Of all streams: the same seed gives the same curve.
        progress
            Told the number of events done after each stream.
        """
        done, points = 0, []
        for place, (run_length, events) in enumerate(levels):
            alarms = []
            for stream in range(streams):
                alarms.append(simulate(run_length, events, np.random.default_rng([*seed, place, stream])))
                done += events
                if progress is not None:
                    progress(done)
            points.append(Point(run_length, events, tuple(alarms)))
        return cls(monitors, tuple(points))

    @property
    def constant(self) -> bool:
        """Whether the levels agree about what the monitors are worth, as far as the simulation tells (at 99 %)."""
        from scipy.stats import chi2

        worth = self._together.value
        if worth == 0.0 or len(self.points) < 2:
            return True
        expected = np.array([worth * p.seen / p.run_length for p in self.points])
        seen = np.array([sum(p.alarms) for p in self.points])
        squares = float(((seen - expected) ** 2 / expected).sum()) / _dispersion([p.alarms for p in self.points])
        return bool(squares <= chi2.ppf(CONFIDENCE, len(seen) - 1))

    @property
    def worth(self) -> Interval:
        """How many independent monitors ring as often as the set.

        Over all levels together where they agree; otherwise at the highest one, which is the nearest to the budget.
        """
        return self._together if self.constant else self.points[-1].worth

    @property
    def rising(self) -> bool:
        """Whether a higher level brings hardly fewer false alarms: monitors in the set do not follow it.

        So it is where false alarms become rarer by less than the square root of what the level becomes higher, and
        this is not chance.
        """
        first, last = self.points[0], self.points[-1]
        steps = math.sqrt(last.run_length / first.run_length)
        return len(self.points) > 1 and not self.constant and last.worth.value > steps * first.worth.value

    @property
    def _together(self) -> Interval:
        """What all levels say together."""
        alarms = sum(sum(p.alarms) for p in self.points)
        exposure = sum(p.seen / p.run_length for p in self.points)
        return _limits(alarms, exposure, _dispersion([p.alarms for p in self.points]))

    def level(self, budget: float) -> float:
        """Return the level at which the set meets a budget: with the upper limit of what it is worth.

        The upper limit, since the budget is a promise; it costs little, since a delay grows with the logarithm of the
        level.

        Parameters
        ----------
        budget
            Events for each false alarm that is allowed.
        """
        return self.worth.high * budget

    def expected(self, run_length: float, events: float) -> Interval:
        """Return the false alarms of the set over so many events at a level."""
        return Interval(*(limit * events / run_length for limit in self.worth))


def lorden(between: float, divergence: float) -> float:
    """Return the delay below which nothing can come that raises one false alarm every `between` events.

    Parameters
    ----------
    between
        Events between two false alarms, at least 1.
    divergence
        Kullback-Leibler divergence of an event after the change from one before, above 0; NaN for unknown.

    References
    ----------
    Lorden, G. (1971). Procedures for reacting to a change in distribution. Annals of Mathematical Statistics 42 (6),
    1897-1908. The bound holds in the limit of rare alarms.

    Examples
    --------
    >>> round(lorden(1_000_000, shift_divergence(0.5)))
    111
    """
    return math.log(between) / divergence


def shift_divergence(shift: float) -> float:
    """Return the divergence of a normal value that is shifted by so many standard deviations."""
    return shift**2 / 2.0


def error_divergence(before: float, after: float) -> float:
    """Return the divergence of an error of rate `after` from one of rate `before`; NaN where a rate is 0 or 1."""
    if not (0.0 < before < 1.0 and 0.0 < after < 1.0):
        return math.nan
    return after * math.log(after / before) + (1.0 - after) * math.log((1.0 - after) / (1.0 - before))
