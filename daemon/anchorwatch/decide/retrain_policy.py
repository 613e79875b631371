"""What a retrain policy asks for, out of the configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import msgspec

from anchorwatch.decide.evidence import Kind
from anchorwatch_detectors.base import Direction

if TYPE_CHECKING:
    from anchorwatch.decide.triggers import Cause
    from anchorwatch.settings.models import Retrain

SEVERITIES = ("info", "warning", "critical")
"""From the least to the greatest."""


class Asked(msgspec.Struct, frozen=True):
    """A kind of alert that asks for a retraining; a direction of None means any."""

    kind: Kind
    direction: Direction | None = None

    @classmethod
    def of_text(cls, text: str) -> Self:
        """Read "accuracy" or "accuracy worse"."""
        kind, _, direction = text.partition(" ")
        return cls(Kind(kind), Direction(direction) if direction else None)


class RetrainPolicy(msgspec.Struct, frozen=True):
    """When a retraining is asked for; durations in ns of event time.

    Attributes
    ----------
    name
        Part of the trigger's id.
    when
        Alerts that ask for it.
    min_labels
        Labelled predictions since the change that must be there.
    cooldown
        Time between two triggers of this policy.
    expires
        How long a trigger is worth acting on.
    dry_run
        Whether its triggers are marked as not to be acted on.
    severity
        Alerts of a lower one do not ask for it.
    firing_for
        Alerts that have been firing for less do not ask for it.
    most, most_in
        So many triggers in so much time; None for no limit.
    least_gain
        Points of the metric that a retraining must be estimated to gain; None for no condition.
    timeout
        How long a retraining that has not ended keeps it quiet.
    quiet_after_version
        How long it is quiet after a new version took over.
    acknowledge_within
        After which an unanswered trigger is an alert.
    again
        Whether an unanswered trigger is then published again.
    """

    name: str
    when: tuple[Asked, ...]
    min_labels: int
    cooldown: int
    expires: int
    dry_run: bool
    severity: str = "info"
    firing_for: int = 0
    most: int | None = None
    most_in: int = 0
    least_gain: float | None = None
    timeout: int = 0
    quiet_after_version: int = 0
    acknowledge_within: int = 0
    again: bool = False

    @classmethod
    def of_settings(cls, retrain: Retrain) -> Self:
        """Return the policy that the configuration asks for."""
        quota = retrain.budget
        return cls(
            name=retrain.name,
            when=tuple(Asked.of_text(text) for text in retrain.when),
            min_labels=retrain.min_labels,
            cooldown=retrain.cooldown,
            expires=retrain.expires,
            dry_run=retrain.dry_run,
            severity=retrain.severity,
            firing_for=retrain.for_,
            most=None if quota is None else quota.triggers,
            most_in=0 if quota is None else quota.time,
            least_gain=retrain.only_if,
            timeout=retrain.timeout,
            quiet_after_version=retrain.quiet_after_version,
            acknowledge_within=retrain.acknowledge_within,
            again=retrain.delivery == "at_least_once",
        )

    def asks_for_kind(self, kind: Kind) -> bool:
        """Whether alerts of that kind ask for a retraining, in whichever direction."""
        return any(asked.kind is kind for asked in self.when)

    def asks_for(self, cause: Cause) -> bool:
        """Whether a firing alert asks for a retraining, by its kind and direction."""
        kind, direction = cause.identity.kind, cause.trouble.latest.direction
        return any(asked.kind is kind and asked.direction in {None, direction} for asked in self.when)

    def loud_enough(self, cause: Cause) -> bool:
        """Whether a firing alert is severe enough."""
        return SEVERITIES.index(cause.severity) >= SEVERITIES.index(self.severity)
