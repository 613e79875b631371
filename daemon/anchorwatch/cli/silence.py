"""`anchorwatch silence`."""

from __future__ import annotations

import json as to_json
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from anchorwatch.cli.orders import (
    ByOption,
    CommentOption,
    ConfigArgument,
    JsonOption,
    give,
    opened,
    said,
    settings_of,
    silences,
    who,
)
from anchorwatch.clock import SystemClock
from anchorwatch.decide.instants import readable
from anchorwatch.decide.orders import BeginSilence, EndSilence
from anchorwatch.decide.silences import Matcher
from anchorwatch.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

app = typer.Typer(
    help="Silence alerts for a while: they go on as always, and nobody is told.",
    rich_markup_mode=None,
    no_args_is_help=True,
)


@app.command()
def add(
    config: ConfigArgument,
    *,
    match: Annotated[
        list[str],
        typer.Option(
            "--match",
            help="A label that must fit: name=value, name!=value, name=~regex, name!~regex. Several: all must fit.",
        ),
    ],
    comment: CommentOption,
    length: Annotated[str | None, typer.Option("--for", help="How long from now, such as 2h or 3d.")] = None,
    until: Annotated[str | None, typer.Option("--until", help="When it ends, ISO 8601 with an offset or Z.")] = None,
    retrain: Annotated[bool, typer.Option("--retrain", help="What is silenced asks for no retraining either.")] = False,
    by: ByOption = None,
    json: JsonOption = False,
) -> None:
    """Begin a silence; a running daemon takes it over within a second or two.

    It ends when event time reaches its end. An alert that fires under it goes into the history; it is told when it
    still fires behind the end. The end of an alert that was told before is told.
    """
    matchers, now = _matchers(match), SystemClock().now()
    end = _end(length, until, now)
    if end <= now:
        raise UsageError(f"a silence until {readable(end)} would be over already")
    settings = settings_of(config)
    models = [m for m in settings.models if all(x.matches({"model": m}) for x in matchers if x.name == "model")]
    if not models:
        raise UsageError(f"none of the models {', '.join(settings.models)} fits the matchers")
    opened(settings).close()  # a store that is not there is not made by an order
    order = BeginSilence(tuple(matchers), end, said(comment), who(by), retrain)
    number = give(settings, "", order)
    if json:
        typer.echo(to_json.dumps({"id": number}))
    else:
        typer.echo(f"silence {number} until {readable(end)}: {', '.join(map(str, matchers))}")


@app.command("list")
def list_(
    config: ConfigArgument,
    *,
    everything: Annotated[bool, typer.Option("--all", help="Also those that are over.")] = False,
    json: JsonOption = False,
) -> None:
    """List silences, the newest first."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    with opened(settings_of(config)) as reader:
        known = [each for each in silences(reader) if everything or each.state != "over"]
    if json:
        typer.echo(to_json.dumps([each.to_plain() for each in known]))
        return
    table = Table("id", "state", "what", "until", "who", "why")
    for each in known:
        what = ", ".join(map(str, each.order.matchers))
        table.add_row(
            str(each.number),
            each.state,
            escape(what),
            readable(each.order.until),
            *map(escape, (each.order.by, each.order.comment)),
        )
    Console().print(table)


@app.command()
def expire(
    config: ConfigArgument,
    silence: Annotated[int, typer.Argument(help="Id of the silence, as `silence list` shows it.")],
    *,
    comment: Annotated[str, typer.Option("--comment", help="Why.")] = "",
    by: ByOption = None,
) -> None:
    """End a silence before its time."""
    settings = settings_of(config)
    with opened(settings) as reader:
        there = {each.number: each.state for each in silences(reader)}
    if silence not in there:
        raise UsageError(f"there is no silence {silence}: see `anchorwatch silence list {config}`")
    if there[silence] == "over":
        raise UsageError(f"silence {silence} is over already")
    give(settings, "", EndSilence(silence, who(by), comment))
    typer.echo(f"silence {silence} ended")


def _matchers(texts: Sequence[str]) -> list[Matcher]:
    try:
        return [Matcher.of_text(text) for text in texts]
    except ValueError as error:
        raise UsageError(f"--match: {error}") from error


def _end(length: str | None, until: str | None, now: int) -> int:
    """Return when a silence ends, in ns since the epoch."""
    from anchorwatch.settings.units import parse_duration

    if (length is None) == (until is None):
        raise UsageError("say how long: --for 2h, or --until 2026-05-01T12:00:00Z; one of them")
    try:
        if length is not None:
            return now + parse_duration(length)
        at = datetime.fromisoformat(until or "")
    except ValueError as error:
        raise UsageError(f"{'--until' if length is None else '--for'}: {error}") from error
    if at.tzinfo is None:
        raise UsageError(f"--until {until} has no offset: write it with Z or such as +02:00")
    return int(at.timestamp()) * 10**9
