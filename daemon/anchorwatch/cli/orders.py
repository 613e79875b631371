"""What the commands share that give orders to a daemon: which store, who, and what became of earlier orders."""

from __future__ import annotations

import getpass
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from anchorwatch.clock import SystemClock
from anchorwatch.decide.instants import rfc3339
from anchorwatch.decide.orders import BeginSilence, EndSilence, as_document, of_document
from anchorwatch.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from anchorwatch.decide.orders import Order, Standing
    from anchorwatch.settings.models import Settings
    from anchorwatch.store.reader import Reader

ConfigArgument = Annotated[str, typer.Argument(help="The configuration, a YAML file.")]
CommentOption = Annotated[str, typer.Option("--comment", help="Why, for whoever looks later.")]
ByOption = Annotated[str | None, typer.Option("--by", help="Who. Default: the user who runs this.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document instead of text.")]


def settings_of(configuration: str) -> Settings:
    """Return the settings in a file."""
    from anchorwatch.settings.loader import load

    return load(Path(configuration), os.environ)


def opened(settings: Settings) -> Reader:
    """Open the store of a configuration for reading; raises StoreError where there is none."""
    from anchorwatch.store.reader import Reader

    return Reader.open_reader(Path(settings.store))


def give(settings: Settings, model: str, order: Order) -> int:
    """Put an order into the store, also beside a running daemon; return its number."""
    from anchorwatch.store.curator import Curator

    now = SystemClock().now()
    with Curator.open_curator(Path(settings.store), holder="an order", now=now) as curator:
        return curator.give_order(model, as_document(order), now=now)


def who(by: str | None) -> str:
    """Return who gives an order.

    Raises
    ------
    UsageError
        Where that is not known.
    """
    if by is not None:
        return by
    try:
        return getpass.getuser()
    except (KeyError, OSError) as error:
        raise UsageError("this machine does not say who you are: give --by NAME") from error


def said(comment: str) -> str:
    """Return a comment; raises UsageError where it says nothing."""
    if not comment.strip():
        raise UsageError("--comment is empty: say why, for whoever looks later")
    return comment


@dataclass(frozen=True, slots=True)
class Known:
    """A silence as it stands: its order, and which models have it in force.

    Attributes
    ----------
    number, order
        The order that began it.
    state
        "waiting" (no daemon has taken it over), "active" or "over".
    models
        Those in which it is active.
    """

    number: int
    order: BeginSilence
    state: str
    models: tuple[str, ...]

    def to_plain(self) -> dict[str, Any]:
        """Return it ready for JSON."""
        return {
            "id": self.number,
            "state": self.state,
            "matchers": [str(matcher) for matcher in self.order.matchers],
            "until": rfc3339(self.order.until),
            "comment": self.order.comment,
            "by": self.order.by,
            "retrain": self.order.retrain,
            "models": list(self.models),
        }


def standing_of(reader: Reader) -> dict[str, Standing]:
    """Return the orders in force of every model that has a state."""
    from anchorwatch.engine.saved import saved_standing

    heads = {model: reader.part(model, "head") for model in reader.models()}
    return {model: saved_standing(head) for model, head in heads.items() if head is not None}


def silences(reader: Reader) -> list[Known]:
    """Return every silence there ever was, the newest first."""
    with reader.snapshot():
        standing = standing_of(reader)
        given = {row.number: of_document(row.document) for row in reader.orders()}
    ended = {order.silence for order in given.values() if isinstance(order, EndSilence)}
    return [
        _known(number, order, standing, ended=number in ended)
        for number, order in sorted(given.items(), reverse=True)
        if isinstance(order, BeginSilence)
    ]


def _known(number: int, order: BeginSilence, standing: Mapping[str, Standing], *, ended: bool) -> Known:
    models = tuple(name for name, each in standing.items() if number in {silence.id for silence in each.silences})
    taken = any(number <= each.taken for each in standing.values())
    state = "active" if models else "over" if taken or ended else "waiting"
    return Known(number, order, state, models)
