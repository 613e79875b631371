"""`anchorwatch retrain`."""

from __future__ import annotations

import json as to_json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from anchorwatch.cli.orders import ConfigArgument, JsonOption, opened, settings_of

if TYPE_CHECKING:
    from anchorwatch.store.stages import StageRow

app = typer.Typer(
    help="Report what becomes of a retrain trigger, and list what became of them.",
    rich_markup_mode=None,
    no_args_is_help=True,
)


@app.command()
def report(
    retraining: Annotated[str, typer.Argument(help="The trigger's id, or its idempotency key.")],
    config: Annotated[str, typer.Argument(help="The configuration that names broker and topic.")],
    *,
    status: Annotated[str, typer.Option("--status", help="acknowledged, running, succeeded, failed or cancelled.")],
    version: Annotated[str, typer.Option("--version", help="The model version that came of it.")] = "",
    model: Annotated[str, typer.Option("--model", help="The model, where there are several.")] = "",
    time: Annotated[str, typer.Option("--time", help="Event time, ISO 8601. Default: now.")] = "",
    by: Annotated[str, typer.Option("--by", help="Who reports it, for `retrain list`.")] = "",
) -> None:
    """Tell the daemon how far a retraining is, on the topic `inputs.retrain_status`.

    Reporting something twice does no harm. Exit code 0: the broker has it; 2: there is no such status; 3: the
    configuration names no topic for it; 4: the broker cannot be used.
    """
    from anchorwatch.clock import SystemClock
    from anchorwatch.reporting import report as told
    from anchorwatch.settings.loader import load

    settings = load(Path(config), os.environ)
    told(settings, SystemClock(), retraining, status, version=version, model=model, time=time, by=by)
    typer.echo(f"reported: {retraining} {status}{f', version {version}' if version else ''}")


@app.command("list")
def list_(
    config: ConfigArgument,
    *,
    trigger: Annotated[
        str | None, typer.Option("--trigger", help="Only what became of the trigger of this id.")
    ] = None,
    model: Annotated[str | None, typer.Option("--model", help="Only those of this model.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="So many lines at most.")] = 20,
    json: JsonOption = False,
) -> None:
    """List how far retrainings came, the newest first: what was reported of them, and what nobody had to report.

    Reads the store only. Each status of a trigger is there once, when it first counted, in event time.
    """
    with opened(settings_of(config)) as reader:
        stages = reader.stages(model=model, trigger=trigger, limit=limit)
    if json:
        typer.echo(to_json.dumps([_plain(stage) for stage in stages], ensure_ascii=False))
        return
    for stage in stages:
        typer.echo(_line(stage))


def _plain(stage: StageRow) -> dict[str, object]:
    from anchorwatch.cli.model_status import iso

    return {
        "at": iso(stage.at),
        "model": stage.model,
        "policy": stage.policy,
        "incident": stage.incident,
        "trigger": stage.trigger,
        "status": stage.status,
        "version": stage.version or None,
        "by": stage.by or None,
    }


def _line(stage: StageRow) -> str:
    said = _plain(stage)
    version = f", version {stage.version}" if stage.version else ""
    by = f", says {stage.by}" if stage.by else ""
    whose = f"{stage.model}, policy {stage.policy}, incident {stage.incident}"
    return f"{said['at']} {whose}: {stage.status}{version}{by} ({stage.trigger})"
