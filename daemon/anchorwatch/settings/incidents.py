"""When alerts are one incident, when it is told again, and when an alert flaps."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from anchorwatch.settings.section import Section
from anchorwatch.settings.units import NS, Duration, Span


class Flapping(Section):
    """An alert that comes and goes is told once as flapping, and held until it has been quiet."""

    times: Annotated[int, Field(ge=2, le=100)] = Field(
        3, description="The firing that makes so many within `within` is told as flapping."
    )
    within: Span = Field(NS["d"], description="Event time within which firings are counted.")
    quiet: Span = Field(6 * NS["h"], description="Event time without trouble before a flapping alert resolves.")


class Escalation(Section):
    """An incident that lasts, or spreads, becomes louder."""

    after: Span | None = Field(
        None, description="Event time since it opened after which it is louder; null: lasting alone makes none so."
    )
    features: Annotated[float, Field(gt=0, le=1)] | None = Field(
        None, description="Share of the model's features that drifted from which on it is louder; null: none."
    )
    severity: Literal["warning", "critical"] = Field("critical", description="How loud it becomes.")


class Incidents(Section):
    """The alerts of one model that share a time and a cause are told together."""

    together: Span | None = Field(
        None,
        description="An alert belongs to an open incident of its version if its trouble began within so much event "
        "time after the incident's last alert. Default: 1d, or how long labels are waited for if that is longer.",
    )
    gather: Duration = Field(
        10 * NS["m"],
        description="Event time between two tellings of an incident, unless it became louder; 0s: none.",
    )
    repeat: Span | None = Field(
        7 * NS["d"],
        description="An open incident in which trouble goes on is told again so much event time after it was told "
        "last, unless it is acknowledged or silenced; null: never.",
    )
    escalate: Escalation = Field(
        default_factory=Escalation, description="When an incident becomes louder than its alerts; by default never."
    )
