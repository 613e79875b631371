"""`anchorwatch retrain`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Report what becomes of a retrain trigger.", rich_markup_mode=None, no_args_is_help=True)


@app.command()
def report(
    retraining: Annotated[str, typer.Argument(help="The trigger's id, or its idempotency key.")],
    config: Annotated[str, typer.Argument(help="The configuration that names broker and topic.")],
    *,
    status: Annotated[str, typer.Option("--status", help="acknowledged, running, succeeded, failed or cancelled.")],
    version: Annotated[str, typer.Option("--version", help="The model version that came of it.")] = "",
    model: Annotated[str, typer.Option("--model", help="The model, where there are several.")] = "",
    time: Annotated[str, typer.Option("--time", help="Event time, ISO 8601. Default: now.")] = "",
) -> None:
    """Tell the daemon how far a retraining is, on the topic `inputs.retrain_status`.

    Reporting something twice does no harm. Exit code 0: the broker has it; 2: there is no such status; 3: the
    configuration names no topic for it; 4: the broker cannot be used.
    """
    from anchorwatch.clock import SystemClock
    from anchorwatch.reporting import report as told
    from anchorwatch.settings.loader import load

    settings = load(Path(config), os.environ)
    told(settings, SystemClock(), retraining, status, version=version, model=model, time=time)
    typer.echo(f"reported: {retraining} {status}{f', version {version}' if version else ''}")
