"""An incident in one sentence, for somebody who was asleep a minute ago."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from anchorwatch.decide.evidence import ERROR_RATE, LABEL_FEED, OWN, POINTS, Kind
from anchorwatch.decide.incidents import Telling
from anchorwatch.decide.instants import instant, lasting, readable
from anchorwatch.decide.shares import figure, percent
from anchorwatch_detectors.base import Direction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anchorwatch.decide.incident_notice import IncidentNotice
    from anchorwatch.decide.ranking import Child

WORTH_NAMING, STANDS_OUT = 0.5, 1.5
"""A segment is named that carries so much of the trouble, and so many times as much as its part of the traffic."""

_PREFIX = {
    Telling.OPENED: "",
    Telling.SEVERITY_ROSE: "Now {severity}: ",
    Telling.LASTS_LONG: "Still open after {lasted}, now {severity}: ",
    Telling.SPREAD_FAR: "Spread far, now {severity}: ",
    Telling.KIND_JOINED: "Now also {joined}: ",
    Telling.FEATURES_DOUBLED: "Spreading: ",
    Telling.REPEATED: "Still open after {lasted}: ",
    Telling.RESOLVED: "Over after {lasted}: ",
    Telling.SUPERSEDED: "Closed after {lasted}, another version took over: ",
    Telling.RETRAINED: "Closed after {lasted}, the model was retrained: ",
}


_NAMES = {
    Kind.SCHEMA: "a broken column",
    Kind.QUALITY: "bad values",
    Kind.DRIFT: "drift",
    Kind.PREDICTION: "predictions",
    Kind.ACCURACY: "accuracy",
    Kind.LATENCY: "latency",
    Kind.VOLUME: "traffic",
    Kind.LABELS: "labels",
    Kind.COMPARISON: "a version against its rival",
    Kind.RETRAIN: "a retraining that nobody answers",
}
_WORSE = {
    Kind.SCHEMA: "no usable value of {}",
    Kind.PREDICTION: "it predicts differently",
    Kind.LATENCY: "it answers more slowly",
    Kind.VOLUME: "fewer requests come",
    Kind.LABELS: "labels come worse ({})",
    Kind.COMPARISON: "it does worse than {}",
    Kind.RETRAIN: "no retraining came of what policy {} asked for",
}
_CHANGED = _WORSE | {
    Kind.LATENCY: "it answers at another speed",
    Kind.VOLUME: "more requests come",
    Kind.LABELS: "labels come differently ({})",
}


def incident_summary(notice: IncidentNotice) -> str:
    """Return what goes wrong with a model since when, where most of it is, the worst first."""
    lasted = lasting(notice.at - notice.opened_at)
    prefix = _PREFIX[notice.reason].format(
        severity=notice.severity, lasted=lasted, joined=_listed([_NAMES[kind] for kind in notice.joined])
    )
    version = f" version {notice.version}" if notice.version else ""
    return f"{prefix}{notice.model}{version}: {'; '.join(_said(notice))}."


def _said(notice: IncidentNotice) -> list[str]:
    by_kind: dict[Kind, list[Child]] = {}
    for child in notice.children:
        by_kind.setdefault(child.identity.kind, []).append(child)
    kinds = [kind for kind in _ORDER if kind in by_kind]
    said = [_of_kind(kind, by_kind[kind], notice) for kind in kinds]
    begun = {kind: min(child.trouble.since for child in by_kind[kind]) for kind in kinds}
    first = min(kinds, key=lambda kind: begun[kind])
    for kind in dict.fromkeys([Kind.DRIFT, first] if Kind.DRIFT in kinds else [first]):
        said[kinds.index(kind)] += f" since {_moment(begun[kind], notice.at)}"
    if notice.drifted > 1 and Kind.DRIFT in kinds:
        said[kinds.index(Kind.DRIFT)] += f", first: {_first(notice)}"
    stands_out = (s for s in notice.segments if s.share >= max(WORTH_NAMING, STANDS_OUT * s.traffic))
    said += [f"segment {s.segment} carries {100 * s.share:.0f} %" for s in islice(stands_out, 1)]
    return said


_ORDER = (
    Kind.SCHEMA,
    Kind.VOLUME,
    Kind.DRIFT,
    Kind.PREDICTION,
    Kind.ACCURACY,
    Kind.QUALITY,
    Kind.LATENCY,
    Kind.LABELS,
    Kind.COMPARISON,
    Kind.RETRAIN,
)


def _first(notice: IncidentNotice) -> str:
    return min(notice.features, key=lambda f: (f.since, -f.weight, f.name)).name


def _moment(at: int, now: int) -> str:
    """Return a time, without its day where that is the present one."""
    same_day = instant(at).date() == instant(now).date()
    return f"{instant(at):%H:%M} UTC" if same_day else readable(at)


def _of_kind(kind: Kind, children: Sequence[Child], notice: IncidentNotice) -> str:
    """Return what the alerts of one kind, the worst first, say together."""
    subjects = list(dict.fromkeys(child.identity.subject for child in children))
    if kind is Kind.DRIFT:
        return _drift(notice)
    if kind is Kind.ACCURACY:
        return _rate(next((c for c in children if not c.identity.segment), children[0]))
    if kind is Kind.QUALITY:
        return _rate(children[0]) + (f", and {len(subjects) - 1} more such shares" if subjects[1:] else "")
    worse = children[0].trouble.latest.direction is Direction.WORSE
    if kind is Kind.LABELS and LABEL_FEED in subjects:
        return "no labels come"
    return (_WORSE if worse else _CHANGED)[kind].format(_listed(subjects))


def _drift(notice: IncidentNotice) -> str:
    if notice.drifted == 1 and notice.features:
        return f"{notice.features[0].name} drifted"
    return f"{notice.drifted} of {notice.watched} features drifted"


def _rate(child: Child) -> str:
    """Return a rate or a metric before and now; what is neither is only named."""
    latest, subject = child.trouble.latest, child.identity.subject
    where = f" where {child.identity.segment}" if child.identity.segment else ""
    if latest.effect_unit == OWN and latest.statistic is not None and latest.effect is not None:
        return f"{subject}{where} {figure(latest.statistic - latest.effect)} -> {figure(latest.statistic)}"
    if latest.statistic is None or latest.effect is None or latest.effect_unit != POINTS:
        worse = subject if subject == ERROR_RATE else f"{subject} changed"
        return f"{worse}{where}"
    return f"{subject}{where} {percent(latest.statistic - latest.effect / 100)} -> {percent(latest.statistic)}"


def _listed(names: Sequence[str], most: int = 3) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
