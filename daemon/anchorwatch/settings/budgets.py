"""False-alarm budgets: so many alarms per length of event time, or per number of predictions."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated

from pydantic import PlainSerializer, PlainValidator, WithJsonSchema

from anchorwatch.settings.units import format_duration, parse_duration

FEWEST, MOST = 100, 10**15
_EVENTS = re.compile(r"([0-9][0-9_,]{0,24})\s*(?:events?|predictions?)")
_BUDGET = re.compile(r"([0-9]{1,6})\s+(?:per|in)\s+(.+)")
_HOW = "write so many alarms per time or per predictions, such as `1 per 30d` or `1 per 1000000 events`"


@dataclass(frozen=True, slots=True)
class Budget:
    """How many false alarms a model may have.

    Attributes
    ----------
    alarms
        So many, at least 1.
    events, time
        In how many predictions, or in how much event time (ns); the other one is None.
    """

    alarms: int
    events: int | None
    time: int | None


def parse_budget(value: object) -> Budget:
    """Return the budget that text says.

    Parameters
    ----------
    value
        Text such as `1 per 30d` or `1 per 1000000 events`, or a budget.

    Raises
    ------
    ValueError
        For anything else, with what to write instead.
    """
    if isinstance(value, Budget):
        return value
    match = _BUDGET.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is None:
        said = f"{value!r} is" if isinstance(value, str | int | float) else "this is"
        raise ValueError(f"{said} no budget of false alarms: {_HOW}")
    alarms, span = int(match[1]), match[2].strip()
    if alarms < 1:
        raise ValueError("no detector can promise that there is never a false alarm: allow 1, per a longer time")
    if re.fullmatch(r"[0-9][0-9_,]*", span):
        raise ValueError(f"{span} has no unit: write `{alarms} per {span} events` or `{alarms} per {span}d`")
    counted = _EVENTS.fullmatch(span)
    if counted is None:
        time = parse_duration(span)
        if time == 0:
            raise ValueError(f"`{value}` allows any number of false alarms: {_HOW}")
        return Budget(alarms, None, time)
    events = int(re.sub("[_,]", "", counted[1]))
    if not FEWEST * alarms <= events <= MOST:
        raise ValueError(
            f"a detector can be set to one false alarm in {FEWEST} to {MOST:,} predictions, not to {alarms} in "
            f"{events:,}: {_HOW}"
        )
    return Budget(alarms, events, None)


def format_budget(budget: Budget) -> str:
    """Return the text that `parse_budget` reads back as `budget`."""
    span = f"{budget.events} events" if budget.events is not None else format_duration(budget.time or 0)
    return f"{budget.alarms} per {span}"


FalseAlarms = Annotated[
    Budget,
    PlainValidator(parse_budget),
    PlainSerializer(format_budget),
    WithJsonSchema({"type": "string", "examples": ["1 per 30d", "1 per 1000000 events"]}),
]
"""A budget of false alarms, written as text."""
