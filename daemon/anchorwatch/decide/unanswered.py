"""Retrainings that nobody acknowledges, or that failed: an alert of their own, while what they were asked for lasts."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from anchorwatch.decide.alert_policy import AlertPolicy
from anchorwatch.decide.evidence import Evidence, Identity, Kind
from anchorwatch.decide.retraining import Progress
from anchorwatch_detectors.base import Direction, Level, Verdict

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from anchorwatch.decide.alerts import AlertState
    from anchorwatch.decide.retrain_policy import RetrainPolicy
    from anchorwatch.decide.retraining import Retraining
    from anchorwatch.decide.rules import Rules

UNANSWERED, FAILED = "unanswered", "failed"
"""What is found of a retraining; names of the monitors of `Kind.RETRAIN`."""

ALERTING = AlertPolicy(severity="warning", needs=1, of=1, keep_firing_for=0, cooldown=0, repeat=0)
"""A retraining is late, or it is not: there is nothing to wait for or to repeat."""


def trouble_of(retraining: Retraining, policy: RetrainPolicy | None, at: int) -> str | None:
    """Return what is wrong with a retraining at an event time; None for nothing."""
    if policy is None:
        return None
    if retraining.progress is Progress.FAILED:
        return FAILED
    late = at - retraining.requested_at >= policy.acknowledge_within
    return UNANSWERED if retraining.progress is Progress.REQUESTED and late else None


def lasting(retrainings: Sequence[Retraining], alerts: Mapping[Identity, AlertState]) -> tuple[Retraining, ...]:
    """Return the retrainings whose incident is open, by alerts of the model itself."""
    open_ones = {
        alert.episode.incident
        for identity, alert in alerts.items()
        if alert.episode is not None and identity.kind is not Kind.RETRAIN
    }
    return tuple(retraining for retraining in retrainings if retraining.incident in open_ones)


def evidence_of(
    rules: Rules,
    retrainings: Sequence[Retraining],
    alerts: Mapping[Identity, AlertState],
    at: int,
    replaced: Collection[str],
) -> Iterator[tuple[Evidence, int]]:
    """Yield the evidence that begins and ends the alerts of retrainings, and the incident of each.

    Parameters
    ----------
    rules
        The model's.
    retrainings
        Those whose incident is open.
    alerts
        What is remembered of the model's alerts.
    at
        Event time reached, ns.
    replaced
        Versions that no longer matter.
    """
    policies = {policy.name: policy for policy in rules.retrain} if rules.answered else {}
    wanted = {
        (
            Identity(rules.model, retraining.version, "", Kind.RETRAIN, retraining.policy, trouble),
            retraining.incident,
        ): (retraining)
        for retraining in retrainings
        if (trouble := trouble_of(retraining, policies.get(retraining.policy), at)) is not None
        and retraining.version not in replaced
    }
    firing = {
        (identity, alert.episode.incident): alert.episode
        for identity, alert in alerts.items()
        if identity.kind is Kind.RETRAIN and alert.episode is not None
    }
    for over in sorted(firing.keys() - wanted.keys()):
        yield _evidence(over[0], at, firing[over].trouble.latest.baseline, None), over[1]
    told = {identity for identity, _ in firing.keys() & wanted.keys()}
    for new in sorted(wanted.keys() - firing.keys()):
        identity, incident = new
        if identity not in told:  # an alert fires in one incident at a time, the oldest
            told.add(identity)
            yield _evidence(identity, at, wanted[new].baseline, wanted[new].requested_at), incident


def _evidence(identity: Identity, at: int, baseline: str, since: int | None) -> Evidence:
    """Return evidence of trouble since a time, or that there is none (any more)."""
    verdict = Verdict(
        level=Level.STABLE if since is None else Level.DRIFT,
        reason=identity.monitor,
        statistic=math.nan,
        threshold=math.nan,
        effect=math.nan,
        direction=Direction.WORSE,
        n=1,
        since=since,
    )
    return Evidence(at, identity, verdict, baseline, decisive=True, labelled=0, labelled_since=0)
