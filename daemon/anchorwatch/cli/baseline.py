"""`anchorwatch baseline`."""

from __future__ import annotations

import json as to_json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from anchorwatch.cli.chosen import ModelOption, VersionOption, baseline_of, model_of, read, write
from anchorwatch.cli.log_source import FileOption, FromOption, KafkaOption, ToOption, files, kafka_range, require_one
from anchorwatch.errors import UsageError

if TYPE_CHECKING:
    from anchorwatch.engine.baseline import Baseline
    from anchorwatch.engine.cycles import Found

app = typer.Typer(help="Build, list, show, compare and carry baselines.", rich_markup_mode=None, no_args_is_help=True)

StoreOption = Annotated[str, typer.Option("--store", help="Path of the store.")]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON document instead of text.")]
Reference = Annotated[str, typer.Argument(help="Id, its beginning, a name, or a file that was exported.")]
DEFAULT_STORE = "anchorwatch.db"
SHOWN = 6  # columns with a cycle that are named


@app.command()
def build(
    config: Annotated[str, typer.Argument(help="The configuration, a YAML file.")],
    *,
    model: ModelOption = None,
    version: VersionOption = None,
    file: FileOption = None,
    kafka: KafkaOption = False,
    start: FromOption = None,
    stop: ToOption = None,
    name: Annotated[str | None, typer.Option("--name", help="Name to give it, for `baseline: {name: ...}`.")] = None,
    output: Annotated[
        str | None, typer.Option("--output", help="Write it to this JSON file, not to the store.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Build a baseline from all rows of a log, and put it into the store of the configuration.

    Labels are optional; with them the baseline knows how often the model is wrong. Where rows follow a cycle of the
    day or the week it says so, and what to set; it sets nothing by itself.
    """
    from anchorwatch.app import topics_of
    from anchorwatch.baselines import build as built
    from anchorwatch.clock import SystemClock
    from anchorwatch.history import baseline_row
    from anchorwatch.settings.loader import load
    from anchorwatch.store.curator import Curator

    settings = load(Path(config), os.environ)
    chosen, clock = model_of(settings, model), SystemClock()
    require_one(file, kafka=kafka)
    if output and name:
        raise UsageError("--name names a baseline in the store, --output writes it to a file: choose one")
    topics, needed = topics_of(settings.models[chosen]), {settings.models[chosen].predictions.topic}
    source = kafka_range(settings, topics, start, stop, clock) if kafka else files(file or [], topics, needed, clock)
    try:
        baseline, accounting, cycles, season = built(settings, chosen, source, clock, version)
    finally:
        source.close()
    if output:
        write(Path(output), baseline)
    else:
        with Curator.open_curator(Path(settings.store), holder="baseline build", now=clock.now()) as store:
            store.add_baselines([baseline_row(baseline, clock.now())])
            if name:
                store.promote(name, baseline.id, now=clock.now())
    if json:
        plain = {"cycles": [found._asdict() for found in cycles], "proposed_season": season}
        typer.echo(to_json.dumps({"id": baseline.id, "name": name, "accounting": accounting, **plain}))
        return
    typer.echo(_facts(baseline))
    for line in _cycles(cycles, season, chosen):
        typer.echo(line)
    dead = sum(n for key, n in accounting.items() if key.startswith("dead_"))
    if dead:
        typer.echo(f"{dead:,} records could not be used and are not in it", err=True)


@app.command("list")
def list_(
    *,
    store: StoreOption = DEFAULT_STORE,
    model: ModelOption = None,
    json: JsonOption = False,
) -> None:
    """List the baselines of a store, newest first."""
    from rich.console import Console
    from rich.table import Table

    from anchorwatch.decide.instants import readable
    from anchorwatch.store.reader import Reader

    with Reader.open_reader(Path(store)) as reader:
        entries = reader.baselines(model=model)
    if json:
        plain = [{slot: getattr(entry, slot) for slot in entry.__slots__} for entry in entries]
        typer.echo(to_json.dumps(plain))
        return
    table = Table("id", "model", "version", "rows", "from", "to", "names")
    for entry in entries:
        span = ["" if at is None else readable(at) for at in (entry.start, entry.end)]
        table.add_row(entry.id, entry.model, entry.version, f"{entry.rows:,}", *span, ", ".join(entry.names))
    Console().print(table)


@app.command()
def show(
    reference: Reference, *, store: StoreOption = DEFAULT_STORE, model: ModelOption = None, json: JsonOption = False
) -> None:
    """Show what a baseline says of every column, and where it comes from."""
    from anchorwatch.baselines import described
    from anchorwatch.engine.baseline import profile_of

    baseline = baseline_of(reference, store, model)
    if json:
        typer.echo(baseline.to_json())
        return
    typer.echo(_facts(baseline))
    for part in (baseline.predictions, baseline.outcomes):
        if part is not None:
            typer.echo("")
        for name, plain in part.columns.items() if part is not None else ():
            typer.echo(f"  {name}: {described(profile_of(plain))}")


@app.command()
def diff(
    before: Reference,
    after: Reference,
    *,
    store: StoreOption = DEFAULT_STORE,
    model: ModelOption = None,
    json: JsonOption = False,
) -> None:
    """Show how two baselines differ, the most different column first; the distance is from 0 (same) to 1."""
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from anchorwatch.baselines import difference

    rows = difference(baseline_of(before, store, model), baseline_of(after, store, model))
    if json:
        plain = [{**r._asdict(), "distance": None if r.distance != r.distance else r.distance} for r in rows]
        typer.echo(to_json.dumps(plain))
        return
    table = Table("column", "distance", "before", "after")
    for row in rows:
        table.add_row(escape(row.column), f"{row.distance:.3f}", escape(row.before), escape(row.after))
    Console().print(table)


@app.command()
def export(
    reference: Reference,
    output: Annotated[str, typer.Argument(help="The JSON file to write.")],
    *,
    store: StoreOption = DEFAULT_STORE,
    model: ModelOption = None,
) -> None:
    """Write a baseline to a JSON file, to carry it elsewhere."""
    baseline = baseline_of(reference, store, model)
    write(Path(output), baseline)
    typer.echo(f"{baseline.id} written to {output}")


@app.command("import")
def import_(
    file: Annotated[str, typer.Argument(help="A file that `export` or `build --output` wrote.")],
    *,
    store: StoreOption = DEFAULT_STORE,
    name: Annotated[str | None, typer.Option("--name", help="Name to give it.")] = None,
) -> None:
    """Put a baseline from a JSON file into a store."""
    from anchorwatch.clock import SystemClock
    from anchorwatch.history import baseline_row
    from anchorwatch.store.curator import Curator

    baseline, now = read(Path(file)), SystemClock().now()
    with Curator.open_curator(Path(store), holder="baseline import", now=now) as curator:
        curator.add_baselines([baseline_row(baseline, now)])
        if name:
            curator.promote(name, baseline.id, now=now)
    typer.echo(_facts(baseline))


@app.command()
def promote(
    reference: Reference,
    name: Annotated[str, typer.Argument(help="The name.")],
    *,
    store: StoreOption = DEFAULT_STORE,
    model: ModelOption = None,
) -> None:
    """Give a baseline a name; a daemon that was told that name compares with it from its next start."""
    from anchorwatch.clock import SystemClock
    from anchorwatch.store.curator import Curator

    baseline, now = baseline_of(reference, store, model), SystemClock().now()
    with Curator.open_curator(Path(store), holder="baseline promote", now=now) as curator:
        curator.promote(name, baseline.id, now=now)
    typer.echo(f"{name} is {baseline.id}")


def _cycles(cycles: list[Found], season: str | None, model: str) -> list[str]:
    """Say which columns follow a cycle, and what to set."""
    lines = []
    for cycle in ("day", "week"):
        mine = [f"{found.column} ({found.strength:.0%} of its variance)" for found in cycles if found.cycle == cycle]
        more = f" and {len(mine) - SHOWN} more columns" if len(mine) > SHOWN else ""
        if mine:
            lines.append(f"{'cycle':<12} of the {cycle}: {', '.join(mine[:SHOWN])}{more}")
    if season is not None:
        lines.append(
            f"{'':<12} to compare like with like, set `season: {season}` in models.{model}.baseline, build anew"
        )
    return lines


def _buckets(baseline: Baseline) -> str:
    seasons = [part.season for part in (baseline.predictions, baseline.outcomes) if part is not None and part.season]
    return f"{baseline.cycle}, in {' and '.join(str(max(season.buckets) + 1) for season in seasons)} buckets"


def _facts(baseline: Baseline) -> str:
    from anchorwatch.decide.instants import readable

    lines: list[tuple[str, Any]] = [
        ("id", baseline.id),
        ("model", baseline.model),
        ("version", baseline.version or "-"),
    ]
    for title, part in (("predictions", baseline.predictions), ("labelled", baseline.outcomes)):
        if part is not None:
            lines.append((title, f"{part.rows:,} rows, {readable(part.start)} to {readable(part.end)}"))
            lines.append(("", f"data {part.fingerprint[:16]}"))
    if baseline.cycle:
        lines.append(("season", _buckets(baseline)))
    if baseline.extends:
        lines.append(("extends", baseline.extends))
    lines.append(("made by", f"anchorwatch {baseline.code}, configuration {baseline.configuration[:16]}"))
    return "\n".join(f"{title:<12} {text}" for title, text in lines)
