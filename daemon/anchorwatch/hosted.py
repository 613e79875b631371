"""One model in the hands of a host."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import msgspec

from anchorwatch.decide.hushing import open_incidents
from anchorwatch.decide.orders import Given, obey, of_document
from anchorwatch.errors import StoreError

if TYPE_CHECKING:
    from anchorwatch.decide.orders import Obeyed
    from anchorwatch.engine.state import State
    from anchorwatch.engine.watch import Watch
    from anchorwatch.events.decode import Decoder
    from anchorwatch.events.records import Partition
    from anchorwatch.settings.models import EventTime
    from anchorwatch.store.orders import OrderRow


Hearer = Callable[[str, "Sequence[Obeyed]"], None]
"""Told a model's name and what became of people's orders to it."""


@dataclass(slots=True)
class Model:
    """One model in the hands of a host.

    Attributes
    ----------
    watch, decoder, topics, event_time
        What is watched, how its records are read, from which topics, and how event time goes.
    state, saved
        What is remembered now, and what was last written; None for nothing yet.
    statuses
        The topic among them on which retrainings are reported; None for none.
    idle
        Partitions that were not waited for at the last step.
    """

    watch: Watch
    decoder: Decoder
    topics: frozenset[str]
    event_time: EventTime
    state: State
    statuses: str | None = None
    saved: State | None = None
    idle: frozenset[Partition] = frozenset()

    @property
    def taken(self) -> int:
        """Number of the last of people's orders that was taken over."""
        return self.state.decisions.standing.taken

    def obey(self, given: Sequence[Given]) -> tuple[Obeyed, ...]:
        """Take orders over at the event time reached; those taken over before are passed by."""
        decisions = self.state.decisions
        standing, obeyed = obey(
            decisions.standing, self.watch.name, given, self.state.mark.frontier, open_incidents(decisions.alerts)
        )
        if obeyed:
            self.state = replace(self.state, decisions=msgspec.structs.replace(decisions, standing=standing))
        return obeyed


class Orders(Protocol):
    """What people ordered, by rising numbers."""

    def orders(self, after: int) -> list[OrderRow]:
        """Return the orders behind that number."""


def listen(models: Sequence[Model], orders: Orders, hear: Hearer | None) -> None:
    """Take over what people ordered since: a part of the states, so that each order counts exactly once.

    Raises
    ------
    StoreError
        Where an order is not one that this program knows.
    """
    rows = orders.orders(min((model.taken for model in models), default=0))
    try:
        given = [Given(row.number, row.model, of_document(row.document)) for row in rows]
    except msgspec.ValidationError as error:
        raise StoreError(
            f"an order in the store (a silence or an acknowledgement) cannot be read ({error}): a newer anchorwatch "
            "gave it, or the store was edited. Run that version, or put back a backup"
        ) from error
    for model in models if given else ():
        obeyed = model.obey(given)
        if obeyed and hear is not None:
            hear(model.watch.name, obeyed)
