"""`anchorwatch warm`."""

from __future__ import annotations

import typer

FAILED = 1
"""Exit code where there is no place to keep what was compiled."""


def warm() -> None:
    """Compile the loops of all detectors and learners, and keep them on disk, so that no stream waits for it.

    They are kept beside the installed package where it can be written, else under $XDG_CACHE_HOME; $NUMBA_CACHE_DIR
    comes before both. A daemon that finds nothing compiles what it needs itself, which takes seconds once.

    Exit code 0: all is kept; 1: there is no place that can be written.
    """
    from anchorwatch_detectors import registry, warming

    for name in registry.names("sequential"):
        warming.warm(registry.sequential(name))
        typer.echo(f"compiled {name}")
    warming.warm_learners()
    typer.echo("compiled what estimates a retraining")
    place = warming.place()
    if place is None:
        typer.echo(
            "nothing is kept: neither the installed package nor the user's cache folder can be written, so that every "
            "process compiles anew, which delays its first alarms by seconds; set NUMBA_CACHE_DIR to a folder",
            err=True,
        )
        raise typer.Exit(FAILED)
    typer.echo(f"kept in {place}")
