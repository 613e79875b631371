"""What matters most in an incident: features by how much of them moved, segments by what share they carry."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from anchorwatch.decide.evidence import DEVIATIONS, POINTS, SPREAD, Identity, Kind
from anchorwatch.decide.findings import Finding, Trouble

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

SEVERITIES: Final = ("info", "warning", "critical")
"""From the least to the most urgent."""

_SQRT_2 = math.sqrt(2.0)


class Child(msgspec.Struct, frozen=True):
    """An alert of an incident.

    Attributes
    ----------
    identity, severity
        Its labels.
    started_at, ended_at
        When it fired and when it resolved, ns of event time; `ended_at` is None while it fires.
    trouble
        What it is about; once resolved, the last there was.
    """

    identity: Identity
    severity: str
    started_at: int
    ended_at: int | None
    trouble: Trouble


class Carried(NamedTuple):
    """What part of the trouble of all traffic a segment brings about, and of its values; both 0 to 1."""

    segment: str
    kind: Kind
    subject: str
    share: float
    traffic: float


class Feature(NamedTuple):
    """A drifted feature, how much of it moved (0 to 1), times its importance where one is given, and since when."""

    name: str
    weight: float
    since: int


def loudness(severity: str) -> int:
    """Return the place of a severity among `SEVERITIES`."""
    return SEVERITIES.index(severity)


def moved(finding: Finding) -> float:
    """Return about what share of the values has changed, 0 to 1, whatever unit the effect is in.

    Rates change by their points. For numbers it is the total variation between two normal distributions, one of which
    has another mean (2 Phi(d / 2) - 1 for d standard deviations) or another spread. Distances of window tests lie
    between 0 and 1 and are taken as they are; larger ones count as 1. Without an effect: 0.
    """
    if finding.effect is None:
        return 0.0
    size = abs(finding.effect)
    if finding.effect_unit == POINTS:
        size /= 100.0
    elif finding.effect_unit == DEVIATIONS:
        size = math.erf(size / (2.0 * _SQRT_2))
    elif finding.effect_unit == SPREAD:
        size = _spread(1.0 + finding.effect)
    return min(size, 1.0)


def _spread(ratio: float) -> float:
    """Return the total variation between normal distributions whose standard deviations have this ratio."""
    if ratio <= 0.0:
        return 1.0
    if abs(ratio - 1.0) < 1e-6:
        return 0.0
    crossing = ratio * math.sqrt(2.0 * math.log(ratio) / (ratio * ratio - 1.0))
    return abs(math.erf(crossing / _SQRT_2) - math.erf(crossing / (ratio * _SQRT_2)))


def weight(child: Child, importance: Mapping[str, float]) -> float:
    """Return how much an alert counts among those of its severity: what moved, for a feature times its importance.

    Importance is held against the mean of those given, so features without one, and alerts that are not about drift of
    a feature, count as the mean.
    """
    size = moved(child.trouble.latest)
    if child.identity.kind is not Kind.DRIFT or not importance:
        return size
    mean = sum(importance.values()) / len(importance)
    return size * (importance.get(child.identity.subject, mean) / mean if mean else 1.0)


def ranked(children: Iterable[Child], importance: Mapping[str, float]) -> list[Child]:
    """Return alerts, the worst first: by severity, then weight, then the earliest."""
    return sorted(
        children,
        key=lambda c: (-loudness(c.severity), -weight(c, importance), c.started_at, c.identity),
    )


def features(children: Iterable[Child], importance: Mapping[str, float]) -> list[Feature]:
    """Return the drifted features, the heaviest first; each counts as the heaviest of its alerts."""
    found: dict[str, Feature] = {}
    for child in children:
        if child.identity.kind is not Kind.DRIFT:
            continue
        name = child.identity.subject
        known = found.get(name, Feature(name, 0.0, child.trouble.since))
        found[name] = Feature(name, max(known.weight, weight(child, importance)), min(known.since, child.trouble.since))
    return sorted(found.values(), key=lambda feature: (-feature.weight, feature.since, feature.name))


def carried(children: Sequence[Child]) -> list[Carried]:
    """Return what share of the whole's trouble each segment carries, where both are told of; the largest first.

    The trouble of a stream is how many of its values a unit of event time are other than usual: what moved, times the
    values since the change, by how long that is. A segment's share is its own by that of all traffic, told by the same
    monitor of the same subject; accuracy comes first.
    """
    whole = {_subject(c): c for c in children if not c.identity.segment}
    found: dict[str, Carried] = {}
    for child in children:
        base = whole.get(_subject(child)) if child.identity.segment else None
        who = child.identity
        share, traffic = (0.0, 0.0) if base is None else _shares(child.trouble, base.trouble)
        told = Carried(who.segment, who.kind, who.subject, share, traffic)
        if share > 0.0 and (who.segment not in found or _first(told) < _first(found[who.segment])):
            found[who.segment] = told
    return sorted(found.values(), key=_first)


def _subject(child: Child) -> tuple[str, str, str, str]:
    who = child.identity
    return who.version, who.kind, who.subject, who.monitor


def _first(told: Carried) -> tuple[bool, float, str, str]:
    return told.kind is not Kind.ACCURACY, -told.share, told.segment, told.subject


def _shares(part: Trouble, whole: Trouble) -> tuple[float, float]:
    """Return what share of the whole's trouble and of its values a part has; 0 where that is not known."""
    rates = _rate(part), _rate(whole)
    if rates[1] <= 0.0:
        return 0.0, 0.0
    traffic = min(rates[0] / rates[1], 1.0)
    moves = moved(part.latest), moved(whole.latest)
    return min(rates[0] * moves[0] / (rates[1] * moves[1]), 1.0) if moves[1] > 0.0 else 0.0, traffic


def _rate(trouble: Trouble) -> float:
    """Return how many values there were a ns since the change; 0 where that is not known."""
    latest = trouble.latest
    lasted = latest.at - (trouble.since if latest.since is None else latest.since)
    return latest.n / lasted if lasted > 0 else 0.0
