"""Write docs/commands.md from the commands themselves: `make docs`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from anchorwatch.cli.main import app

if TYPE_CHECKING:
    from collections.abc import Iterator

WIDTH = 100
HEAD = """# Commands

Written by `make docs` from the commands themselves; `anchorwatch COMMAND --help` says the same.
"""


def sections(command: Any, name: str, parent: typer.Context | None = None) -> Iterator[str]:
    """Yield a section of Markdown for a command, then those of its sub-commands."""
    context = typer.Context(command, info_name=name, parent=parent, terminal_width=WIDTH, max_content_width=WIDTH)
    yield f"## `{context.command_path}`\n\n```text\n{command.get_help(context).rstrip()}\n```\n"
    if hasattr(command, "list_commands"):
        for each in command.list_commands(context):
            yield from sections(command.get_command(context, each), each, context)


if __name__ == "__main__":
    page = "\n".join([HEAD, *sections(app(), "anchorwatch")])
    if sys.argv[1:] == ["-"]:
        sys.stdout.write(page)
    else:
        Path(__file__).with_name("commands.md").write_text(page, encoding="utf-8")
