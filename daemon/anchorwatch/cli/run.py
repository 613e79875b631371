"""`anchorwatch run`."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path
from typing import Annotated

import typer

from anchorwatch.errors import AnchorwatchError

ASKED_TWICE = 1.0
"""Seconds after which another signal means "at once"; `timeout` and some supervisors send the first one twice."""
GRACE = 8.0
"""Seconds that stopping may take where the broker keeps us waiting; supervisors kill after 10 or more."""


def run(
    config: Annotated[str, typer.Argument(help="The configuration, a YAML file.")],
    *,
    takeover: Annotated[
        bool, typer.Option("--takeover", help="Take the store from a process that holds it and hangs.")
    ] = False,
    reset: Annotated[
        list[str] | None, typer.Option("--reset", help="Begin this model anew; its history stays. May be repeated.")
    ] = None,
) -> None:
    """Watch the models of a configuration, until stopped by Ctrl-C or SIGTERM.

    What happens is written to standard error, one JSON object a line. Exit code 0: stopped as asked; 3: the
    configuration is wrong; 4: the broker or the store cannot be used.
    """
    from anchorwatch.app import Daemon
    from anchorwatch.clock import SystemClock
    from anchorwatch.settings.loader import load
    from anchorwatch.telemetry import Log

    stop, clock, log = threading.Event(), SystemClock(), Log()
    first: list[float] = []

    def asked(number: int, _frame: object) -> None:
        first.append(clock.monotonic())
        if len(first) == 1:  # no signal may come between another one and what it sets
            signal.setitimer(signal.ITIMER_REAL, GRACE)
            stop.set()
        elif first[-1] - first[0] > ASKED_TWICE:  # leave at once, the next start goes on from the last checkpoint
            os._exit(128 + number)

    def hung(_number: int, _frame: object) -> None:
        log.warning("stopped_waiting", seconds=GRACE, why="the next start goes on from the last checkpoint")
        os._exit(0)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, asked)
    signal.signal(signal.SIGALRM, hung)
    daemon = Daemon(load(Path(config), os.environ), clock, takeover=takeover, reset=reset or ())
    try:
        daemon.run(stop, log)
    except AnchorwatchError as error:
        log.failure("failed", error=type(error).__name__, exit_code=error.exit_code, why=str(error))
        raise typer.Exit(error.exit_code) from error
    signal.setitimer(signal.ITIMER_REAL, 0)
