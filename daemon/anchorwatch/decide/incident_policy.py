"""What incidents are made by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import msgspec

from anchorwatch.settings.units import NS

if TYPE_CHECKING:
    from anchorwatch.settings.models import Model


class IncidentPolicy(msgspec.Struct, frozen=True):
    """What incidents are made by; durations in ns of event time.

    Attributes
    ----------
    together
        How long after an incident's last alert another one still belongs to it.
    gather
        Time between two tellings, unless it became more severe; so long after, a cause of its own still belongs to it.
    repeat
        Time since the last telling after which it is told again, if trouble goes on; None: never.
    escalate_after, escalate_features, escalate_to
        Time since it opened, and share of the model's features, from which on it is so severe; None: never.
    features
        How many features the model has.
    importance
        How much it rests on each, where that is given.
    """

    together: int = NS["d"]
    gather: int = 10 * NS["m"]
    repeat: int | None = 7 * NS["d"]
    escalate_after: int | None = None
    escalate_features: float | None = None
    escalate_to: str = "critical"
    features: int = 0
    importance: dict[str, float] = {}

    @classmethod
    def of_settings(cls, model: Model) -> Self:
        """Return the policy that the configuration of a model asks for."""
        asked, features = model.incidents, model.predictions.features
        wait = 0 if model.labels is None else model.labels.wait
        return cls(
            together=max(NS["d"], wait) if asked.together is None else asked.together,
            gather=asked.gather,
            repeat=asked.repeat,
            escalate_after=asked.escalate.after,
            escalate_features=asked.escalate.features,
            escalate_to=asked.escalate.severity,
            features=len(features),
            importance={name: f.importance for name, f in features.items() if f.importance is not None},
        )
