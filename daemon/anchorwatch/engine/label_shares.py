"""What is said of the shares of a window of predictions: how many got a label, and how many labels were late."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from anchorwatch.decide.evidence import LABEL_COVERAGE, LABEL_DELAY, POINTS
from anchorwatch.engine.share_monitor import Seen, tail
from anchorwatch_detectors.base import Direction, Level, Verdict

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from anchorwatch.engine.labelling import Labelling
    from anchorwatch.settings.models import Model


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


class Share(NamedTuple):
    """A share in the windows of the baseline.

    Attributes
    ----------
    k, n
        Of all windows together: k of n.
    low, high
        The smallest and the largest share of a window.
    inflation
        How many times as much as by chance the windows differ, at least 1 (Pearson).
    """

    k: int
    n: int
    low: float
    high: float
    inflation: float

    @classmethod
    def of(cls, k: NDArray[np.int64], n: NDArray[np.int64]) -> Share:
        """Return the share of k in n, both (windows,); windows without any are left out."""
        k, n = k[n > 0], n[n > 0]
        each, total = k / n, int(n.sum())
        share, inflation = int(k.sum()) / total, 1.0
        if 0.0 < share < 1.0 and len(n) > 1:
            expected = n * share
            inflation = float(((k - expected) ** 2 / (expected * (1.0 - share))).sum() / (len(n) - 1))
        return cls(int(k.sum()), total, float(each.min()), float(each.max()), max(inflation, 1.0))


class OfClass(NamedTuple):
    """The labelled share of a predicted class; and the predictions and the labels of all others."""

    name: str
    coverage: Share
    others: int
    got: int


@dataclass(frozen=True)
class Against:
    """What a feed is held against.

    Attributes
    ----------
    labelling
        How labels came in the baseline.
    baseline
        Its id.
    level
        The chance of a false alarm that a window may have.
    """

    labelling: Labelling
    baseline: str
    level: float

    @cached_property
    def coverage(self) -> Share:
        """The share of predictions with a label."""
        own = np.array(self.labelling.counts)
        return Share.of(own[:, 1], own[:, 0])

    @cached_property
    def late(self) -> tuple[Share, ...]:
        """The shares of labels later than each of the two shorter delays."""
        own = np.array(self.labelling.counts)
        return tuple(Share.of(own[:, 2 + j], own[:, 1]) for j in range(len(self.labelling.late)))

    @cached_property
    def classes(self) -> tuple[OfClass, ...]:
        """The labelled share of each class."""
        own, found = np.array(self.labelling.counts)[:, :2], list[OfClass]()
        for name, counts in self.labelling.classes.items():
            mine = np.array(counts)
            others, got = (own - mine).sum(axis=0).tolist()
            found.append(OfClass(name, Share.of(mine[:, 1], mine[:, 0]), others, got))
        return tuple(found)


def limits_of(model: Model) -> Limits | None:
    """Return the limits that a model's settings give; None where labels do not come or are not watched."""
    chosen = model.monitors.labels
    if not chosen.enabled or model.labels is None:
        return None
    return Limits(chosen.smallest_effect, chosen.silence, model.windows.min_sample)


def judged(i: int, counts: tuple[int, ...], limits: Limits, against: Against) -> list[tuple[str, Verdict]]:
    """Return what is to be said of a window: of all predictions (0) their coverage and delays, of a class its coverage.

    The coverage of a class is trouble where it fell by more than that of all other predictions did: labels that go to
    some classes and not to others say little of the accuracy.
    """
    n, k, *rest = counts
    if i == 0:
        coverage = _verdict((k, n), against.coverage, limits, against.level, fall=True)
        slow = [
            _verdict((each, k), share, limits, against.level / 2, fall=False)
            for each, share in zip(rest, against.late, strict=True)
        ]
        worse = [verdict for verdict in slow if verdict.level is Level.DRIFT]
        return [(LABEL_COVERAGE, coverage), (LABEL_DELAY, (worse or slow)[0])]
    name, coverage_before, others, got = against.classes[i - 1]
    level = against.level / len(against.classes)
    fallen = min((k - rest[1]) / (n - rest[0]) * others / got, 1.0) if n > rest[0] and got else 1.0
    verdict = _verdict((rest[1], rest[0]), coverage_before, limits, level, fall=True, fallen=fallen)
    return [(f"{LABEL_COVERAGE} of {name}", verdict)]


def _verdict(
    seen: tuple[int, int], before: Share, limits: Limits, level: float, *, fall: bool, fallen: float = 1.0
) -> Verdict:
    """Return what is to be said of a share (k of n), given that of the baseline.

    To so great a part of the baseline's, 0 to 1, it would have `fallen` with that of others.
    """
    k, n = seen
    expected = before.k / before.n
    share = k / n if n else math.nan
    change = fallen * expected - share if fall else share - expected
    beyond = share < fallen * before.low if fall else share > before.high
    if n < limits.min_sample:
        said, reason = Level.UNDETERMINED, "too_few_values"
    elif change < limits.smallest or not beyond:
        said, reason = Level.STABLE, "small_effect"
    elif tail(Seen(k, n, round(fallen * before.k), before.n), before.inflation, upper=not fall) > level:
        said, reason = Level.STABLE, "within_noise"
    else:
        said, reason = Level.DRIFT, "differs"
    return Verdict(
        level=said,
        reason=reason,
        statistic=share,
        threshold=expected - limits.smallest if fall else expected + limits.smallest,
        effect=100.0 * (share - expected),
        effect_unit=POINTS,
        direction=Direction.WORSE if (share < expected) is fall else Direction.BETTER,
        n=n,
    )
