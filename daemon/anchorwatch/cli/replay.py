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

from anchorwatch.cli.log_source import FileOption, FromOption, KafkaOption, ToOption, files, kafka_range, require_one

if TYPE_CHECKING:
    from anchorwatch.events.records import Source
    from anchorwatch.replay import Report


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
    json: Annotated[bool, typer.Option("--json", help="One JSON object instead of a table.")] = False,
) -> None:
    """Run the same watch over files, or over a part of the Kafka log, and show what it would have said.

    The store and the output topics of the configuration are not touched. Exit code 0: done; 2: wrong usage; 3: the
    configuration is wrong; 4: the broker cannot be used; 5: there was not one record.
    """
    from anchorwatch.app import status_topics, topics_of
    from anchorwatch.clock import SystemClock
    from anchorwatch.replay import replay as run
    from anchorwatch.settings.kafka import Inputs
    from anchorwatch.settings.loader import load
    from anchorwatch.store.reader import Reader
    from anchorwatch.transport.jsonl_sink import JsonlSink

    settings = load(Path(config), os.environ)
    require_one(file, kafka=kafka)
    clock = SystemClock()
    topics = frozenset[str]().union(*(topics_of(model) for model in settings.models.values()))
    statuses = status_topics(settings)
    if kafka:
        source: Source = kafka_range(settings, topics | statuses, start, stop, clock)
    else:
        source = files(file or [], topics | statuses, topics, clock, follow=follow)
    if not statuses & {partition.topic for partition in source.partitions()}:
        settings = settings.model_copy(update={"inputs": Inputs()})  # nobody is missed who is not in the log
    named = any(model.baseline.name for model in settings.models.values())
    with contextlib.ExitStack() as parts:
        parts.callback(source.close)
        baselines = parts.enter_context(Reader.open_reader(Path(settings.store))) if named else None
        sink = JsonlSink(Path(output)) if output else None
        if sink is not None:
            parts.callback(sink.close)
        if follow:
            tell = None if json else typer.echo
            report = run(settings, source, clock, sink=sink, baselines=baselines, tell=tell, until=_asked().is_set)
        else:
            progress = parts.enter_context(_Progress(source))
            report = run(settings, source, clock, sink=sink, baselines=baselines, progress=progress.show)
    if json:
        typer.echo(to_json.dumps(report.to_plain(), ensure_ascii=False))
    else:
        _print(report)


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


def _alert_lines(report: Report) -> list[tuple[str, str]]:
    """Return (time to sort by, line) of each alert, reminders left out."""
    told = [(alert["time"], alert["data"]) for alert in report.alerts if alert["data"]["reason"] != "repeated"]
    return [(at.removesuffix("Z"), f"{at}  {data['status']:<8}  {data['annotations']['summary']}") for at, data in told]


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
    reminders = sum(alert["data"]["reason"] == "repeated" for alert in report.alerts)
    for _, line in sorted([*_alert_lines(report), *_trigger_lines(report)], key=lambda told: told[0]):
        console.print(line, markup=False, soft_wrap=True)
    if reminders:
        console.print(f"and {reminders} reminders of alerts that went on firing")
    if report.alerts or report.triggers:
        console.print()
    table = Table("model", "predictions", "labels", "matched", "dead", "late", "alerts", "triggers")
    for name, counts in report.accounting.items():
        mine = [a for a in report.alerts if a["data"]["labels"]["model"] == name and a["data"]["reason"] == "fired"]
        dead = sum(n for key, n in counts.items() if key.startswith("dead_"))
        late = counts.get("late_predictions", 0) + counts.get("late_labels", 0)
        table.add_row(
            name,
            *(f"{n:,}" for n in (counts.get("predictions", 0), counts.get("labels", 0), counts.get("matched", 0))),
            f"{dead:,}",
            f"{late:,}",
            str(len(mine)),
            str(sum(1 for t in report.triggers if t["data"]["model"] == name)),
        )
    console.print(table)
