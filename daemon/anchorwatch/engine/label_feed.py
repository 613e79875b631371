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

from anchorwatch.decide.evidence import LABEL_FEED, POINTS, Kind
from anchorwatch.engine.finding import Finding
from anchorwatch.engine.label_shares import Against, Limits, judged
from anchorwatch.engine.panes import Moment
from anchorwatch.events.classes import token
from anchorwatch_detectors.base import Direction, Level, Verdict

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from anchorwatch.engine.labelling import Labelling

SHARE, SILENCE = "share", "silence"
"""Monitors."""
KEPT: Final = 512
"""Bins behind the last prediction in which a silence is looked for."""
_NOTHING = (0, 0, 0, 0)
_PAUSES: Final = 2  # a silence is longer than so many of the longest pause of the baseline


class Came(NamedTuple):
    """Predictions (n,) and labels (m,) of a release.

    Attributes
    ----------
    made, made_class
        Event times of the predictions, rising, and what they predicted, as a token.
    labelled, delay, labelled_class
        Event times of the predictions that got a label, how much later it came, ns, and what they predicted.
    """

    made: NDArray[np.int64]
    made_class: NDArray[np.uint64]
    labelled: NDArray[np.int64]
    delay: NDArray[np.int64]
    labelled_class: NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Feed:
    """What is counted of a feed.

    Attributes
    ----------
    bins
        By bin (event time // width): predictions, labels, and labels later than each of the two delays; then
        predictions and labels of each class of the baseline.
    ripe, passed
        The bin whose labels are to be looked at next, and the bin that event time is in.
    windows
        Of all predictions and of each class: counts of the bins that were looked at since the last window, and when the
        first of them began, ns.
    newest
        Event time of the newest label, ns.
    last
        The newest bin with a prediction.
    """

    bins: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    ripe: int = 0
    passed: int = 0
    windows: tuple[tuple[tuple[int, ...], int], ...] = ()
    newest: int = 0
    last: int = 0

    @classmethod
    def begin(cls, against: Against, time: int) -> Self:
        """Return the feed as it begins: with the first bin that lies wholly behind an event time."""
        first = time // against.labelling.width + 1
        windows = ((_NOTHING, 0),) * (1 + len(against.labelling.classes))
        return cls(ripe=first, passed=first, windows=windows, newest=time, last=first)

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
        windows = [[list(counts), begin] for counts, begin in self.windows]
        return [bins, self.ripe, self.passed, windows, self.newest, self.last]

    @classmethod
    def from_plain(cls, plain: list[Any]) -> Self:
        """Return the feed that `to_plain` described."""
        bins, ripe, passed, windows, newest, last = plain
        kept = tuple((tuple(counts), begin) for counts, begin in windows)
        return cls({b: tuple(c) for b, c in bins}, ripe, passed, kept, newest, last)


def _counted(feed: Feed, labelling: Labelling, came: Came) -> dict[int, tuple[int, ...]]:
    """Return the bins with more predictions and labels; those of predictions that were looked at are left out."""
    good = came.delay <= labelling.within
    labelled, delay = came.labelled[good], came.delay[good]
    sets = [came.made, labelled, *(labelled[delay > each] for each in labelling.late)]
    for name in labelling.classes:
        mine = np.uint64(token(name))
        sets += [came.made[came.made_class == mine], labelled[came.labelled_class[good] == mine]]
    bins = dict(feed.bins)
    for k, times in enumerate(sets):
        numbers, counts = np.unique(times // labelling.width, return_counts=True)
        for number, n in zip(numbers.tolist(), counts.tolist(), strict=True):
            if number >= feed.ripe:
                row = list(bins.get(number, (0,) * len(sets)))
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
    return verdict._replace(since=feed.newest, since_low=feed.newest, since_high=end) if dead else verdict


def _ripened(
    feed: Feed, limits: Limits, against: Against, frontier: int, time: NDArray[np.int64]
) -> tuple[Feed, list[Finding]]:
    """Look at the bins whose predictions are old enough now."""
    labelling, findings, windows = against.labelling, list[Finding](), list(feed.windows)
    ripe = (frontier - labelling.within) // labelling.width
    for number in sorted(b for b in feed.bins if feed.ripe <= b < ripe):
        bin_, start, end = feed.bins[number], number * labelling.width, (number + 1) * labelling.width
        at = (against, end + labelling.within, time)
        for i, (counts, begin) in enumerate(windows):
            more = bin_[:4] if i == 0 else (*bin_[:2], *bin_[2 + 2 * i : 4 + 2 * i])
            total = tuple(a + b for a, b in zip(counts, more, strict=True))
            began = begin if counts[0] else start
            full = total[0 if i == 0 else 2] >= limits.min_sample
            windows[i] = (_NOTHING, 0) if full else (total, began)
            for subject, verdict in judged(i, total, limits, against) if full else ():
                said = verdict
                if verdict.level is Level.DRIFT:
                    said = verdict._replace(since=began, since_low=began, since_high=end)
                findings.append(_placed(said, subject, SHARE, at))
    return replace(feed, ripe=max(ripe, feed.ripe), windows=tuple(windows)), findings


def _placed(verdict: Verdict, subject: str, monitor: str, at: tuple[Against, int, NDArray[np.int64]]) -> Finding:
    """Return a verdict as a finding at an event time of the release."""
    against, end, time = at
    moment = Moment(int(np.searchsorted(time, end)), 0, end)
    return Finding(moment, "", Kind.LABELS, subject, monitor, verdict, against.baseline, decisive=monitor == SILENCE)
