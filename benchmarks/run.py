"""Runs benchmarks: `python benchmarks/run.py [NAME]`; each writes results/NAME.json, and all a table.

A benchmark is a file here with a function `measure` that returns measurements.
"""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.measurement import Measurement


def names() -> list[str]:
    """Return the benchmarks there are."""
    files = sorted((ROOT / "benchmarks").glob("*.py"))
    return [file.stem for file in files if "\ndef measure(" in file.read_text(encoding="utf-8")]


def main(wanted: Sequence[str]) -> int:
    """Run the benchmarks named, or all; return the exit code."""
    unknown = sorted(set(wanted) - set(names()))
    if unknown:
        print(f"there is no benchmark {', '.join(unknown)}; there are {', '.join(names())}", file=sys.stderr)
        return 2
    for name in wanted or names():
        found = importlib.import_module(f"benchmarks.{name}").measure()
        write(name, found)
        show(found)
    return 0


def write(name: str, found: Sequence[Measurement], directory: Path = RESULTS) -> Path:
    """Write measurements as JSON; return where."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / f"{name}.json"
    path.write_text(json.dumps([each._asdict() for each in found], indent=1) + "\n", encoding="utf-8")
    return path


def show(found: Sequence[Measurement]) -> None:
    """Print measurements as a table."""
    from rich.console import Console
    from rich.table import Table

    table = Table("what", "anchorwatch", "against", "theirs", "unit", "times better", "rounds")
    for each in found:
        values = f"{each.value:,.6g}", each.against["name"], f"{each.against['value']:,.6g}", each.unit
        table.add_row(each.name, *values, f"{each.ratio:.2f}", str(len(each.rounds)))
    Console(width=140).print(table)


if __name__ == "__main__":
    sys.path[0] = str(ROOT)  # not this directory: benchmarks/kafka.py is no client for Kafka
    sys.exit(main(sys.argv[1:]))
