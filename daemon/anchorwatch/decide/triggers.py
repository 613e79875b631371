"""A request to retrain: what it rests on, which data to train on, and what that is estimated to gain."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from anchorwatch.decide.evidence import Identity
from anchorwatch.decide.findings import Trouble
from anchorwatch.decide.ids import trigger_id
from anchorwatch.decide.recovery import Recovery

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anchorwatch.decide.recovery import Estimator
    from anchorwatch.decide.retrain_policy import RetrainPolicy

MOST_CAUSES = 50
"""So many causes at most go into a trigger, the earliest: a message has a limit, a model with 10,000 segments none."""


class Cause(msgspec.Struct, frozen=True):
    """A firing alert: what it is about, how severe it is, and since when it fires, in ns of event time."""

    identity: Identity
    trouble: Trouble
    severity: str = "critical"
    fired_at: int = -(2**63)


class Fingerprints(msgspec.Struct, frozen=True):
    """What a trigger was decided with, so that it can be traced.

    Attributes
    ----------
    code
        Version of anchorwatch.
    configuration
        Hash of the model's configuration, alerting and retrain policies left out.
    data
        Hash of the data that the baseline was made of; "" where it is not known.
    """

    code: str = ""
    configuration: str = ""
    data: str = ""


class Occasion(NamedTuple):
    """What a policy looks at when it is considered.

    Attributes
    ----------
    source
        Who we are.
    model, version
        What would be retrained.
    at
        Event time in ns since the epoch.
    labelled, rows
        Labelled predictions, and predictions, of that version so far.
    incident
        The number of the open incident that it is about.
    firing
        The alerts of that version and incident that fire.
    open
        The numbers of all open incidents of the model.
    underway
        When each retraining of the model that has not ended was asked for.
    fresh_since
        When a version last took over; None for never.
    estimator
        Tells what a retraining would recover; None where nobody does.
    made_with
        Fingerprints that are known whatever the baseline is.
    data
        Fingerprints of the data by the id of the baseline that was made of it.
    """

    source: str
    model: str
    version: str
    at: int
    labelled: int
    incident: int
    firing: tuple[Cause, ...]
    rows: int = 0
    open: tuple[int, ...] = ()
    underway: tuple[int, ...] = ()
    fresh_since: int | None = None
    estimator: Estimator | None = None
    made_with: Fingerprints = Fingerprints()
    data: tuple[tuple[str, str], ...] = ()


class Trigger(msgspec.Struct, frozen=True):
    """A request to retrain.

    Attributes
    ----------
    id
        The same for the same source, model, policy and incident, whatever happened in between.
    source, model, version, policy, incident
        Who asks, what is to be retrained, and because of what.
    at
        Event time of the decision, ns since the epoch; so are the other times.
    causes
        The alerts that asked, in the order in which their trouble began; at most `MOST_CAUSES`.
    baseline
        The baseline that the first of them was held against.
    start, end, rows, labelled
        Suggested training window: from the first change until now, and the predictions and the labelled ones since
        that change.
    cooldown_until, expires_at
        No other trigger of this policy before; not worth acting on after.
    dry_run
        Nobody should act on it.
    estimate
        What a retraining would recover; None where there are too few labels to tell.
    fingerprints
        What it was decided with.
    """

    id: str
    source: str
    model: str
    version: str
    policy: str
    incident: int
    at: int
    causes: tuple[Cause, ...]
    baseline: str
    start: int
    end: int
    labelled: int
    cooldown_until: int
    expires_at: int
    dry_run: bool
    rows: int = 0
    estimate: Recovery | None = None
    fingerprints: Fingerprints = Fingerprints()


def trigger_of(
    policy: RetrainPolicy, occasion: Occasion, causes: Sequence[Cause], estimate: Recovery | None
) -> Trigger:
    """Return the trigger of a policy for an occasion, because of at least one cause, the earliest first."""
    first = causes[0].trouble
    data = dict(occasion.data).get(first.latest.baseline, "")
    return Trigger(
        id=trigger_id(occasion.source, occasion.model, policy.name, occasion.incident),
        source=occasion.source,
        model=occasion.model,
        version=occasion.version,
        policy=policy.name,
        incident=occasion.incident,
        at=occasion.at,
        causes=tuple(causes[:MOST_CAUSES]),
        baseline=first.latest.baseline,
        start=first.since,
        end=occasion.at,
        labelled=occasion.labelled - first.labelled,
        cooldown_until=occasion.at + policy.cooldown,
        expires_at=occasion.at + policy.expires,
        dry_run=policy.dry_run,
        rows=max(occasion.rows - first.rows, 0),
        estimate=estimate,
        fingerprints=msgspec.structs.replace(occasion.made_with, data=data),
    )
