"""`anchorwatch status`: what the store says about a daemon, running or not."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from anchorwatch.cli import figures
from anchorwatch.cli.model_status import iso, models
from anchorwatch.cli.open_incidents import lines_of
from anchorwatch.clock import SystemClock
from anchorwatch.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from anchorwatch.store.reader import Reader

SHOWN = 3  # retrainings of a model in the table


def status(
    configuration: Annotated[str | None, typer.Argument(help="Configuration that names the store.")] = None,
    store: Annotated[str | None, typer.Option(help="Path of the store. Default: anchorwatch.db.")] = None,
    max_age: Annotated[
        str | None, typer.Option(help="Exit 1 where the last sign of life is older than this, such as 60s.")
    ] = None,
    *,
    json: Annotated[bool, typer.Option("--json", help="Write one JSON object.")] = False,
) -> None:
    """Show how far the daemon has come, which incidents are open and what waits to be published.

    Reads the store only, so it works beside a running daemon, and serves as a health check with --max-age.
    """
    from anchorwatch.store.reader import Reader

    limit = None if max_age is None else _duration(max_age)
    with Reader.open_reader(_path(configuration, store)) as reader:
        report = describe(reader, SystemClock().now())
    healthy = limit is None or report["age_seconds"] * 1e9 <= limit
    if json:
        import msgspec

        typer.echo(msgspec.json.format(msgspec.json.encode(report)))
    else:
        _show(report)
    if not healthy:
        typer.echo(f"no sign of life for {report['age_seconds']:.0f} s, longer than {max_age}", err=True)
        raise typer.Exit(1)


def describe(reader: Reader, now: int) -> dict[str, Any]:
    """Return what the store says at this moment, ready for JSON; ages in seconds, times ISO 8601 in UTC.

    Parameters
    ----------
    reader
        The store.
    now
        Wall time, ns since the epoch.
    """
    with reader.snapshot():
        progress = reader.progress()
        return {
            "store": {"path": str(reader.path), "id": reader.id, "bytes": reader.size()},
            "holder": {
                "name": progress.holder,
                "host": progress.host,
                "pid": progress.pid,
                "since": iso(progress.since),
                "epoch": progress.epoch,
            },
            "age_seconds": (now - progress.alive) / 1e9,
            "checkpoint": {"number": progress.number, "at": iso(progress.checkpoint)},
            "heartbeat": iso(progress.heartbeat),
            "outbox": reader.outbox_size(),
            "positions": [
                {"topic": p.topic, "partition": p.number, "offset": offset} for p, offset in reader.positions().items()
            ],
            "models": models(reader),
        }


def _show(report: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    checkpoint, holder, console = report["checkpoint"], report["holder"], Console()
    facts = Table.grid(padding=(0, 2))
    facts.add_row("store", f"{report['store']['path']} ({report['store']['bytes']:,} bytes)")
    facts.add_row("last sign of life", f"{report['age_seconds']:.1f} s ago")
    facts.add_row("last checkpoint", f"{checkpoint['at'] or 'none yet'} (number {checkpoint['number']})")
    facts.add_row("last writer", f"{holder['name']}, process {holder['pid']} on {holder['host']}, {holder['since']}")
    facts.add_row("waiting to be published", f"{report['outbox']:,}")
    for place in report["positions"]:
        facts.add_row("next to read", f"{place['topic']}/{place['partition']} at {place['offset']:,}")
    for model in report["models"]:
        facts.add_row(f"records of {model['model']}", _counted(model["accounting"]))
        for what, told in _state_of(model):
            facts.add_row(f"{what} of {model['model']}", told)
    console.print(facts, highlight=False, markup=False)
    if not report["models"]:
        return
    table = Table("model", "incidents", "firing", "pending", "last trigger", "baselines", "state")
    for model in report["models"]:
        trigger = model["last_trigger"]
        table.add_row(
            escape(model["model"]),
            str(len(model["incidents"])),
            str(model["firing"]),
            str(model["pending"]),
            "none" if trigger is None else escape(f"{trigger['at']} {trigger['policy']} ({trigger['reason']})"),
            str(model["baselines"]),
            f"{model['state_bytes']:,} bytes in {model['state_parts']} parts",
        )
    console.print(table)
    for said, found in figures.shown({model["model"]: model["accuracy"] for model in report["models"]}):
        console.print(said, markup=False, highlight=False, soft_wrap=True)
        if found is not None:
            console.print(found)
    for model in report["models"]:
        for line in lines_of(model["incidents"]):
            console.print(line, highlight=False, markup=False, soft_wrap=True)


def _told(retraining: dict[str, Any]) -> str:
    new = retraining["new_version"]
    became = "" if new is None else f", version {new}, {'serving' if retraining['took_over'] else 'awaited'}"
    return (
        f"{retraining['idempotency_key']}: {retraining['status']} since {retraining['since']}{became} "
        f"(incident {retraining['incident']}, version {retraining['version']})"
    )


def _state_of(model: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what else is to be told of a model, each with its title."""
    for retraining in model["retrainings"][:SHOWN]:
        yield "retraining", _told(retraining)
    for held in model["held_back"]:
        where = f"policy {held['policy']}, incident {held['incident']}"
        yield "retraining", f"held back: {held['reason']}, from {held['labelled']:,} labels since the change ({where})"
    for silence in model["silences"]:
        what = f"{', '.join(silence['matchers'])} until {silence['until']} ({silence['by']}: {silence['comment']})"
        yield f"silence {silence['id']}", what
    for each in model["acknowledged"]:
        yield f"incident {each['incident']}", f"acknowledged ({each['by']}: {each['comment']})"
    for each in model["comparisons"]:
        yield "versions", _compared(each)


def _compared(found: dict[str, Any]) -> str:
    """Say how a version does beside another."""
    who = f"{found['version']} against {found['against']}: {found['verdict']}"
    if found["decided"] is not None:
        decided = found["decided"]
        who += f" by {100 * decided['difference']:+.2f} points over {decided['predictions']:,} predictions"
    if found["difference"] is None:
        return who
    more = "not to be told how many" if found["needed"] is None else f"about {found['needed']:,}"
    return (
        f"{who}; since then {100 * found['difference']:+.2f} points "
        f"({100 * found['low']:.2f} to {100 * found['high']:.2f}) over {found['predictions']:,}, {more} more needed"
    )


def _counted(accounting: dict[str, int]) -> str:
    counted = ", ".join(f"{accounting.get(name, 0):,} {name}" for name in ("predictions", "labels", "matched"))
    return f"{counted}, {sum(n for name, n in accounting.items() if name.startswith('dead_')):,} dead"


def _path(configuration: str | None, store: str | None) -> Path:
    if store is not None and configuration is not None:
        raise UsageError("give the configuration or --store, not both: which store is meant?")
    if store is not None:
        return Path(store)
    if configuration is None:
        from anchorwatch.settings.models import Settings

        return Path(Settings.model_fields["store"].default)
    from anchorwatch.settings.loader import load

    return Path(load(Path(configuration), os.environ).store)


def _duration(text: str) -> int:
    from anchorwatch.settings.units import parse_duration

    try:
        return parse_duration(text)
    except ValueError as error:
        raise UsageError(f"--max-age: {error}") from error
