"""What is watched of how much comes: predictions, and labels."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from anchorwatch.settings.alerting import Alerting, CriticalAlerting
from anchorwatch.settings.section import Section
from anchorwatch.settings.units import NS, Duration

_Share = Annotated[float, Field(gt=0, lt=1)]
_Count = Annotated[int, Field(ge=100, le=1_000_000_000)]


class Volume(Section):
    """How many predictions come, held against how many came in the baseline."""

    enabled: bool = Field(default=True, description="Whether it watches at all; false switches it off.")
    smallest_drop: _Share = Field(
        0.5,
        description="Part of the usual predictions that must be missing, and fewer must come than ever did in a "
        "like span of the baseline.",
    )
    silence: _Count = Field(
        500,
        description="Event time without a prediction in which the baseline would have brought so many is told at once.",
    )
    rise: bool = Field(
        default=False, description="Whether more than twice the usual is told too; off, as bursts are no trouble."
    )
    covers: Duration = Field(
        2 * NS["d"],
        description="Event time that a baseline must cover before anything but silence is told: a shorter one does not "
        "know the night.",
    )
    alert: CriticalAlerting = Field(
        default_factory=lambda: Alerting(severity="critical"), description="When verdicts become an alert."
    )


class LabelFeed(Section):
    """Whether labels come, and how late, held against the baseline."""

    enabled: bool = Field(default=True, description="Whether it watches at all; false switches it off.")
    smallest_effect: _Share = Field(
        0.1,
        description="Fall of the share of labelled predictions that is worth knowing, and rise of the share of labels "
        "that are later than half (and nine tenths) of the baseline's.",
    )
    silence: _Count = Field(
        200, description="Event time without a label in which the baseline would have brought so many is told at once."
    )
    alert: Alerting = Field(default_factory=Alerting, description="When verdicts become an alert.")
