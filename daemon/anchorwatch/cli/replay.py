"""`anchorwatch replay`."""

from __future__ import annotations

import contextlib
import json as to_json
import os
import signal
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Self

import typer

from anchorwatch.cli.compared import print_comparison
from anchorwatch.cli.log_source import FileOption, FromOption, KafkaOption, ToOption, files, kafka_range, require_one
from anchorwatch.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from anchorwatch.clock import Clock
    from anchorwatch.comparison.side_by_side import SideBySide
    from anchorwatch.events.records import Source
    from anchorwatch.replay import Report
    from anchorwatch.settings.models import Settings
    from anchorwatch.store.reader import Reader


def replay(
    config: Annotated[str, typer.Argument(help="The configuration, a YAML file.")],
    *,
    file: FileOption = None,
    kafka: KafkaOption = False,
    start: FromOption = None,
    stop: ToOption = None,
    follow: Annotated[
        bool, typer.Option("--follow", help="With --file: go on with what is appended, until Ctrl-C.")
    ] = False,
    output: Annotated[
        str | None, typer.Option("--output", help="Write every message as a line into this directory as well.")
    ] = None,
    compare: Annotated[
        str | None,
        typer.Option(
            "--compare", metavar="OTHER", help="Run another configuration over the same log, and show the difference."
        ),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object instead of a table.")] = False,
) -> None:
    """Run the same watch over files, or over a part of the Kafka log, and show what it would have said.

    The store and the output topics of the configuration are not touched. With --compare both configurations are given
    the same records, from the broker of the first; shown is what the other one would have told in addition, earlier,
    later, or not at all.

    Exit code 0: done, whatever the difference; 2: wrong usage; 3: the configuration is wrong; 4: the broker cannot be
    used; 5: there was not one record.
    """
    from anchorwatch.app import status_topics, topics_of
    from anchorwatch.clock import SystemClock
    from anchorwatch.settings.kafka import Inputs
    from anchorwatch.settings.loader import load

    require_one(file, kafka=kafka)
    if compare is not None and (follow or output):
        raise UsageError("--compare reads a log to its end and writes no messages: leave --follow and --output away")
    given = [load(Path(path), os.environ) for path in (config, compare) if path is not None]
    clock = SystemClock()
    topics = frozenset[str]().union(*(topics_of(model) for each in given for model in each.models.values()))
    statuses = frozenset[str]().union(*(status_topics(each) for each in given))
    if kafka:
        source: Source = kafka_range(given[0], topics | statuses, start, stop, clock)
    else:
        source = files(file or [], topics | statuses, topics, clock, follow=follow)
    if not statuses & {partition.topic for partition in source.partitions()}:  # nobody is missed who is not in the log
        given = [each.model_copy(update={"inputs": Inputs()}) for each in given]
    with contextlib.ExitStack() as parts:
        parts.callback(source.close)
        if compare is not None:
            found = _compared(parts, (given[0], given[1]), source, clock)
            typer.echo(to_json.dumps(found.to_plain(), ensure_ascii=False)) if json else print_comparison(found)
            return
        report = _replayed(parts, given[0], source, clock, output, said=not json, follow=follow)
    if json:
        typer.echo(to_json.dumps(report.to_plain(), ensure_ascii=False))
    else:
        _print(report)


def _replayed(
    parts: contextlib.ExitStack,
    settings: Settings,
    source: Source,
    clock: Clock,
    output: str | None,
    *,
    said: bool,
    follow: bool,
) -> Report:
    """Replay one configuration; `said`: where the log is followed, each alert is printed when it is found."""
    from anchorwatch.replay import replay as run
    from anchorwatch.transport.jsonl_sink import JsonlSink

    baselines = _baselines(parts, settings)
    sink = JsonlSink(Path(output)) if output else None
    if sink is not None:
        parts.callback(sink.close)
    if follow:
        tell = typer.echo if said else None
        return run(settings, source, clock, sink=sink, baselines=baselines, tell=tell, until=_asked().is_set)
    progress = parts.enter_context(_Progress(source))
    return run(settings, source, clock, sink=sink, baselines=baselines, progress=progress.show)


def _compared(
    parts: contextlib.ExitStack, settings: tuple[Settings, Settings], source: Source, clock: Clock
) -> SideBySide:
    from anchorwatch.comparison.side_by_side import side_by_side

    baselines = (_baselines(parts, settings[0]), _baselines(parts, settings[1]))
    progress = parts.enter_context(_Progress(source))
    return side_by_side(settings, source, clock, baselines=baselines, progress=progress.show)


def _baselines(parts: contextlib.ExitStack, settings: Settings) -> Reader | None:
    """Return where baselines are looked up by name; None where none is named."""
    from anchorwatch.store.reader import Reader

    named = any(model.baseline.name for model in settings.models.values())
    return parts.enter_context(Reader.open_reader(Path(settings.store))) if named else None


def _asked() -> threading.Event:
    """Return what is set by Ctrl-C or SIGTERM."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop


class _Progress:
    """A bar with the time that is left, on a terminal only."""

    def __init__(self, source: Any) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

        self._source = source
        self._bar = Progress(
            TextColumn("replaying"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[records]:,} records, left:"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            transient=True,
        )
        self._bar.disable = not self._bar.console.is_terminal
        self._task = self._bar.add_task("replaying", records=0)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def show(self, records: int) -> None:
        """Move the bar."""
        done, total = self._source.progress()
        self._bar.update(self._task, completed=done, total=total or None, records=records)


def _incident_lines(report: Report) -> list[tuple[str, str]]:
    """Return (time to sort by, line) of each telling of an incident; the alerts it is made of stand within."""
    return [(told["time"].removesuffix("Z"), _incident_line(told["time"], told["data"])) for told in report.incidents]


def _incident_line(at: str, data: dict[str, Any]) -> str:
    which = f"incident {data['incident']}, {data['firing']} firing"
    return f"{at}  {data['status']:<8}  {which}: {data['annotations']['summary']}"


def _trigger_lines(report: Report) -> list[tuple[str, str]]:
    """Return (time to sort by, line) of each trigger."""
    return [
        (
            trigger["time"].removesuffix("Z"),
            (
                f"{trigger['time']}  retrain   {trigger['data']['model']}, policy {trigger['data']['policy']}, "
                f"incident {trigger['data']['incident']}, id {trigger['id']}"
            ),
        )
        for trigger in report.triggers
    ]


def _print(report: Report) -> None:
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False)
    for _, line in sorted([*_incident_lines(report), *_trigger_lines(report)], key=lambda told: told[0]):
        console.print(line, markup=False, soft_wrap=True)
    if report.incidents or report.triggers:
        console.print()
    table = Table("model", "predictions", "labels", "matched", "dead", "late", "incidents", "alerts", "triggers")
    for name, counts in report.accounting.items():
        mine = [a for a in report.alerts if a["data"]["labels"]["model"] == name and a["data"]["notice"] == 1]
        incidents = {a["data"]["incident"] for a in mine}
        dead = sum(n for key, n in counts.items() if key.startswith("dead_"))
        late = counts.get("late_predictions", 0) + counts.get("late_labels", 0)
        table.add_row(
            name,
            *(f"{n:,}" for n in (counts.get("predictions", 0), counts.get("labels", 0), counts.get("matched", 0))),
            f"{dead:,}",
            f"{late:,}",
            str(len(incidents)),
            str(len(mine)),
            str(sum(1 for t in report.triggers if t["data"]["model"] == name)),
        )
    console.print(table)
    for line in _late_lines(report):
        console.print(line, markup=False, soft_wrap=True)


def _late_lines(report: Report) -> Iterator[str]:
    """Yield for each model of whose predictions one in a hundred is late what that means and what to do."""
    for name, counts in report.accounting.items():
        late, n = counts.get("late_predictions", 0), counts.get("predictions", 0)
        if 100 * late > n:
            yield (
                f"{name}: {late:,} of {n:,} predictions stand behind later ones of their file or partition, by more "
                "than `event_time.lateness`, and were not watched: sort the log by event time, or raise `lateness`."
            )
