"""What is said of the shares of a window of predictions: how many got a label, and how many labels were late."""

from __future__ import annotations

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


class Against(NamedTuple):
    """What a feed is held against: how labels came in the baseline, its id, and the chance of a false alarm."""

    labelling: Labelling
    baseline: str
    level: float


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
    labelling = against.labelling
    own = np.array(labelling.counts)
    n, k, *rest = counts
    if i == 0:
        coverage = _verdict((k, n), own[:, [1, 0]], limits, against.level, fall=True)
        slow = [
            _verdict((each, k), own[:, [2 + j, 1]], limits, against.level / 2, fall=False)
            for j, each in enumerate(rest)
        ]
        worse = [verdict for verdict in slow if verdict.level is Level.DRIFT]
        return [(LABEL_COVERAGE, coverage), (LABEL_DELAY, (worse or slow)[0])]
    name = list(labelling.classes)[i - 1]
    mine = np.array(labelling.classes[name])
    level = against.level / len(labelling.classes)
    others, got = (own[:, :2] - mine).sum(axis=0).tolist()
    fallen = min((k - rest[1]) / (n - rest[0]) * others / got, 1.0) if n > rest[0] and got else 1.0
    verdict = _verdict((rest[1], rest[0]), mine[:, [1, 0]], limits, level, fall=True, fallen=fallen)
    return [(f"{LABEL_COVERAGE} of {name}", verdict)]


def _verdict(
    seen: tuple[int, int], own: NDArray[np.int64], limits: Limits, level: float, *, fall: bool, fallen: float = 1.0
) -> Verdict:
    """Return what is to be said of a share (k of n), given the (windows, 2) k and n of the baseline's windows.

    To so great a part of the baseline's, 0 to 1, it would have `fallen` with that of others.
    """
    (k, n), own = seen, own[own[:, 1] > 0]
    k0, n0 = own.sum(axis=0).tolist()
    expected = k0 / n0
    share = k / n if n else np.nan
    each = fallen * own[:, 0] / own[:, 1]
    change = fallen * expected - share if fall else share - expected
    beyond = share < each.min() if fall else share > each.max()
    if n < limits.min_sample:
        said, reason = Level.UNDETERMINED, "too_few_values"
    elif change < limits.smallest or not beyond:
        said, reason = Level.STABLE, "small_effect"
    elif tail(Seen(k, n, round(fallen * k0), n0), _inflation(own, expected), upper=not fall) > level:
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
        direction=Direction.WORSE if (share < expected) is fall else Direction.BETTER,
        n=n,
    )


def _inflation(own: NDArray[np.int64], share: float) -> float:
    """Return how many times as much as by chance the shares of the baseline's windows differ, at least 1 (Pearson)."""
    if not 0.0 < share < 1.0 or len(own) < 2:
        return 1.0
    expected = own[:, 1] * share
    return max(float(((own[:, 0] - expected) ** 2 / (expected * (1.0 - share))).sum() / (len(own) - 1)), 1.0)
