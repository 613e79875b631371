"""`anchorwatch status`: what the store says about a daemon, running or not."""

from __future__ import annotations

import os
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from anchorwatch.cli.open_incidents import lines_of, open_incidents
from anchorwatch.clock import SystemClock
from anchorwatch.decide.orders import Standing
from anchorwatch.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from anchorwatch.store.reader import Reader
    from anchorwatch.store.rows import TriggerRow

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
                "since": _iso(progress.since),
                "epoch": progress.epoch,
            },
            "age_seconds": (now - progress.alive) / 1e9,
            "checkpoint": {"number": progress.number, "at": _iso(progress.checkpoint)},
            "heartbeat": _iso(progress.heartbeat),
            "outbox": reader.outbox_size(),
            "positions": [
                {"topic": p.topic, "partition": p.number, "offset": offset} for p, offset in reader.positions().items()
            ],
            "models": _models(reader),
        }


def _models(reader: Reader) -> list[dict[str, Any]]:
    states = {state.model: state for state in reader.states()}
    alerts = Counter((alert.model, alert.status) for alert in reader.current_alerts())
    silenced = Counter(alert.model for alert in reader.current_alerts(status="firing") if alert.reason == "silenced")
    baselines = Counter(entry.model for entry in reader.baselines())
    names = sorted({*states, *baselines, *(model for model, _ in alerts)})
    return [
        {
            "model": name,
            "state_parts": states[name].parts if name in states else 0,
            "state_bytes": states[name].size if name in states else 0,
            "accounting": _accounting(reader, name),
            "incidents": open_incidents(reader, name),
            "firing": alerts[name, "firing"],
            "pending": alerts[name, "pending"],
            "silenced": silenced[name],
            **_standing(reader, name),
            "comparisons": _comparisons(reader, name),
            "baselines": baselines[name],
            "last_trigger": _trigger(next(iter(reader.triggers(model=name, limit=1)), None)),
            "retrainings": _retrainings(reader, name),
        }
        for name in names
    ]


def _accounting(reader: Reader, model: str) -> dict[str, int]:
    """Return what became of every record of a model, as of the last checkpoint; {} before the first."""
    from anchorwatch.engine.saved import saved_accounting

    head = reader.part(model, "head")
    return {} if head is None else saved_accounting(head)


def _standing(reader: Reader, model: str) -> dict[str, list[dict[str, Any]]]:
    """Return the silences of a model that are in force, and the incidents that somebody is at work on."""
    from anchorwatch.engine.saved import saved_standing

    head = reader.part(model, "head")
    standing = Standing() if head is None else saved_standing(head)
    return {
        "silences": [
            {
                "id": silence.id,
                "matchers": [str(matcher) for matcher in silence.matchers],
                "until": _iso(silence.until),
                "by": silence.by,
                "comment": silence.comment,
                "retrain": silence.retrain,
            }
            for silence in standing.silences
        ],
        "acknowledged": [
            {"incident": each.incident, "by": each.by, "comment": each.comment} for each in standing.acknowledged
        ],
    }


def _comparisons(reader: Reader, model: str) -> list[dict[str, Any]]:
    """Return how versions of a model that are held against each other stand."""
    parts = {name: reader.part(model, name) for name in ("rivals", "rollouts")}
    if not any(parts.values()):
        return []
    from anchorwatch.engine.compared import described

    found = described({name: part for name, part in parts.items() if part is not None})
    for each in found:
        if each["decided"] is not None:
            each["decided"]["at"] = _iso(each["decided"]["at"])
    return found


def _retrainings(reader: Reader, model: str) -> list[dict[str, Any]]:
    """Return the retrainings of a model as of the last checkpoint, the newest first."""
    from anchorwatch.engine.saved import saved_retrainings

    head = reader.part(model, "head")
    return [
        {
            "id": kept["id"],
            "idempotency_key": kept["key"],
            "policy": kept["policy"],
            "incident": kept["incident"],
            "version": kept["version"],
            "requested": _iso(kept["requested_at"]),
            "status": kept["progress"],
            "since": _iso(kept["changed_at"]),
            "new_version": kept["becomes"] or None,
            "took_over": _iso(kept["served_at"]),
        }
        for kept in ([] if head is None else saved_retrainings(head))
    ]


def _trigger(row: TriggerRow | None) -> dict[str, Any] | None:
    if row is None:
        return None
    return {"id": row.id, "policy": row.policy, "incident": row.incident, "at": _iso(row.at), "reason": row.reason}


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


def _iso(at: int | None) -> str | None:
    return None if at is None else datetime.fromtimestamp(at / 1e9, UTC).isoformat(timespec="seconds")
