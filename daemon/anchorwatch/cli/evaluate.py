"""`anchorwatch evaluate`."""

from __future__ import annotations

import contextlib
import functools
import json as to_json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from anchorwatch.cli.chosen import ModelOption, model_of
from anchorwatch.cli.log_source import FileOption, FromOption, KafkaOption, ToOption, files, kafka_range, require_one
from anchorwatch.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console
    from rich.table import Table

    from anchorwatch.evaluation.report import Evaluation

_ABOUT = """Judge detectors, or a whole configuration, where the changes are known.

An alarm within --max-delay of a change detects it, and every other alarm is false. Only for what is held against a
baseline, to which a changed stream does not return, no alarm is false from the first change on.
"""

app = typer.Typer(help=_ABOUT, rich_markup_mode=None, no_args_is_help=True)

MaxDelayOption = Annotated[
    int | None,
    typer.Option(
        "--max-delay",
        min=1,
        help="Rows (values, predictions) within which an alarm detects a change. Default: up to the next change.",
    ),
]
DetectorOption = Annotated[
    list[str] | None,
    typer.Option(
        "--detector",
        metavar="NAME[:P=V,...]",
        help="A sequential detector and its parameters, such as adwin:delta=0.01 or river.drift.KSWIN. May be "
        "repeated. Default: all that are registered.",
    ),
]
FeedOption = Annotated[
    str | None,
    typer.Option(
        "--feed",
        metavar="ranks|values",
        help="What all that take any number are given of a numeric column: ranks within the baseline, or the values. "
        "Default: each what it is made for.",
    ),
]
SmallestOption = Annotated[
    float,
    typer.Option(
        "--smallest-shift",
        min=0.0,
        help="Shift of the mean, of what is fed, that those held against a baseline let pass.",
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object; what is undefined is null.")]


@app.command()
def log(
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH", help="Files (JSONL, CSV, Parquet) or patterns, read as one log.")
    ],
    *,
    column: Annotated[
        str | None, typer.Option("--column", help="A numeric column. One of 0 and 1 alone is taken for errors.")
    ] = None,
    prediction: Annotated[
        str | None, typer.Option("--prediction", help="With --label: watch the errors, where the two differ.")
    ] = None,
    label: Annotated[str | None, typer.Option("--label", help="The column with the truth.")] = None,
    threshold: Annotated[
        float | None, typer.Option("--threshold", help="Where --prediction is a score: from which one on it says 1.")
    ] = None,
    change: Annotated[
        list[int] | None,
        typer.Option("--change", help="First row after a known change, from 0. May be repeated. Default: none."),
    ] = None,
    baseline: Annotated[
        int | None,
        typer.Option(
            "--baseline",
            min=0,
            help="First rows, which make the baseline and are not watched. Default: 10000, or half of what comes "
            "before the first change where that is less.",
        ),
    ] = None,
    max_delay: MaxDelayOption = None,
    detector: DetectorOption = None,
    feed: FeedOption = None,
    smallest_shift: SmallestOption = 0.0,
    json: JsonOption = False,
) -> None:
    """Judge detectors on a column of a log, or on the errors in it.

    Exit code 0: done; 2: wrong usage, as a column that is not there or a change outside the log; 5: there was not one
    row.
    """
    from anchorwatch.evaluation.detectors import Choice
    from anchorwatch.evaluation.log import of_column, of_errors

    choice = Choice.of(detector or [], feed, smallest_shift, max_delay)
    if column is not None and (prediction, label, threshold) == (None, None, None):
        read = functools.partial(of_column, paths, column)
    elif column is None and prediction is not None and label is not None:
        read = functools.partial(of_errors, paths, prediction, label, threshold)
    else:
        raise UsageError("say what is watched: either --column, or both --prediction and --label")
    with _busy():
        found = choice.on_log(read(), change or [], baseline)
    _tell([found], json=json)


@app.command()
def stream(
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="STREAM",
            help="errors-abrupt, errors-gradual, errors-calm, feature-abrupt, feature-gradual, feature-calm, "
            "heavy-tails-abrupt, dependent-abrupt, or one of your own: FAMILY:OLD->NEW@POSITION~WIDTH/LENGTH, in "
            "quotes, of bernoulli (errors), normal, lognormal, student_t, autoregressive.",
        ),
    ],
    *,
    seeds: Annotated[int, typer.Option("--seeds", min=1, help="So many are drawn of each, from seed 0 on.")] = 20,
    baseline: Annotated[
        int, typer.Option("--baseline", min=0, help="Values of the old level before each, which make its baseline.")
    ] = 10_000,
    max_delay: MaxDelayOption = None,
    detector: DetectorOption = None,
    feed: FeedOption = None,
    smallest_shift: SmallestOption = 0.0,
    json: JsonOption = False,
) -> None:
    """Judge detectors on made-up streams, drawn again and again.

    'bernoulli:0.05->0.1@30000' has errors at a rate of .05, from value 30,000 on at .1, and is 60,000 values long.
    With ~5000 behind it the change comes over as many values, with /90000 it is so long; bernoulli:0.05/90000 does not
    change. Exit code 0: done; 2: wrong usage.
    """
    from anchorwatch.evaluation.detectors import Choice
    from anchorwatch.evaluation.streams import parse

    choice = Choice.of(detector or [], feed, smallest_shift, max_delay)
    streams = [parse(name) for name in names]
    with _busy():
        found = [choice.on_stream(each, seeds, baseline) for each in streams]
    _tell(found, json=json)


