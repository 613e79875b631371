"""anchorwatch as its users run it: a configuration, a store on disk, and a process that is started, asked and ended."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anchorwatch.cli.status import describe
from anchorwatch.clock import SystemClock
from anchorwatch.store.reader import Reader

if TYPE_CHECKING:
    import signal

COMMAND = (sys.executable, "-c", "from anchorwatch.cli.main import main; main()")


@dataclass(frozen=True)
class Watch:
    """One configuration in a directory of its own.

    Attributes
    ----------
    directory
        Where configuration, store and what the daemon says are kept.
    settings
        The configuration; JSON is YAML too.
    """

    directory: Path
    settings: dict[str, Any]

    @property
    def config(self) -> Path:
        """Return the configuration as a file."""
        path = self.directory / "anchorwatch.yaml"
        path.write_text(json.dumps(self.settings), encoding="utf-8")
        return path

    @property
    def store(self) -> Path:
        """Return where the store is."""
        return Path(self.settings["store"])

    def call(self, command: str, *arguments: str, timeout: float = 120.0) -> subprocess.CompletedProcess[str]:
        """Run a command on the configuration to its end."""
        line = [*COMMAND, command, str(self.config), *arguments]
        return subprocess.run(line, capture_output=True, text=True, timeout=timeout, check=False)

    @contextmanager
    def running(self):
        """Start the daemon; at the end of the block it is killed where it is still there."""
        with self.said.open("ab") as said:
            process = subprocess.Popen([*COMMAND, "run", str(self.config)], stdout=said, stderr=said)
        try:
            yield process
        finally:
            process.kill()
            process.wait()

    @property
    def said(self) -> Path:
        """Return the file with all that the daemon has said."""
        return self.directory / "said.txt"

    def report(self) -> dict[str, Any] | None:
        """Return what `anchorwatch status` shows; None while there is no store."""
        if not self.store.exists():
            return None
        with Reader.open_reader(self.store) as reader:
            return describe(reader, SystemClock().now())

    def reached(self) -> int:
        """Return how many records are behind the last checkpoint, all partitions together."""
        report = self.report()
        return 0 if report is None else sum(place["offset"] for place in report["positions"])

    def finished(self, records: int) -> bool:
        """Whether all records of the log are taken, none waits for others, and all messages are out."""
        report = self.report()
        if report is None or sum(place["offset"] for place in report["positions"]) < records or report["outbox"]:
            return False
        counts = [model["accounting"] for model in report["models"]]
        return not any(count["pending_predictions"] + count["pending_labels"] for count in counts)

    def wait(self, process: subprocess.Popen[bytes], reached: Any, seconds: float = 120.0) -> None:
        """Wait until `reached()` is true; fails where the daemon ends before, or it takes too long."""
        deadline = time.monotonic() + seconds
        while not reached():
            assert process.poll() is None, f"the daemon ended with {process.returncode}: {self.tail()}"
            assert time.monotonic() < deadline, f"not reached in {seconds} s: {self.report()}\n{self.tail()}"
            time.sleep(0.02)

    def tail(self) -> str:
        """Return the last of what the daemon said."""
        return self.said.read_text(encoding="utf-8", errors="replace")[-3000:]


def ended(process: subprocess.Popen[bytes], by: signal.Signals) -> tuple[int, float]:
    """End a process by a signal; return its exit code and the seconds it took."""
    asked = time.monotonic()
    process.send_signal(by)
    return process.wait(30), time.monotonic() - asked
