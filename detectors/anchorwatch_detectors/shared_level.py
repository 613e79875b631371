"""One level for several sets of monitors that share a budget of false alarms in equal parts.

The sets see different streams: the predictions of a model, and the outcomes of those whose label came. Their common
level is a number s without unit: the run length of each monitor is s times what the union bound gives it, which is the
monitors of its set times the events of that stream for each false alarm that the set may raise. At s = 1 the sets raise
together no more than the budget, by the union bound. How much they do raise is measured as in `calibrate`: streams at
the same s are put together, each as long in budgets as that of the other sets, so an alarm counts the same in each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from anchorwatch_detectors.calibrate import LENGTHS, Curve, Point, levels_for

if TYPE_CHECKING:
    from collections.abc import Sequence


class Share(NamedTuple):
    """One set of monitors.

    Attributes
    ----------
    monitors
        In the set, at least 1.
    between
        Events of its stream for each false alarm that it may raise.
    least
        Events of the shortest stream: as many as its monitors need to get going.
    """

    monitors: int
    between: float
    least: int


class Grid(NamedTuple):
    """What to simulate.

    Attributes
    ----------
    levels
        The common levels, rising.
    sets
        For each set (run length, events of a stream) at each of them.
    """

    levels: tuple[float, ...]
    sets: tuple[tuple[tuple[float, int], ...], ...]


def grid_for(shares: Sequence[Share], events: int, streams: int, points: int) -> Grid:
    """Return the levels to simulate: as high as so many events allow for the set whose alarms lie farthest apart.

    A set that has too few events at a level to get going is simulated at the nearest one where it has them; what its
    monitors are worth there stands for it.

    Parameters
    ----------
    shares
        The sets, at least one.
    events
        That may be simulated in all, of that set.
    streams
        At each level.
    points
        Levels.
    """
    longest = max(shares, key=lambda share: share.between)
    found = levels_for(1, events, streams, points, longest.between, longest.least)
    levels = tuple(run_length / longest.between for run_length, _ in found)

    def lengths(share: Share) -> tuple[tuple[float, int], ...]:
        rows = (max(share.least, round(LENGTHS * level * share.between)) for level in levels)
        return tuple((share.monitors * n / LENGTHS, n) for n in rows)

    return Grid(levels, tuple(lengths(share) for share in shares))


def pooled(curves: Sequence[Curve], levels: Sequence[float]) -> Curve:
    """Return the curve of all sets together: run lengths are common levels, events are lengths of a budget.

    So its rate is false alarms per budget, its worth 1 where as many come as the union bound says, and `level(1.0)` the
    common level that meets the budget.

    Parameters
    ----------
    curves
        One for each set, with as many streams.
    levels
        The common level of each of their points.
    """
    points = []
    for level, at in zip(levels, zip(*(curve.points for curve in curves), strict=True), strict=True):
        union = sum(curve.monitors * point.events / point.run_length for curve, point in zip(curves, at, strict=True))
        alarms = tuple(sum(stream) for stream in zip(*(point.alarms for point in at), strict=True))
        points.append(Point(level, level * union, alarms))
    return Curve(1, tuple(points))


def common_level(curve: Curve) -> float:
    """Return the level for a pooled curve: that at which the upper limit of its false alarms meets the budget.

    At most 1, for the union bound holds without a simulation; unless the simulation says that it does not.
    """
    worth = curve.worth
    return curve.level(1.0) if worth.low > 1.0 else min(curve.level(1.0), 1.0)
