"""One cause, one alert: what explains other trouble keeps it from being told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from anchorwatch.decide.evidence import LABEL_COVERAGE, LABEL_FEED, Kind
from anchorwatch_detectors.base import Direction

if TYPE_CHECKING:
    from collections.abc import Mapping

    from anchorwatch.decide.alerts import AlertState
    from anchorwatch.decide.evidence import Identity
    from anchorwatch.decide.findings import Finding

EXPLAINS: Final[dict[Kind, frozenset[Kind]]] = {
    Kind.SCHEMA: frozenset(Kind) - {Kind.SCHEMA, Kind.RETRAIN},
    Kind.VOLUME: frozenset({Kind.DRIFT, Kind.PREDICTION, Kind.LATENCY, Kind.LABELS}),
    Kind.LABELS: frozenset({Kind.ACCURACY, Kind.LABELS}),
}
"""Kinds whose alerts do not begin to fire while one of the first kind does. Of volume it is a drop, of labels a feed
that is dead (subject `LABEL_FEED`), or, for accuracy alone, most labels of one predicted class that do not come: what
is left says how right the other classes are. More traffic and late labels explain nothing."""


def explaining(alert: AlertState) -> bool:
    """Whether an alert keeps others from firing."""
    kind = alert.identity.kind
    if alert.episode is None or kind not in EXPLAINS:
        return False
    latest = alert.episode.trouble.latest
    if kind is Kind.VOLUME:
        return latest.direction is Direction.WORSE
    return kind is Kind.SCHEMA or alert.identity.subject == LABEL_FEED or _one_sided(alert.identity, latest)


def _one_sided(identity: Identity, latest: Finding) -> bool:
    """Whether of one predicted class less than half of the usual labels come."""
    if not identity.subject.startswith(f"{LABEL_COVERAGE} of ") or latest.statistic is None or latest.effect is None:
        return False
    return latest.statistic < (latest.statistic - latest.effect / 100.0) / 2.0


def inhibits(cause: Identity, identity: Identity) -> bool:
    """Whether a firing alert that explains others explains this one.

    It must be of the same version (one of no version is of all) and of a kind that the table names; an alert about all
    traffic explains those of every segment, one about a segment only those of its own.
    """
    if cause.kind is Kind.LABELS and cause.subject != LABEL_FEED and identity.kind is not Kind.ACCURACY:
        return False
    return (
        identity.kind in EXPLAINS[cause.kind]
        and cause != identity
        and cause.version in {"", identity.version}
        and cause.segment in {"", identity.segment}
        and not (identity.kind is cause.kind and identity.subject == cause.subject)
    )


class Causes:
    """The alerts of a model that keep others from firing now.

    Parameters
    ----------
    alerts
        All alerts of the model.
    """

    def __init__(self, alerts: Mapping[Identity, AlertState]) -> None:
        self._firing = {identity for identity, alert in alerts.items() if explaining(alert)}

    def note(self, identity: Identity, alert: AlertState | None) -> None:
        """Take note of how an alert stands after a step; None where it is forgotten."""
        if identity.kind not in EXPLAINS:
            return
        if alert is not None and explaining(alert):
            self._firing.add(identity)
        else:
            self._firing.discard(identity)

    def explain(self, identity: Identity) -> bool:
        """Whether an alert must not begin to fire; one that fires already is left alone."""
        return any(inhibits(cause, identity) for cause in self._firing)
