"""`anchorwatch ack`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from anchorwatch.cli.chosen import model_of
from anchorwatch.cli.orders import ByOption, CommentOption, ConfigArgument, give, opened, said, settings_of, who
from anchorwatch.decide.orders import Acknowledge
from anchorwatch.errors import UsageError

if TYPE_CHECKING:
    from anchorwatch.store.reader import Reader


def ack(
    config: ConfigArgument,
    model: Annotated[str, typer.Argument(help="The model.")],
    incident: Annotated[int, typer.Argument(help="Number of the incident, as alerts and `status` show it.")],
    *,
    comment: CommentOption,
    by: ByOption = None,
) -> None:
    """Say that somebody is at work on an incident: its alerts are not repeated until it is over.

    Alerts that join the incident are told all the same, and so is its end.
    """
    settings = settings_of(config)
    name = model_of(settings, model)
    with opened(settings) as reader:
        _require_open(reader, name, incident)
    give(settings, name, Acknowledge(incident, said(comment), who(by)))
    typer.echo(f"incident {incident} of {name} acknowledged")


def _require_open(reader: Reader, model: str, incident: int) -> None:
    firing = reader.current_alerts(model=model, status="firing")
    there = sorted({alert.incident for alert in firing if alert.incident is not None})
    if incident not in there:
        known = f"open: {', '.join(map(str, there))}" if there else "none is open"
        raise UsageError(f"{model} has no open incident {incident}: {known}")