@app.command()
def watch(
    config: Annotated[str, typer.Argument(help="The configuration, a YAML file.")],
    *,
    change: Annotated[
        list[str] | None,
        typer.Option(
            "--change",
            metavar="ROW|TIME",
            help="A known change: an ISO 8601 event time, or the number of the first prediction after it, in the order "
            "of event time from 0. May be repeated. Default: none.",
        ),
    ] = None,
    max_delay: MaxDelayOption = None,
    model: ModelOption = None,
    file: FileOption = None,
    kafka: KafkaOption = False,
    start: FromOption = None,
    stop: ToOption = None,
    json: JsonOption = False,
) -> None:
    """Replay a log and judge the alerts of a configuration, kind by kind.

    The store and the output topics of the configuration are not touched. Exit code 0: done; 2: wrong usage; 3: the
    configuration is wrong; 4: the broker cannot be used; 5: there was not one record.
    """
    from anchorwatch.app import topics_of
    from anchorwatch.clock import SystemClock
    from anchorwatch.evaluation.report import of_watch
    from anchorwatch.evaluation.watch import judge_watch
    from anchorwatch.settings.loader import load
    from anchorwatch.store.reader import Reader

    settings = load(Path(config), os.environ)
    require_one(file, kafka=kafka)
    chosen, clock = model_of(settings, model), SystemClock()
    topics = frozenset[str]().union(*(topics_of(each) for each in settings.models.values()))
    named = any(each.baseline.name for each in settings.models.values())
    with contextlib.ExitStack() as parts:
        parts.enter_context(_busy())
        source = (
            kafka_range(settings, topics, start, stop, clock) if kafka else files(file or [], topics, topics, clock)
        )
        parts.callback(source.close)
        baselines = parts.enter_context(Reader.open_reader(Path(settings.store))) if named else None
        report = judge_watch(settings, chosen, source, clock, change or [], most=max_delay, baselines=baselines)
    _tell([of_watch(report, config, max_delay)], json=json)


def _busy() -> contextlib.AbstractContextManager[object]:
    """Show on a terminal that there is work going on."""
    from rich.console import Console

    return Console(stderr=True).status("judging; the first time, loops are compiled as well")


def _tell(found: list[Evaluation], *, json: bool) -> None:
    """Print tables, or one JSON object."""
    if json:
        typer.echo(to_json.dumps({"evaluations": [each.plain for each in found]}, ensure_ascii=False))
        return
    from rich.console import Console

    console = Console(highlight=False)
    console = console if console.is_terminal else Console(highlight=False, width=_WIDTH)
    for number, each in enumerate(found):
        console.print("\n" * bool(number) + each.head, markup=False, soft_wrap=True)
        table, left_out = _fitting(each, console)
        console.print(table)
        notes = [f"This screen is too narrow for {' and '.join(left_out)}; --json has them."] if left_out else []
        for line in [*notes, *each.notes]:
            console.print(line, markup=False, soft_wrap=True)


def _fitting(found: Evaluation, console: Console) -> tuple[Table, Sequence[str]]:
    """Return a table that fits the screen as far as one can, and the columns it has to leave out."""
    from rich.measure import Measurement

    for framed, left_out in ((True, ()), (False, ()), (False, _DERIVED)):
        table = _table(found, left_out, framed=framed)
        if Measurement.get(console, console.options.update_width(1000), table).maximum <= console.width:
            break
    return table, left_out


def _table(found: Evaluation, left_out: Sequence[str], *, framed: bool) -> Table:
    """Return a table; where there is too little room, names are folded, never numbers."""
    from rich.table import Table
    from rich.text import Text

    kept = [i for i, name in enumerate(found.columns) if name not in left_out]
    table = Table() if framed else Table(box=None, padding=(0, 1, 0, 0))
    for name in (found.columns[i] for i in kept):
        justify: Literal["left", "right"] = "left" if name in _WORDS else "right"
        table.add_column(name.replace(" ", "\n"), justify=justify, no_wrap=name != "detector", overflow="fold")
    for row in found.rows:
        table.add_row(*(Text(row[i]) for i in kept))
    return table


_WIDTH = 130
"""Columns of a table where nobody tells how wide the screen is."""
_WORDS = {"detector", "fed", "kind"}
_DERIVED = ("precision", "recall")
"""What follows from the other columns."""
