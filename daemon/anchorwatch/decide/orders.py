"""Orders of people to the decisions about a model: silence alerts, end a silence, acknowledge an incident.

An order bears the number that the store gave it. A model remembers the last number it has taken over, in the same
state that the orders change, so that each counts exactly once, whatever crashes.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from anchorwatch.decide.silences import Matcher, Silence

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence


class BeginSilence(msgspec.Struct, frozen=True, tag="silence", tag_field="order", forbid_unknown_fields=True):
    """Silence what matches until an event time (ns since the epoch); see `Silence`."""

    matchers: tuple[Matcher, ...]
    until: int
    comment: str
    by: str
    retrain: bool = False


class EndSilence(msgspec.Struct, frozen=True, tag="expire", tag_field="order", forbid_unknown_fields=True):
    """End a silence, named by the number of the order that began it."""

    silence: int
    by: str
    comment: str = ""


class Acknowledge(msgspec.Struct, frozen=True, tag="acknowledge", tag_field="order", forbid_unknown_fields=True):
    """Say that somebody is at work on an incident."""

    incident: int
    comment: str
    by: str


Order = BeginSilence | EndSilence | Acknowledge


class Given(NamedTuple):
    """An order with its number, and the model it is meant for; "" is every model."""

    number: int
    model: str
    order: Order


class OrderReason(enum.StrEnum):
    """What became of an order; a closed set.

    SILENCE_BEGUN
        Alerts that match are silenced from now on.
    SILENCE_OVER
        Its end lies before the event time reached: there is nothing left to silence.
    SILENCE_ENDED
        A silence was ended before its time.
    NO_SUCH_SILENCE
        The silence to be ended is over already, or never concerned this model.
    ACKNOWLEDGED
        Alerts of the incident are not repeated any more.
    INCIDENT_NOT_OPEN
        No alert of that incident is firing.
    ANOTHER_MODEL
        It is not meant for this model.
    """

    SILENCE_BEGUN = "silence_begun"
    SILENCE_OVER = "silence_over"
    SILENCE_ENDED = "silence_ended"
    NO_SUCH_SILENCE = "no_such_silence"
    ACKNOWLEDGED = "acknowledged"
    INCIDENT_NOT_OPEN = "incident_not_open"
    ANOTHER_MODEL = "another_model"


class Acknowledgement(msgspec.Struct, frozen=True):
    """Somebody is at work on an incident, since an event time in ns."""

    incident: int
    comment: str
    by: str
    since: int


class Standing(msgspec.Struct, frozen=True):
    """Orders in force.

    Attributes
    ----------
    silences, acknowledged
        In the order in which they were given.
    taken
        Number of the last order that was taken over; 0 for none.
    """

    silences: tuple[Silence, ...] = ()
    acknowledged: tuple[Acknowledgement, ...] = ()
    taken: int = 0

    def silenced(self, labels: Mapping[str, str], at: int) -> bool:
        """Whether nobody is to be told of an alert with these labels at an event time."""
        return any(silence.covers(labels, at) for silence in self.silences)

    def unfit(self, labels: Mapping[str, str], at: int) -> bool:
        """Whether an alert with these labels is not to ask for a retraining either."""
        return any(silence.retrain and silence.covers(labels, at) for silence in self.silences)

    def knows(self, incident: int) -> bool:
        """Whether an incident is acknowledged."""
        return any(each.incident == incident for each in self.acknowledged)

    def current(self, reached: int, incidents: Collection[int]) -> Standing:
        """Return what is still in force at an event time, while these incidents are open."""
        if not (self.silences or self.acknowledged):
            return self
        return msgspec.structs.replace(
            self,
            silences=tuple(silence for silence in self.silences if reached < silence.until),
            acknowledged=tuple(each for each in self.acknowledged if each.incident in incidents),
        )


class Obeyed(NamedTuple):
    """What became of an order."""

    number: int
    reason: OrderReason


def obey(
    standing: Standing, model: str, given: Sequence[Given], at: int, incidents: Collection[int]
) -> tuple[Standing, tuple[Obeyed, ...]]:
    """Take orders over, in the order of their numbers; those taken over before are passed by.

    Parameters
    ----------
    standing
        What is in force.
    model
        Whose decisions these are.
    given
        Orders by rising number.
    at
        Event time reached, ns since the epoch.
    incidents
        Numbers of the open incidents of the model.
    """
    obeyed = []
    for each in given:
        if each.number <= standing.taken:
            continue
        if each.model in {"", model}:
            standing, reason = _obey(standing, model, each, at, incidents)
        else:
            reason = OrderReason.ANOTHER_MODEL
        standing = msgspec.structs.replace(standing, taken=each.number)
        obeyed.append(Obeyed(each.number, reason))
    return standing, tuple(obeyed)


def _obey(
    standing: Standing, model: str, given: Given, at: int, incidents: Collection[int]
) -> tuple[Standing, OrderReason]:
    order = given.order
    if isinstance(order, BeginSilence):
        return _begin(standing, model, given.number, order, at)
    if isinstance(order, EndSilence):
        left = tuple(silence for silence in standing.silences if silence.id != order.silence)
        ended = len(left) < len(standing.silences)
        reason = OrderReason.SILENCE_ENDED if ended else OrderReason.NO_SUCH_SILENCE
        return msgspec.structs.replace(standing, silences=left), reason
    if order.incident not in incidents:
        return standing, OrderReason.INCIDENT_NOT_OPEN
    others = tuple(each for each in standing.acknowledged if each.incident != order.incident)
    mine = Acknowledgement(order.incident, order.comment, order.by, at)
    return msgspec.structs.replace(standing, acknowledged=(*others, mine)), OrderReason.ACKNOWLEDGED


def _begin(standing: Standing, model: str, number: int, order: BeginSilence, at: int) -> tuple[Standing, OrderReason]:
    if not all(matcher.matches({"model": model}) for matcher in order.matchers if matcher.name == "model"):
        return standing, OrderReason.ANOTHER_MODEL
    if order.until <= at:
        return standing, OrderReason.SILENCE_OVER
    silence = Silence(number, order.matchers, at, order.until, order.comment, order.by, order.retrain)
    return msgspec.structs.replace(standing, silences=(*standing.silences, silence)), OrderReason.SILENCE_BEGUN


def as_document(order: Order) -> bytes:
    """Return an order as JSON."""
    return msgspec.json.encode(order)


def of_document(document: bytes) -> Order:
    """Return the order that `as_document` wrote; raises msgspec.ValidationError if it is not one."""
    order: Order = msgspec.json.decode(document, type=Order)
    return order
