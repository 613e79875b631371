"""How the difference between two replays is shown to people."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from anchorwatch.comparison.differences import Difference
    from anchorwatch.comparison.side_by_side import SideBySide


def print_comparison(found: SideBySide) -> None:
    """Print a line for each difference, in the order of time, and a table with the counts of each model."""
    from rich.console import Console
    from rich.table import Table

    from anchorwatch.comparison.differences import Change
    from anchorwatch.comparison.told import What

    console = Console(highlight=False)
    changed = [d for d in found.comparison.differences if d.change is not Change.SAME]
    for difference in changed:
        console.print(_line(difference), markup=False, soft_wrap=True)
    if changed:
        console.print()
    for line in _one_sided(found):
        console.print(line, markup=False, soft_wrap=True)
    table = Table("told", "first", "second", *(change.value for change in Change), box=None, padding=(0, 2, 0, 0))
    for name in found.comparison.models:
        for what in What:
            counts = found.comparison.counts(name, what)
            first = sum(counts.values()) - counts[Change.GAINED]
            second = sum(counts.values()) - counts[Change.LOST]
            table.add_row(f"{name}: {what.value}s", *(str(n) for n in (first, second, *counts.values())))
    console.print(table)


def _line(difference: Difference) -> str:
    told, shift = difference.told, difference.shift
    start = f"{told.at:%Y-%m-%d %H:%M:%S}  {difference.change.value:<8}  {told.what.value:<8}  "
    if difference.first is None or difference.second is None:
        return f"{start}{told.summary}"
    if shift:
        apart = f"{_lasting(abs(shift))} and {abs(difference.predictions or 0):,} predictions {difference.change.value}"
        return f"{start}{apart}: {told.summary}"
    return f"{start}{difference.first.severity}, now {difference.second.severity}: {told.summary}"


def _one_sided(found: SideBySide) -> list[str]:
    """Return a line for each configuration that has models or topics which the other one has not."""
    sides = (
        ("first", found.comparison.only_first, found.only_first),
        ("second", found.comparison.only_second, found.only_second),
    )
    lines = []
    for side, models, topics in sides:
        if models:
            lines.append(f"only in the {side} configuration, so not compared: models {', '.join(models)}")
        if topics:
            lines.append(f"read by the {side} configuration alone: topics {', '.join(topics)}")
    return lines


def _lasting(span: timedelta) -> str:
    from anchorwatch.decide.instants import lasting

    return lasting(span // timedelta(microseconds=1) * 1000)
