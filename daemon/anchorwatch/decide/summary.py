"""An alert in one sentence, for somebody who was asleep a minute ago."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anchorwatch.decide.evidence import ERROR_RATE, POINTS, SPREAD, VARIATION, Kind
from anchorwatch.decide.instants import lasting, readable
from anchorwatch.decide.notices import Status
from anchorwatch.decide.reasons import Reason
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
    if notice.status is Status.RESOLVED:
        return f"Resolved after {lasted}: {who}, {since}: {symptom}."
    what = (_WORSE if latest.direction is Direction.WORSE else _CHANGED)[notice.identity.kind]
    still = f"Still firing after {lasted}: " if notice.reason in {Reason.REPEATED, Reason.SILENCE_ENDED} else ""
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
    now, effect = latest.statistic, latest.effect
    if identity.kind is Kind.COMPARISON and effect is not None:
        less = "more" if effect > 0 else "less"
        how = "farther off" if identity.monitor == "closer" else "wrong"
        return f"{how} in {abs(effect):.2g} percentage points {less} of the predictions than {subject}"
    if effect is None or now is None:
        return f"{subject} away from the baseline"
    if latest.effect_unit == POINTS:
        usual = f"{_percent(now - effect / 100)} in the baseline"
        if subject == ERROR_RATE:
            return f"{subject} {_percent(now)}, {usual}"
        return f"{subject} in {_percent(now)} of its values, {usual}"
    return f"{subject} {_changed(latest, now, effect)}"


def _changed(latest: Finding, now: float, effect: float) -> str:
    """Return how a distribution differs: by a window test's own distance, or by what a sequential detector tells."""
    if latest.reason not in {"changed", "spread"}:
        counts = "" if latest.threshold is None else f", {latest.threshold:.3g} is worth knowing"
        return f"away from the baseline by {abs(effect):.3g}{counts}"
    if latest.effect_unit == SPREAD:
        return f"spreads {_percent(abs(effect))} {'wider' if effect > 0 else 'less'} than in the baseline"
    if latest.effect_unit == VARIATION:
        return f"has other values than in the baseline in {_percent(effect)} of all cases"
    side = "above" if effect > 0 else "below"
    return f"on average {abs(effect):.2g} standard deviations {side} the baseline, at its percentile {100 * now:.0f}"


def _percent(share: float) -> str:
    """Return a share with one digit behind the point, a small one with two digits that count."""
    percent = max(100 * share, 0.0)
    return f"{percent:.1f} %" if percent >= 1 else f"{float(f'{percent:.2g}'):g} %"
