"""Silences: alerts that match one go through their life as always, and nobody is told."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Self

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

LABELS = ("alertname", "model", "version", "segment", "kind", "subject", "monitor", "severity")
"""Labels of an alert that a matcher may name."""

_MATCHER = re.compile(r"(?P<name>[^=!~]+?)\s*(?P<operator>=~|!~|!=|=)\s*(?P<value>.*)", re.DOTALL)


class Matcher(msgspec.Struct, frozen=True):
    """What one label must be like; a label that an alert does not have is empty.

    Attributes
    ----------
    name
        One of `LABELS`.
    operator
        "=" and "!=" compare, "=~" and "!~" want a regular expression to match the whole value, or not to.
    value
        What it is compared with.
    """

    name: str
    operator: str
    value: str

    @classmethod
    def of_text(cls, text: str) -> Self:
        """Read "kind=drift", "subject!=amount", "segment=~country=(DE|CH)"; raises ValueError with what is wrong."""
        found = _MATCHER.fullmatch(text.strip())
        if found is None:
            raise ValueError(f"{text!r} is no matcher: write name=value, name!=value, name=~regex or name!~regex")
        matcher = cls(**found.groupdict())
        if matcher.name not in LABELS:
            raise ValueError(f"alerts have no label {matcher.name!r}; they have {', '.join(LABELS)}")
        if matcher.operator.endswith("~"):
            try:
                re.compile(matcher.value)
            except re.error as error:
                raise ValueError(f"{matcher.value!r} in {text!r} is no regular expression: {error}") from error
        return matcher

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether an alert with these labels is meant."""
        value = labels.get(self.name, "")
        same = re.fullmatch(self.value, value) is not None if self.operator.endswith("~") else value == self.value
        return same != self.operator.startswith("!")

    def __str__(self) -> str:
        return f"{self.name}{self.operator}{self.value}"


class Silence(msgspec.Struct, frozen=True):
    """A silence in force.

    Attributes
    ----------
    id
        The number of the order that began it.
    matchers
        All of them must match; at least one.
    since, until
        Event time reached when the model took it over, and the event time at which it is over; ns since the epoch.
    comment, by
        Why, and who.
    retrain
        Whether alerts under it ask for no retraining either.
    """

    id: int
    matchers: tuple[Matcher, ...]
    since: int
    until: int
    comment: str
    by: str
    retrain: bool = False

    def covers(self, labels: Mapping[str, str], at: int) -> bool:
        """Whether an alert with these labels is silenced at an event time."""
        return at < self.until and all(matcher.matches(labels) for matcher in self.matchers)
