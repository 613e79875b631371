"""Shares of a window against those of the baseline: missing, mistyped, unseen and out-of-range values, wrong answers.

The number of such values in a window of n is held against what the baseline predicts for n values, its own size taken
into account: a beta-binomial distribution with the Jeffreys prior (Gelman et al., "Bayesian Data Analysis", 2.4). Wrong
answers come in spells: window and baseline count as so many answers as they are worth, by the baseline's inflation.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from anchorwatch.decide.evidence import Kind
from anchorwatch.engine.effects import points
from anchorwatch.engine.finding import Finding
from anchorwatch.events.columns import Fault
from anchorwatch_detectors.base import Direction, Level, Verdict
from anchorwatch_detectors.profile import CategoryProfile, NumericProfile

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from anchorwatch.engine.panes import Window
    from anchorwatch.engine.reference import Reference

MONITOR = "share"


class Share(NamedTuple):
    """A share that is watched: which cells count, out of which.

    `both` is whether a fall is a change too (accuracy that improves), or nothing at all (fewer missing values).
    `inflation` is how many successive values tell as much as one independent value.
    """

    kind: Kind
    subject: str
    part: tuple[int, ...]
    whole: slice
    both: bool
    inflation: float = 1.0


@dataclass(frozen=True, slots=True)
class Bounds:
    """When a share is a change: beyond noise at `significance`, and by at least `smallest` (0 to 1).

    `budgeted` is whether the significance follows the budget of false alarms.
    """

    significance: float
    smallest: float
    min_sample: int
    budgeted: bool = False


def shares_of(reference: Reference) -> list[Share]:
    """Return the shares worth watching: the faults of every column, or the wrong answers."""
    out = []
    for i, column in enumerate(reference.columns):
        start, size = int(reference.starts[i]), int(reference.sizes[i])
        profile = reference.profiles[i]
        good = slice(start, start + size)
        if column.kind is Kind.ACCURACY:
            if isinstance(profile, CategoryProfile):
                wrong = tuple(range(start, start + size))
                part = tuple(c for c in wrong if reference.value[c] == 1.0)
                inflation = float(reference.inflation[i])
                out.append(Share(Kind.ACCURACY, column.name, part, good, both=True, inflation=inflation))
            continue
        everything = slice(start, start + size + 4)
        fault = {f: start + size + f - 1 for f in Fault if f is not Fault.NONE}
        absent = (fault[Fault.NULL], fault[Fault.ABSENT])
        mistyped = (fault[Fault.WRONG_TYPE], fault[Fault.NOT_FINITE])
        out += [
            Share(Kind.QUALITY, f"{column.name} missing", absent, everything, both=False),
            Share(Kind.QUALITY, f"{column.name} mistyped", mistyped, everything, both=False),
        ]
        if isinstance(profile, NumericProfile) and profile.n:
            outside = (start, start + size - 1)
            out.append(Share(Kind.QUALITY, f"{column.name} out of range", outside, good, both=False))
        elif profile.n:
            out.append(Share(Kind.QUALITY, f"{column.name} unseen", (start + size - 1,), good, both=False))
    return out


def judge(shares: Sequence[Share], bounds: Bounds, reference: Reference, windows: Sequence[Window]) -> list[Finding]:
    """Return a finding for each window and share; the noise bound is divided among shares and groups (Bonferroni)."""
    level = bounds.significance / max(1, len(shares) * len(reference.groups))
    if not windows or not shares:
        return []
    now = _sums(shares, np.stack([w.counts for w in windows]))
    if reference.season is None:
        usual = _sums(shares, reference.counts)[[w.group for w in windows]]
    else:
        usual = _sums(shares, reference.usual(windows))
    findings = []
    for window, seen, known in zip(windows, now.tolist(), usual.tolist(), strict=True):
        segment = reference.groups[window.group]
        for share, (k, n), (k0, n0) in zip(shares, seen, known, strict=True):
            verdict = _verdict(Seen(k, n, k0, n0), bounds, level, share, window)
            found = (window.moment, segment, share.kind, share.subject, MONITOR, verdict, reference.baseline)
            findings.append(Finding(*found, decisive=False))
    return findings


def _sums(shares: Sequence[Share], counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return (windows, shares, 2) how many values of each window (windows, width) count, and out of how many."""
    ends = [share.whole.start for share in shares], [share.whole.stop for share in shares]
    below = np.concatenate([np.zeros((len(counts), 1), np.int64), np.cumsum(counts, axis=1)], axis=1)
    part = np.stack([counts[:, list(share.part)].sum(axis=1) for share in shares], axis=1)
    return np.stack([part, below[:, ends[1]] - below[:, ends[0]]], axis=2)


class Seen(NamedTuple):
    """So many (k) of n values now, and so many (k0) of n0 in the baseline."""

    k: int
    n: int
    k0: int
    n0: int


def _verdict(seen: Seen, bounds: Bounds, level: float, share: Share, window: Window) -> Verdict:
    expected = seen.k0 / seen.n0 if seen.n0 else np.nan
    statistic = seen.k / seen.n if seen.n else np.nan
    effect = statistic - expected
    size, unit = points(effect)
    said, reason = _level(seen, effect, bounds, level, share)
    return Verdict(
        level=said,
        reason=reason,
        statistic=float(statistic),
        threshold=float(expected + bounds.smallest),
        effect=float(size),
        effect_unit=unit,
        direction=Direction.WORSE if effect > 0 else Direction.BETTER,
        n=seen.n,
        **(window.interval() if said is Level.DRIFT else {}),
    )


def _level(seen: Seen, effect: float, bounds: Bounds, level: float, share: Share) -> tuple[Level, str]:
    if seen.n0 < bounds.min_sample:
        return Level.UNDETERMINED, "baseline_too_small"
    if seen.n < bounds.min_sample:
        return Level.UNDETERMINED, "too_few_values"
    if (abs(effect) if share.both else effect) < bounds.smallest:
        return Level.STABLE, "small_effect"
    if tail(seen, share.inflation, upper=effect > 0) > (level / 2 if share.both else level):
        return Level.STABLE, "within_noise"
    return Level.DRIFT, "differs"


def tail(seen: Seen, inflation: float = 1.0, *, upper: bool) -> float:
    """Return the predictive probability of a count at least as far out as the one seen."""
    from scipy.special import betaln

    n = max(int(seen.n / inflation), 1)
    reached = min(math.floor(seen.k / inflation) if upper else math.ceil(seen.k / inflation), n)
    k = np.arange(reached, n + 1) if upper else np.arange(reached + 1)
    a, b = seen.k0 / inflation + 0.5, (seen.n0 - seen.k0) / inflation + 0.5
    ways = -betaln(n - k + 1, k + 1) - np.log(n + 1)
    return min(float(np.exp(ways + betaln(k + a, n - k + b) - betaln(a, b)).sum()), 1.0)
