"""`anchorwatch version`."""

from __future__ import annotations

import json as to_json
import platform
import sqlite3
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from typing import Annotated

import typer

_STANDS_ON = ("river", "kafka-python", "numpy")


def version(
    *,
    json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Show the versions of anchorwatch and of what it stands on."""
    found = versions()
    if json:
        typer.echo(to_json.dumps(found))
        return
    width = max(map(len, found))
    for name, number in found.items():
        typer.echo(f"{name:{width}}  {number}")


def versions() -> dict[str, str]:
    """Return the versions that a bug report needs, by name; nothing is imported to learn them."""
    return {
        "anchorwatch": _number("anchorwatch"),
        "python": platform.python_version(),
        **{name: _number(name) for name in _STANDS_ON},
        "sqlite": sqlite3.sqlite_version,
    }


def _number(distribution: str) -> str:
    try:
        return installed(distribution)
    except PackageNotFoundError:
        return "not installed"
