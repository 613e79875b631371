"""How many predictions come, bin by bin of event time, against how many came while the baseline was made.

Counted are those of all versions of the model, so that a version that takes over is no loss. A bin is one of too few
where it has less than a set part of what is usual, fewer than any bin of the baseline (at that time of its cycle), and
that is beyond noise. Daily swings are not known to a baseline of an hour, so one that is shorter than `covers` tells of
silence only: no prediction for so long that it would have brought hundreds, twice as long as its longest pause.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

import numpy as np

from anchorwatch.decide.evidence import POINTS, VOLUME, Kind
from anchorwatch.engine.arrivals import at_least, at_most, usual
from anchorwatch.engine.finding import Finding
from anchorwatch.engine.panes import Moment
from anchorwatch_detectors.base import Direction, Level, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from anchorwatch.engine.arrivals import Arrivals, Usual
    from anchorwatch.engine.season import Cycle
    from anchorwatch.settings.models import Model

MONITOR: Final = "rate"
EMPTY: Final = 64
"""Empty bins in a row that are judged; after them nothing new can be said until a prediction comes."""
SURE: Final = 30.0
"""Independent bursts that a silence must have lasted for; the chance that none came is exp(-30)."""


class Limits(NamedTuple):
    """When a volume is trouble, compiled from the configuration.

    Attributes
    ----------
    smallest
        Part of the usual volume that must be missing, 0 to 1.
    silence
        Predictions that the baseline would have brought in a silence that is told.
    rise
        Whether a rise to more than twice the usual is told as a change.
    covers
        Event time that a baseline must cover before anything but silence is told, ns.
    """

    smallest: float
    silence: int
    rise: bool
    covers: int


class Against(NamedTuple):
    """The baseline's arrivals, its cycle and id, and the chance of a false alarm that a bin may have."""

    arrivals: Arrivals
    cycle: Cycle | None
    baseline: str
    level: float


@dataclass(frozen=True, slots=True)
class Volume:
    """What is counted of the volume.

    Attributes
    ----------
    bin
        The bin (event time // width) to be judged next; None before there is a baseline.
    counts
        Predictions by bin, from that one on.
    empty
        Empty bins in a row before that one, and what the baseline would have brought in them.
    """

    bin: int | None = None
    counts: Mapping[int, int] = field(default_factory=dict)
    empty: tuple[int, float] = (0, 0.0)

    def begin(self, against: Against, time: int) -> Volume:
        """Return the volume as it begins: with the first bin that lies wholly behind an event time."""
        return Volume(time // against.arrivals.width + 1)

    def follow(
        self, limits: Limits, against: Against, made: NDArray[np.int64], frontier: int, time: NDArray[np.int64]
    ) -> tuple[Volume, list[Finding]]:
        """Take predictions and let event time come to `frontier`; return the volume and a finding for each bin.

        Parameters
        ----------
        limits, against
            What is trouble, and against what.
        made
            (n,) event times of the predictions, rising.
        frontier
            Every event before it has come.
        time
            Event time of every position of the release.
        """
        if self.bin is None:
            return self, []
        width, counts = against.arrivals.width, dict(self.counts)
        for number, n in zip(*(each.tolist() for each in np.unique(made // width, return_counts=True)), strict=True):
            if number >= self.bin:
                counts[number] = counts.get(number, 0) + n
        findings, at, empty, over = [], self.bin, self.empty, frontier // width
        expected: Usual | None = None  # the same in all bins, unless there is a cycle
        while at < over:
            n = counts.pop(at, 0)
            if expected is None or against.cycle is not None:
                expected = usual(against.arrivals, against.cycle, at * width)
            if not n and empty[0] >= EMPTY:
                at = min([over, *counts])
                continue
            empty = (0, 0.0) if n else (empty[0] + 1, empty[1] + expected.mean)
            end = (at + 1) * width
            verdict, decisive = _verdict(limits, against, n, expected, empty)
            if verdict.level is Level.DRIFT:
                since = end - max(empty[0], 1) * width
                verdict = verdict._replace(since=since, since_low=since, since_high=end)
            moment = Moment(int(np.searchsorted(time, end)), 0, end)
            findings.append(
                Finding(moment, "", Kind.VOLUME, VOLUME, MONITOR, verdict, against.baseline, decisive=decisive)
            )
            at += 1
        return Volume(max(at, self.bin), counts, empty), findings

    def to_plain(self) -> list[Any]:
        """Return the volume as plain data."""
        return [self.bin, [list(each) for each in sorted(self.counts.items())], list(self.empty)]

    @classmethod
    def from_plain(cls, plain: list[Any]) -> Self:
        """Return the volume that `to_plain` described."""
        return cls(plain[0], dict(plain[1]), (plain[2][0], plain[2][1]))


def limits_of(model: Model) -> Limits | None:
    """Return the limits that a model's settings give; None where its volume is not watched."""
    chosen = model.monitors.volume
    return Limits(chosen.smallest_drop, chosen.silence, chosen.rise, chosen.covers) if chosen.enabled else None


def _verdict(
    limits: Limits, against: Against, n: int, expected: Usual, empty: tuple[int, float]
) -> tuple[Verdict, bool]:
    """Return what is to be said of a bin of `n` predictions, and whether that one verdict is enough."""
    level, reason, direction = _level(limits, against, n, expected, empty)
    ratio = n / expected.mean if expected.mean else np.nan
    verdict = Verdict(
        level=level,
        reason=reason,
        statistic=float(ratio),
        threshold=1.0 - limits.smallest,
        effect=100.0 * (float(ratio) - 1.0),
        effect_unit=POINTS,
        direction=direction,
        n=n,
    )
    return verdict, reason == "silent"


def _level(
    limits: Limits, against: Against, n: int, expected: Usual, empty: tuple[int, float]
) -> tuple[Level, str, Direction]:
    arrivals, worse = against.arrivals, Direction.WORSE
    silent = empty[0] * arrivals.width > 2 * arrivals.gap and empty[1] >= limits.silence
    if silent and empty[1] / expected.dispersion >= SURE:
        return Level.DRIFT, "silent", worse
    if arrivals.width * len(arrivals.counts) < limits.covers:
        return Level.UNDETERMINED, "baseline_too_short", worse
    if n < expected.fewest and n <= (1.0 - limits.smallest) * expected.mean:
        few = at_most(n, expected) <= against.level
        return (Level.DRIFT, "fewer", worse) if few else (Level.STABLE, "within_noise", worse)
    if limits.rise and n > expected.most and n >= 2.0 * expected.mean:
        many = at_least(n, expected) <= against.level
        return (Level.DRIFT, "more", Direction.CHANGED) if many else (Level.STABLE, "within_noise", Direction.CHANGED)
    return Level.STABLE, "small_effect", worse if n < expected.mean else Direction.CHANGED
