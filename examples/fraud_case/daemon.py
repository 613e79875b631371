"""`anchorwatch run` as a process of its own, asked and ended as its operator would."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

COMMAND = (sys.executable, "-c", "from anchorwatch.cli.main import main; main()")
CONFIGURATION = Path(__file__).with_name("fraud.yaml")


class Daemon:
    """The daemon on the topics of a run.

    Parameters
    ----------
    directory
        Where its store and what it says are kept.
    environment
        What the configuration takes from the environment.
    """

    def __init__(self, directory: Path, environment: Mapping[str, str]) -> None:
        self.said = directory / "said.txt"
        self._environment = os.environ | environment | {"FRAUD_CASE_STORE": str(directory / "anchorwatch.db")}
        self._log: IO[bytes] | None = None

    def __enter__(self) -> Self:
        """Check the configuration and start."""
        checked = self._call("check", str(CONFIGURATION))
        if checked.returncode:
            raise SystemExit(f"anchorwatch does not take {CONFIGURATION.name}:\n{checked.stderr or checked.stdout}")
        self._log = self.said.open("ab")
        line = [*COMMAND, "run", str(CONFIGURATION)]
        self._process = subprocess.Popen(line, stdout=self._log, stderr=self._log, env=self._environment)
        return self

    def __exit__(self, *_: object) -> None:
        """Kill it where it is still there."""
        self._process.kill()
        self._process.wait()
        if self._log is not None:
            self._log.close()

    def end(self) -> int:
        """Ask it to end; return its exit code."""
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(30)

    def status(self) -> dict[str, Any] | None:
        """Return what `anchorwatch status` says; None while there is no store yet."""
        done = self._call("status", str(CONFIGURATION), "--json")
        return json.loads(done.stdout) if done.returncode == 0 else None

    def wait(self, records: int, seconds: float = 90.0) -> dict[str, Any]:
        """Wait until so many records are taken and everything there was to tell is published; return the status."""
        deadline = time.monotonic() + seconds
        while True:
            status = self.status()
            if status and sum(place["offset"] for place in status["positions"]) >= records and not status["outbox"]:
                return status
            if self._process.poll() is not None:
                raise SystemExit(f"the daemon ended with {self._process.returncode}:\n{self._tail()}")
            if time.monotonic() > deadline:
                raise SystemExit(f"the daemon did not take {records} records within {seconds:.0f} s:\n{self._tail()}")
            time.sleep(0.2)

    def _call(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        line = [*COMMAND, *arguments]
        return subprocess.run(line, capture_output=True, text=True, env=self._environment, timeout=60, check=False)

    def _tail(self) -> str:
        return self.said.read_text(encoding="utf-8", errors="replace")[-3000:]
