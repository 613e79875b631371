"""When a retraining is asked for, and what is expected of whoever is asked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BeforeValidator, Field, PlainSerializer, PlainValidator, WithJsonSchema

from anchorwatch.settings.names import Name
from anchorwatch.settings.section import Conflict, Section
from anchorwatch.settings.units import NS, Duration, Span, format_duration, parse_duration

if TYPE_CHECKING:
    from collections.abc import Iterator

Trouble = Literal[
    "schema", "quality", "drift", "prediction", "latency", "accuracy",
    "accuracy worse", "latency worse", "quality worse",
]  # fmt: skip

_QUOTA = re.compile(r"([0-9]{1,4})\s+(?:per|in)\s+(.+)")
_GAIN = re.compile(r"recovers\s+([0-9]{1,3}(?:\.[0-9]{1,6})?)\s+points?")


@dataclass(frozen=True, slots=True)
class Quota:
    """So many triggers in so much event time, ns."""

    triggers: int
    time: int


def parse_quota(value: object) -> Quota:
    """Return the quota that text such as `2 per 1d` says; raises ValueError with what to write instead."""
    if isinstance(value, Quota):
        return value
    match = _QUOTA.fullmatch(value.strip()) if isinstance(value, str) else None
    how = "write so many triggers per time, such as `2 per 1d`"
    if match is None:
        raise ValueError(f"{value!r} is no budget of triggers: {how}")
    quota = Quota(int(match[1]), parse_duration(match[2].strip()))
    if not quota.triggers or not quota.time:
        raise ValueError(f"`{value}` is no limit, or allows no trigger at all: {how}")
    return quota


def format_quota(quota: Quota) -> str:
    """Return the text that `parse_quota` reads back as `quota`."""
    return f"{quota.triggers} per {format_duration(quota.time)}"


def parse_gain(value: object) -> float:
    """Return the points that text such as `recovers 5 points` says; raises ValueError with what to write instead."""
    match = _GAIN.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None or float(match[1]) > 100:
        raise ValueError(
            f"{value!r} is no condition: write `recovers 5 points`, for a retraining that is estimated to gain five "
            "hundredths of the metric (0 to 100 points)"
        )
    return float(match[1])


def format_gain(points: float) -> str:
    """Return the text that `parse_gain` reads back as `points`."""
    return f"recovers {points:g} points"


TriggerQuota = Annotated[
    Quota,
    PlainValidator(parse_quota),
    PlainSerializer(format_quota),
    WithJsonSchema({"type": "string", "examples": ["2 per 1d"]}),
]
"""A budget of triggers, written as text."""

Gain = Annotated[
    float,
    PlainValidator(parse_gain),
    PlainSerializer(format_gain),
    WithJsonSchema({"type": "string", "examples": ["recovers 5 points"]}),
]
"""A least gain in points, written as text."""


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


class Retrain(Section):
    """When a retraining is asked for: at most once per incident."""

    name: Name = Field("default", description="Name of the policy, part of the trigger's id.")
    when: Annotated[
        list[Trouble],
        BeforeValidator(_listed, json_schema_input_type=Trouble | list[Trouble]),
        Field(min_length=1),
    ] = Field(description="Kinds of alerts that ask for it, one or a list; `accuracy worse` leaves improvements out.")
    severity: Literal["info", "warning", "critical"] = Field(
        "info", description="Only alerts of this severity or above ask for it; info: any."
    )
    for_: Duration = Field(
        0, alias="for", description="Only alerts that have been firing for so much event time ask for it; 0s: at once."
    )
    min_labels: Annotated[int, Field(ge=0, le=1_000_000_000)] = Field(
        500, description="Labelled predictions since the change that must be there to train on; 0: none are needed."
    )
    cooldown: Duration = Field(NS["d"], description="Event time between two triggers of this policy; 0s: none.")
    budget: TriggerQuota | None = Field(
        None, description="So many triggers of this policy per event time at most, such as `2 per 7d`; null: no limit."
    )
    only_if: Gain | None = Field(
        None,
        description="Only where a retraining is estimated to gain so much, such as `recovers 5 points` (hundredths of "
        "the metric, for values of the model's error), at the worse end of the estimate's interval; null: whatever it "
        "gains.",
    )
    timeout: Span = Field(
        NS["d"],
        description="A retraining that was asked for and has not ended keeps the model's policies quiet for so long; "
        "where `inputs.retrain_status` is read.",
    )
    quiet_after_version: Duration = Field(
        NS["h"], description="Event time after a new version took over in which nothing is asked for; 0s: none."
    )
    acknowledge_within: Span = Field(
        NS["h"],
        description="Event time after which a trigger that nobody acknowledged is an alert; where "
        "`inputs.retrain_status` is read.",
    )
    delivery: Literal["at_most_once", "at_least_once"] = Field(
        "at_most_once",
        description="at_least_once: a trigger that nobody acknowledged is published again, with the same id, until it "
        "expires: for consumers that know an id they have seen.",
    )
    expires: Span = Field(12 * NS["h"], description="How long a trigger is worth acting on.")
    dry_run: bool = Field(
        default=False, description="Publish the trigger marked as a dry run: nobody should act on it."
    )

    def conflicts(self) -> Iterator[Conflict]:
        """Yield a limit that the cooldown already keeps."""
        if self.budget is not None and self.cooldown * self.budget.triggers >= self.budget.time:
            yield Conflict(
                ("budget",),
                f"with a cooldown of {format_duration(self.cooldown)} there are never more than "
                f"{format_quota(self.budget)}: shorten `cooldown`, or leave `budget` out",
            )
