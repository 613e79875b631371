"""`anchorwatch check`."""

from __future__ import annotations

import json as to_json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from anchorwatch.cli.connect import Report
    from anchorwatch.settings.loader import Examined, Finding
    from anchorwatch.settings.models import Settings

WRONG = 3
"""Exit code of a configuration that is wrong."""


def check(
    config: Annotated[str, typer.Argument(help="The configuration, a YAML file.")],
    *,
    explain: Annotated[
        bool, typer.Option("--explain", help="Print every setting in effect, defaults too, as YAML.")
    ] = False,
    connect: Annotated[
        bool, typer.Option("--connect", help="Also ask the broker and the store whether all that is named is there.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object instead of text.")] = False,
) -> None:
    """Check a configuration: everything that is wrong, each with its place as file:line:column.

    Exit code 0: fine; 3: the configuration is wrong; 4: with --connect, the broker or the store is not fit.
    """
    from anchorwatch.settings.loader import examine

    examined = examine(Path(config), os.environ)
    reports = _connect(examined.settings) if connect and examined.settings is not None else []
    if json:
        typer.echo(to_json.dumps(_as_json(config, examined, reports, explain=explain), ensure_ascii=False))
    else:
        _print(config, examined, reports, explain=explain)
    if examined.settings is None:
        raise typer.Exit(WRONG)
    codes = [report.exit_code for report in reports if report.exit_code]
    if codes:
        raise typer.Exit(max(codes))


def _connect(settings: Settings) -> list[Report]:
    from anchorwatch.cli.connect import ask

    return ask(settings)


def _print(config: str, examined: Examined, reports: list[Report], *, explain: bool) -> None:
    from anchorwatch.settings.summary import summarise

    if examined.settings is None:
        for finding in examined.findings:
            typer.echo(str(finding), err=True)
        count = len(examined.findings)
        typer.echo(f"\n{count} {'thing is' if count == 1 else 'things are'} wrong with {config}.", err=True)
        return
    if explain:
        typer.echo(_explained(examined.settings), nl=False)
    else:
        typer.echo(f"ok: {config}\n\n{summarise(examined.settings)}" + "\n" * bool(reports))
    for report in reports:
        verdict = "ok" if report.exit_code == 0 else "not ok"
        typer.echo(f"{verdict}: {report.subject}: {report.message}", err=explain or report.exit_code != 0)


def _explained(settings: Settings) -> str:
    from anchorwatch.settings.explain import to_yaml

    return to_yaml(settings, "beside", lambda _name: '"***"')


def _as_json(config: str, examined: Examined, reports: list[Report], *, explain: bool) -> dict[str, Any]:
    document: dict[str, Any] = {
        "config": config,
        "ok": examined.settings is not None and not any(report.exit_code for report in reports),
        "problems": [_finding(finding) for finding in examined.findings],
    }
    if reports:
        document["connect"] = [
            {"subject": report.subject, "ok": report.exit_code == 0, "message": report.message} for report in reports
        ]
    if explain and examined.settings is not None:
        document["explain"] = _explained(examined.settings)
    return document


def _finding(finding: Finding) -> dict[str, Any]:
    line, column = finding.place or (None, None)
    return {"file": finding.file, "line": line, "column": column, "message": finding.message}
