"""The command `anchorwatch`: finds the command that is asked for, and turns what it raises into an exit code.

A command is a file of this package, imported only when it is asked for, with a function of the same name that typer
reads; a command with sub-commands is a file with a `typer.Typer` called `app`. It is announced by one line in
`COMMANDS`.
"""

from __future__ import annotations

import importlib
import sys
import traceback
from typing import TYPE_CHECKING, Any, Final, NoReturn

import typer
import typer.main
from typer.core import TyperGroup

from anchorwatch.errors import AnchorwatchError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

COMMANDS: Final = {
    "run": "Watch the models of a configuration, until stopped.",
    "replay": "Run the same watch over a file, or over a part of the Kafka log.",
    "demo": "See it work on made-up traffic with planted faults; needs no Kafka.",
    "simulate": "Write made-up fraud traffic to Kafka, to try a daemon on.",
    "check": "Check a configuration: everything that is wrong, with its place.",
    "baseline": "Build, list, show, compare and carry baselines.",
    "calibrate": "Simulate false alarms, and find the one level that meets the budget.",
    "evaluate": "Judge detectors, or a configuration, where the changes are known.",
    "silence": "Silence alerts for a while, list silences, end one.",
    "ack": "Say that somebody is at work on an incident: it is not repeated.",
    "retrain": "Report what becomes of a retrain trigger.",
    "status": "Show what the store of a daemon holds and how far it has come.",
    "warm": "Compile the loops of all detectors ahead of time, and keep them on disk.",
    "version": "Show the versions of anchorwatch and of what it stands on.",
}
"""Commands in the order of the help, with what they do in a line."""

_ABOUT = "The lookout for models in production: drift, accuracy and data quality from Kafka streams."
_CODES = (
    "Exit codes: 0 fine, 1 a check failed, 2 wrong usage, 3 wrong configuration, 4 broker or store not usable, "
    "5 no data, 70 a bug, 130 interrupted."
)
_BUG = 70
_INTERRUPTED = 130


class Commands(TyperGroup):
    """A group whose commands are imported one by one, when they are asked for."""

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ARG002 - the signature is click's
        """Return the names of all commands."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ARG002 - the signature is click's
        """Import a command; None if there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"anchorwatch.cli.{cmd_name}")
        return _group_of(cmd_name, module).commands[cmd_name]

    def format_commands(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - the signature is click's
        """Write the commands into the help without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def invoke(self, ctx: Any) -> Any:
        """Run the command; an error raised on purpose is told in its own words and gives its exit code."""
        try:
            return super().invoke(ctx)
        except AnchorwatchError as error:
            typer.echo(str(error), err=True)
            raise typer.Exit(error.exit_code) from error
        except KeyboardInterrupt as interrupt:
            typer.echo("interrupted", err=True)
            raise typer.Exit(_INTERRUPTED) from interrupt


def _group_of(name: str, module: ModuleType) -> TyperGroup:
    """Return a group that holds just this command, as typer makes it."""
    parent = typer.Typer(add_completion=False, rich_markup_mode=None)
    if function := getattr(module, name, None):
        parent.command(name, help=function.__doc__ and function.__doc__.partition("\n\nParameters\n")[0])(function)
    else:
        parent.add_typer(module.app, name=name)
    return typer.main.get_group(parent)


def app() -> Commands:
    """Return the whole command line, for tests and for documentation."""
    names: Any = dict.fromkeys(COMMANDS)  # known by name, so that a mistyped one finds its neighbour
    return Commands(
        name="anchorwatch", commands=names, help=_ABOUT, epilog=_CODES, no_args_is_help=True, rich_markup_mode=None
    )


def main(arguments: Sequence[str] | None = None, commands: Commands | None = None) -> NoReturn:
    """Run a command line and leave with its exit code.

    Parameters
    ----------
    arguments
        What follows `anchorwatch`; None takes it from the process.
    commands
        The command line; None is `app()`.
    """
    try:
        (commands or app()).main(args=None if arguments is None else list(arguments), prog_name="anchorwatch")
    except Exception as error:
        typer.echo(_bug_report(error), err=True)
        raise SystemExit(_BUG) from error
    sys.exit(0)


def _bug_report(error: Exception) -> str:
    """Say what happened in a few lines that can be sent to us."""
    from anchorwatch.cli.version import versions

    trace = "".join(traceback.format_exception(error)).rstrip()
    known = ", ".join(f"{name} {number}" for name, number in versions().items())
    return (
        f"{trace}\n\n"
        f"anchorwatch stopped because of a bug of its own: {type(error).__name__}: {error}\n"
        "What was checkpointed is safe. Please report this bug with the command you gave, the lines above and these "
        f"versions: {known}"
    )
