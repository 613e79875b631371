"""An alert in one sentence, for somebody who was asleep a minute ago."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anchorwatch.decide.evidence import ERROR_RATE, LABEL_DELAY, LABEL_FEED, OWN, POINTS, SPREAD, VARIATION, Kind
from anchorwatch.decide.instants import lasting, readable
from anchorwatch.decide.notices import Status
from anchorwatch.decide.reasons import Reason
from anchorwatch.decide.shares import figure, percent
from anchorwatch.decide.unanswered import FAILED
from anchorwatch_detectors.base import Direction

if TYPE_CHECKING:
    from anchorwatch.decide.evidence import Identity
    from anchorwatch.decide.findings import Finding
    from anchorwatch.decide.notices import Notice

_WORSE = {
    Kind.SCHEMA: "has lost a column of its input",
    Kind.QUALITY: "gets worse input data",
    Kind.DRIFT: "gets different input",
    Kind.PREDICTION: "predicts differently",
    Kind.ACCURACY: "has become less accurate",
    Kind.LATENCY: "has become slower",
    Kind.VOLUME: "gets fewer requests",
    Kind.LABELS: "gets its labels differently",
    Kind.COMPARISON: "does worse than its rival",
    Kind.RETRAIN: "waits for a retraining",
}
_CHANGED = _WORSE | {
    Kind.QUALITY: "gets different input data",
    Kind.ACCURACY: "is wrong in a different way",
    Kind.LATENCY: "answers at a different speed",
    Kind.VOLUME: "gets more requests",
}


def summary_of(notice: Notice) -> str:
    """Return what happened, to what, how bad it is, since when, and how much that rests on."""
    latest = notice.trouble.latest
    lasted = lasting(notice.at - notice.started_at)
    who, symptom = _who(notice.identity), _symptom(notice)
    since = f"since about {readable(notice.trouble.since)}"
    if notice.reason is Reason.SUPERSEDED:
        return f"Closed after {lasted}, another version took over: {who}, {since}: {symptom}."
    if notice.reason is Reason.RETRAINED:
        return f"Closed after {lasted}, the model was retrained: {who}, {since}: {symptom}."
    if notice.status is Status.RESOLVED:
        return f"Resolved after {lasted}: {who}, {since}: {symptom}."
    what = (_WORSE if latest.direction is Direction.WORSE else _CHANGED)[notice.identity.kind]
    if notice.identity.kind is Kind.RETRAIN:
        return f"{who} {what} {since}: {symptom}."
    still = f"Still firing after {lasted}: " if notice.reason in {Reason.REPEATED, Reason.SILENCE_ENDED} else ""
    if notice.reason is Reason.FLAPPING:
        still = "Comes and goes, and is held until it has been quiet: "
    return f"{still}{who} {what} {since}: {symptom} ({notice.identity.monitor} over {latest.n:,} values)."


def _who(identity: Identity) -> str:
    version = f" version {identity.version}" if identity.version else ""
    segment = f" where {identity.segment}" if identity.segment else ""
    return f"{identity.model}{version}{segment}"


def _symptom(notice: Notice) -> str:
    """Return what is seen, and how it is in the baseline, in the unit that people think in."""
    identity, latest = notice.identity, notice.trouble.latest
    subject = identity.subject.replace("prediction:", "predicted ")
    if identity.kind is Kind.SCHEMA:
        return f"no usable value of {subject}"
    if identity.kind is Kind.RETRAIN:
        how = "failed" if identity.monitor == FAILED else "was acknowledged by nobody"
        return f"what policy {subject} asked for {how}"
    now, effect = latest.statistic, latest.effect
    if effect is None or now is None:
        return f"{subject} away from the baseline"
    if latest.effect_unit == OWN:
        return f"{subject} {figure(now)}{_certainty(latest)}, {figure(now - effect)} in the baseline"
    if latest.effect_unit == POINTS:
        usual = f"{percent(now - effect / 100)} in the baseline"
        compared = identity.kind is Kind.COMPARISON
        return _rival(identity, effect) if compared else _share(identity.kind, subject, latest, now, usual)
    return f"{subject} {_changed(latest, now, effect)}"


def _rival(identity: Identity, effect: float) -> str:
    """Return how a version does beside another."""
    less = "more" if effect > 0 else "less"
    how = "farther off" if identity.monitor in {"closer", "distances"} else "wrong"
    return f"{how} in {abs(effect):.2g} percentage points {less} of the predictions than {identity.subject}"


def _certainty(latest: Finding) -> str:
    """Return the interval of a metric, and how many of its predictions are labelled."""
    if latest.low is None or latest.high is None or latest.coverage is None:
        return ""
    return f" ({figure(latest.low)} to {figure(latest.high)}, {percent(latest.coverage)} labelled)"


def _share(kind: Kind, subject: str, latest: Finding, now: float, usual: str) -> str:
    """Return how large a share is, and how large it is in the baseline."""
    if latest.reason == "silent":
        return "no label came any more" if subject == LABEL_FEED else "no prediction came any more"
    if subject == LABEL_DELAY:
        return f"{percent(now)} of the labels are late by the baseline's measure, {usual}"
    if subject == ERROR_RATE or kind in {Kind.VOLUME, Kind.LABELS}:
        return f"{subject} {percent(now)}, {usual}"
    return f"{subject} in {percent(now)} of its values, {usual}"


def _changed(latest: Finding, now: float, effect: float) -> str:
    """Return how a distribution differs: by a window test's own distance, or by what a sequential detector tells."""
    if latest.reason not in {"changed", "spread"}:
        counts = "" if latest.threshold is None else f", {figure(latest.threshold)} is worth knowing"
        return f"away from the baseline by {figure(abs(effect))}{counts}"
    if latest.effect_unit == SPREAD:
        return f"spreads {percent(abs(effect))} {'wider' if effect > 0 else 'less'} than in the baseline"
    if latest.effect_unit == VARIATION:
        return f"has other values than in the baseline in {percent(effect)} of all cases"
    side = "above" if effect > 0 else "below"
    return f"on average {abs(effect):.2g} standard deviations {side} the baseline, at its percentile {100 * now:.0f}"
