"""Whether labels come, how many, and how late, against the baseline; by the time of the prediction.

A window of predictions is looked at when all of them are old enough for the labels of the baseline to have come. Its
share of labelled ones, and of labels that took longer than half and than nine tenths of the baseline's did, are held
against those of the baseline's own windows: worse than every one of them, by more than the smallest that counts, and
beyond noise, which is that of a beta-binomial whose inflation is how much those windows differ. A feed that has died is
told sooner: when the predictions since have had the time for so many labels, and not one came.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self

import numpy as np

from anchorwatch.decide.evidence import LABEL_COVERAGE, LABEL_DELAY, LABEL_FEED, POINTS, Kind
from anchorwatch.engine.finding import Finding
from anchorwatch.engine.panes import Moment
from anchorwatch.engine.share_monitor import Seen, tail
from anchorwatch_detectors.base import Direction, Level, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from anchorwatch.engine.labelling import Labelling
    from anchorwatch.settings.models import Model

SHARE, SILENCE = "share", "silence"
"""Monitors."""
KEPT: Final = 512
"""Bins behind the last prediction in which a silence is looked for."""
_PAUSES: Final = 2  # a silence is longer than so many of the longest pause of the baseline


class Limits(NamedTuple):
    """When a feed of labels is trouble, compiled from the configuration.

    Attributes
    ----------
    smallest
        Change of a share that is worth knowing, 0 to 1.
    silence
        Labels that the baseline would have brought in a silence that is told.
    min_sample
        Predictions of a window, at least.
    """

    smallest: float
    silence: int
    min_sample: int


class Against(NamedTuple):
    """What a feed is held against: how labels came in the baseline, its id, and the chance of a false alarm."""

    labelling: Labelling
    baseline: str
    level: float


class Came(NamedTuple):
    """Predictions and labels of a release: event times of the first (n,), of the others' predictions, and delays."""

    made: NDArray[np.int64]
    labelled: NDArray[np.int64]
    delay: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Feed:
    """What is counted of a feed.

    Attributes
    ----------
    bins
        By bin (event time // width): predictions, labels, and labels later than each of the two delays.
    ripe, passed
        The bin whose labels are to be looked at next, and the bin that event time is in.
    window
        Counts of bins that were looked at and hold too few predictions alone, and when the first began, ns.
    newest
        Event time of the newest label, ns.
    last
        The newest bin with a prediction.
    """

    bins: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    ripe: int = 0
    passed: int = 0
    window: tuple[tuple[int, ...], int] = ((0, 0, 0, 0), 0)
    newest: int = 0
    last: int = 0

    @classmethod
    def begin(cls, against: Against, time: int) -> Self:
        """Return the feed as it begins: with the first bin that lies wholly behind an event time."""
        first = time // against.labelling.width + 1
        return cls(ripe=first, passed=first, newest=time, last=first)

    def follow(
        self, limits: Limits, against: Against, came: Came, frontier: int, time: NDArray[np.int64]
    ) -> tuple[Feed, list[Finding]]:
        """Take predictions and labels and let event time come to `frontier`; return the feed and what was found.

        Parameters
        ----------
        limits, against
            What is trouble, and against what.
        came
            What came.
        frontier
            Every event before it has come.
        time
            Event time of every position of the release.
        """
        labelling = against.labelling
        feed = replace(self, bins=_counted(self, labelling, came))
        made = came.made[came.made >= self.ripe * labelling.width]
        known = np.concatenate([[self.newest], np.sort(came.labelled + came.delay)])
        findings: list[Finding] = []
        while feed.passed < frontier // labelling.width:
            end = (feed.passed + 1) * labelling.width
            newest = int(known[: np.searchsorted(known, end)].max(initial=self.newest))
            upto = made[: np.searchsorted(made, end)]
            last = max(self.last, int(upto[-1]) // labelling.width if len(upto) else self.last)
            feed = replace(feed, newest=newest, last=last)
            if feed.passed > last + KEPT:
                nxt = made[len(upto) :]
                stop = frontier // labelling.width
                feed = replace(feed, passed=min(stop, int(nxt[0]) // labelling.width) if len(nxt) else stop)
                continue
            findings.append(_placed(_silence(feed, limits, against, end), LABEL_FEED, SILENCE, (against, end, time)))
            feed = replace(feed, passed=feed.passed + 1)
        feed, more = _ripened(feed, limits, against, frontier, time)
        latest = max(feed.last, int(made[-1]) // labelling.width if len(made) else feed.last)
        kept = min(feed.ripe, (max(feed.newest, 0) - labelling.late[0]) // labelling.width) if feed.bins else feed.ripe
        kept = max(kept, feed.passed - KEPT)
        bins = {b: counts for b, counts in feed.bins.items() if b >= min(kept, feed.ripe)}
        return replace(feed, bins=bins, newest=int(known[-1]), last=latest), findings + more

    def to_plain(self) -> list[Any]:
        """Return the feed as plain data."""
        bins = [[number, list(counts)] for number, counts in sorted(self.bins.items())]
        return [bins, self.ripe, self.passed, [list(self.window[0]), self.window[1]], self.newest, self.last]

    @classmethod
    def from_plain(cls, plain: list[Any]) -> Self:
        """Return the feed that `to_plain` described."""
        bins, ripe, passed, window, newest, last = plain
        return cls({b: tuple(c) for b, c in bins}, ripe, passed, (tuple(window[0]), window[1]), newest, last)


def limits_of(model: Model) -> Limits | None:
    """Return the limits that a model's settings give; None where labels do not come or are not watched."""
    chosen = model.monitors.labels
    if not chosen.enabled or model.labels is None:
        return None
    return Limits(chosen.smallest_effect, chosen.silence, model.windows.min_sample)


def _counted(feed: Feed, labelling: Labelling, came: Came) -> dict[int, tuple[int, ...]]:
    """Return the bins with more predictions and labels; those of predictions that were looked at are left out."""
    good = came.delay <= labelling.within
    labelled, delay = came.labelled[good], came.delay[good]
    sets = [came.made, labelled, *(labelled[delay > each] for each in labelling.late)]
    bins = dict(feed.bins)
    for k, times in enumerate(sets):
        numbers, counts = np.unique(times // labelling.width, return_counts=True)
        for number, n in zip(numbers.tolist(), counts.tolist(), strict=True):
            if number >= feed.ripe:
                row = list(bins.get(number, (0, 0, 0, 0)))
                row[k] += n
                bins[number] = tuple(row)
    return bins


def _silence(feed: Feed, limits: Limits, against: Against, end: int) -> Verdict:
    """Return what is to be said of the time since the last label."""
    labelling = against.labelling
    totals = np.sum(labelling.counts, axis=0)
    usual = labelling.late[0]  # half of the labels took longer
    begins = [b * labelling.width for b in feed.bins if b >= feed.passed - KEPT]
    due = sum(
        feed.bins[begin // labelling.width][0]
        for begin in begins
        if feed.newest - usual < begin and begin + labelling.width <= end - usual
    ) * float(totals[1] / totals[0])
    dead = due >= limits.silence and end - feed.newest > _PAUSES * labelling.gap
    verdict = Verdict(
        level=Level.DRIFT if dead else Level.STABLE,
        reason="silent" if dead else "small_effect",
        statistic=0.0 if dead else 1.0,
        threshold=np.nan,
        effect=-100.0 if dead else 0.0,
        effect_unit=POINTS,
        direction=Direction.WORSE,
        n=int(due),
    )
    return replace(verdict, since=feed.newest, since_low=feed.newest, since_high=end) if dead else verdict


def _ripened(
    feed: Feed, limits: Limits, against: Against, frontier: int, time: NDArray[np.int64]
) -> tuple[Feed, list[Finding]]:
    """Look at the bins whose predictions are old enough now."""
    labelling, findings = against.labelling, list[Finding]()
    ripe, window = (frontier - labelling.within) // labelling.width, feed.window
    for number in sorted(b for b in feed.bins if feed.ripe <= b < ripe):
        counts, begin = window
        begin = begin if counts[0] else number * labelling.width
        counts = tuple(a + b for a, b in zip(counts, feed.bins[number], strict=True))
        window = (counts, begin)
        if counts[0] >= limits.min_sample:
            end = (number + 1) * labelling.width
            at = (against, end + labelling.within, time)
            for subject, verdict in zip((LABEL_COVERAGE, LABEL_DELAY), _judged(counts, limits, against), strict=True):
                said = verdict
                if verdict.level is Level.DRIFT:
                    said = replace(verdict, since=begin, since_low=begin, since_high=end)
                findings.append(_placed(said, subject, SHARE, at))
            window = ((0, 0, 0, 0), 0)
    return replace(feed, ripe=max(ripe, feed.ripe), window=window), findings


def _judged(counts: tuple[int, ...], limits: Limits, against: Against) -> tuple[Verdict, Verdict]:
    """Return what is to be said of the coverage and of the delays of a window."""
    own = np.array(against.labelling.counts)
    n, k, *late = counts
    coverage = _verdict((k, n), own[:, [1, 0]], limits, against.level, fall=True)
    slow = [
        _verdict((each, k), own[:, [2 + i, 1]], limits, against.level / 2, fall=False) for i, each in enumerate(late)
    ]
    worse = [verdict for verdict in slow if verdict.level is Level.DRIFT]
    return coverage, (worse or slow)[0]


def _verdict(seen: tuple[int, int], own: NDArray[np.int64], limits: Limits, level: float, *, fall: bool) -> Verdict:
    """Return what is to be said of a share (k of n), given the (windows, 2) k and n of the baseline's windows."""
    (k, n), own = seen, own[own[:, 1] > 0]
    k0, n0 = own.sum(axis=0).tolist()
    expected = k0 / n0
    share = k / n if n else np.nan
    each = own[:, 0] / own[:, 1]
    change = expected - share if fall else share - expected
    beyond = share < each.min() if fall else share > each.max()
    if n < limits.min_sample:
        said, reason = Level.UNDETERMINED, "too_few_values"
    elif change < limits.smallest or not beyond:
        said, reason = Level.STABLE, "small_effect"
    elif tail(Seen(k, n, k0, n0), _inflation(own, expected), upper=not fall) > level:
        said, reason = Level.STABLE, "within_noise"
    else:
        said, reason = Level.DRIFT, "differs"
    return Verdict(
        level=said,
        reason=reason,
        statistic=float(share),
        threshold=expected - limits.smallest if fall else expected + limits.smallest,
        effect=100.0 * float(share - expected),
        effect_unit=POINTS,
        direction=Direction.WORSE if change > 0 else Direction.BETTER,
        n=n,
    )


def _inflation(own: NDArray[np.int64], share: float) -> float:
    """Return how many times as much as by chance the shares of the baseline's windows differ, at least 1 (Pearson)."""
    if not 0.0 < share < 1.0 or len(own) < 2:
        return 1.0
    expected = own[:, 1] * share
    return max(float(((own[:, 0] - expected) ** 2 / (expected * (1.0 - share))).sum() / (len(own) - 1)), 1.0)


def _placed(verdict: Verdict, subject: str, monitor: str, at: tuple[Against, int, NDArray[np.int64]]) -> Finding:
    """Return a verdict as a finding at an event time of the release."""
    against, end, time = at
    moment = Moment(int(np.searchsorted(time, end)), 0, end)
    return Finding(moment, "", Kind.LABELS, subject, monitor, verdict, against.baseline, decisive=monitor == SILENCE)
