"""`anchorwatch calibrate`."""

from __future__ import annotations

import contextlib
import json as to_json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Self

import typer

from anchorwatch.cli.chosen import ModelOption, VersionOption, baseline_of, model_of, write
from anchorwatch.cli.log_source import FileOption, FromOption, KafkaOption, ToOption, files, kafka_range, require_one
from anchorwatch.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console

    from anchorwatch.clock import Clock
    from anchorwatch.engine.baseline import Baseline
    from anchorwatch.engine.calibrated import Calibrated, Calibration
    from anchorwatch.engine.simulated_scenes import Logged
    from anchorwatch.engine.watch import Watch
    from anchorwatch.settings.models import Settings

LEAST = 10_000
"""Fewer events tell nothing."""
BaselineOption = Annotated[
    str | None,
    typer.Option("--baseline", help="Id, name or exported file of the baseline. Default: the configuration's."),
]
EventsOption = Annotated[int, typer.Option("--events", min=LEAST, help="Events to simulate, of each track.")]
RepeatsOption = Annotated[
    int, typer.Option("--repeats", min=0, help="Streams on which each delay is measured; 0: none.")
]
SeedOption = Annotated[int, typer.Option("--seed", min=0, help="The same seed gives the same result.")]


def calibrate(
    config: Annotated[str, typer.Argument(help="The configuration, a YAML file.")],
    *,
    model: ModelOption = None,
    version: VersionOption = None,
    file: FileOption = None,
    kafka: KafkaOption = False,
    start: FromOption = None,
    stop: ToOption = None,
    baseline: BaselineOption = None,
    events: EventsOption = 2_000_000,
    repeats: RepeatsOption = 6,
    seed: SeedOption = 1,
    save: Annotated[
        bool, typer.Option("--save", help="Put a baseline with the level and the curve into the store.")
    ] = False,
    name: Annotated[str | None, typer.Option("--name", help="With --save: name to give it.")] = None,
    output: Annotated[str | None, typer.Option("--output", help="Write that baseline to this JSON file.")] = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON object instead of text.")] = False,
) -> None:
    """Simulate the false alarms of a model's monitors, and find the one level at which they meet the budget.

    All monitors run together over streams on which nothing changes: blocks of the rows of a log (--file, --kafka), or
    rows drawn from the profiles of the baseline. Shown are the false alarms of the model at several levels, the level
    that meets `false_alarms` of the configuration, and how soon changes are found there, beside the least that is
    possible. A baseline with a level is watched at it.

    Exit code 0: done; 1: no level meets the budget, for some monitors do not follow it; 2: wrong usage; 3: the
    configuration is wrong; 4: broker or store cannot be used; 5: there was nothing to simulate from.
    """
    from anchorwatch.calibration import Effort
    from anchorwatch.calibration import calibrate as calibrated
    from anchorwatch.clock import SystemClock
    from anchorwatch.settings.loader import load

    settings, clock = load(Path(config), os.environ), SystemClock()
    chosen = model_of(settings, model)
    if name and not save:
        raise UsageError("--name names the baseline that --save puts into the store: add --save")
    with contextlib.ExitStack() as parts:
        given = _given(settings, chosen, baseline)
        logged: Logged | None = None
        if file or kafka:
            require_one(file, kafka=kafka)
            watch, given, logged = _logged(settings, chosen, (file or [], kafka, start, stop), clock, version, given)
        else:
            watch, given = _unlogged(settings, chosen, given)
        progress = parts.enter_context(_Progress())
        result = calibrated(watch, given, logged, Effort(events=events, repeats=repeats, seed=seed), progress.show)
    kept = _kept(settings, result, clock, save=save, name=name, output=output)
    if json:
        typer.echo(to_json.dumps({"model": chosen, **result.to_plain(), "saved": kept}))
    else:
        _print(chosen, result, kept=kept)
    if result.rising:
        typer.echo(_RISING, err=True)
        raise typer.Exit(1)


_RISING = (
    "no level meets the budget: the monitors that are shown with false alarms hardly follow it. Give them the "
    "detectors of the default, or set their own parameters"
)


def _given(settings: Settings, model: str, reference: str | None) -> Baseline | None:
    """Return the baseline that is named; None where it is to be made of the log."""
    from anchorwatch.app import given_baseline
    from anchorwatch.store.reader import Reader

    if reference is not None:
        return baseline_of(reference, settings.store, model)
    configured = settings.models[model].baseline
    if configured.name is None:
        return given_baseline(model, configured, None)
    with Reader.open_reader(Path(settings.store)) as reader:
        return given_baseline(model, configured, reader)


def _logged(
    settings: Settings,
    model: str,
    log: tuple[list[str], bool, str | None, str | None],
    clock: Clock,
    version: str | None,
    given: Baseline | None,
) -> tuple[Watch, Baseline, Logged]:
    """Return what is watched, the baseline, and the rows of the log."""
    from anchorwatch.app import topics_of
    from anchorwatch.baselines import gather, summary_of
    from anchorwatch.engine.simulated_scenes import Logged

    file, kafka, start, stop = log
    topics, needed = topics_of(settings.models[model]), {settings.models[model].predictions.topic}
    source = kafka_range(settings, topics, start, stop, clock) if kafka else files(file, topics, needed, clock)
    try:
        gathered = gather(settings, model, source, clock, version)
    finally:
        source.close()
    outcomes = gathered.version.outcomes
    rows = Logged.of(gathered.version.predictions.gathered, None if outcomes is None else outcomes.gathered)
    return gathered.watch, summary_of(gathered) if given is None else given, rows


def _unlogged(settings: Settings, model: str, given: Baseline | None) -> tuple[Watch, Baseline]:
    """Return what is watched, and the baseline that is there."""
    from importlib.metadata import version

    from anchorwatch.engine.watch import compile_watch

    if given is None:
        raise UsageError(
            f"model {model} makes its baseline of its first rows, so there is none to simulate from yet: give a log "
            "(--file TOPIC=PATH or --kafka), or name one with --baseline"
        )
    return compile_watch(settings.source, model, settings.models[model], given, version("anchorwatch")), given


def _kept(
    settings: Settings, result: Calibration, clock: Clock, *, save: bool, name: str | None, output: str | None
) -> bool:
    """Put the result where it was asked for; return whether it was."""
    from anchorwatch.history import baseline_row
    from anchorwatch.store.curator import Curator

    if output:
        write(Path(output), result.result)
    if save:
        now = clock.now()
        with Curator.open_curator(Path(settings.store), holder="calibrate", now=now) as store:
            store.add_baselines([baseline_row(each, now) for each in (result.baseline, result.result)])
            if name:
                store.promote(name, result.result.id, now=now)
    return save or bool(output)


class _Progress:
    """A bar with the time that is left, on a terminal only."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

        columns = (TextColumn("simulating"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
        self._bar = Progress(*columns, console=Console(stderr=True), transient=True)
        self._bar.disable = not self._bar.console.is_terminal
        self._task = self._bar.add_task("simulating", total=1.0)

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.stop()

    def show(self, share: float) -> None:
        """Move the bar."""
        self._bar.update(self._task, completed=share)


def _print(model: str, result: Calibration, *, kept: bool) -> None:
    from rich.console import Console

    console = Console(highlight=False)
    console.print(f"model {model}, baseline {result.baseline.id}, budget: {result.budget}", markup=False)
    _print_model(console, result)
    for track in result.tracks:
        _print_track(console, track)
    if kept:
        console.print(f"\nthe baseline with this level is {result.result.id}")
    else:
        console.print("\nnothing was kept: --save puts a baseline with this level into the store")


def _print_model(console: Console, result: Calibration) -> None:
    """Print the common level, and the curve of the whole model."""
    from rich.table import Table

    lines = [
        ("level", f"{result.level:.3g} of the run lengths by the union bound, for all monitors"),
        ("expected", f"{_limits(result.expected)} false alarms where the budget allows 1"),
        ("simulated", _checked(result)),
    ]
    for title, text in lines:
        console.print(f"  {title:<10} {text}", markup=False)
    curve = Table("level", "false alarms", "expected where the budget allows 1")
    for point in result.curve.points:
        curve.add_row(f"{point.run_length:.3g}", f"{sum(point.alarms)}", _limits(point.rate))
    for level, name in ((result.level, "chosen"), (1.0, "union bound")):
        curve.add_row(f"{level:.3g} ({name})", "-", _limits(result.curve.expected(level, 1.0)))
    console.print(curve)


def _print_track(console: Console, track: Calibrated) -> None:
    from rich.table import Table

    worth, expected = track.curve.worth, track.expected
    console.print(f"\n{track.part}: {track.rows}", markup=False)
    lines = [
        ("share", f"one false alarm in {track.between:,.0f} rows"),
        ("monitors", f"{track.curve.monitors}; together they ring like {_limits(worth)} independent ones"),
        ("level", f"a false alarm of one monitor in {track.level:,.0f} rows (union bound: {track.union:,.0f})"),
        ("expected", f"{_limits(expected)} of its share"),
    ]
    for title, text in lines:
        console.print(f"  {title:<10} {text}", markup=False)
    curve = Table("level", "rows simulated", "false alarms", "union bound", "worth in monitors")
    for point in track.curve.points:
        bound = track.curve.monitors * point.seen / point.run_length
        cells = f"{point.run_length:,.0f}", f"{point.seen:,}", f"{sum(point.alarms)}", f"{bound:,.1f}"
        curve.add_row(*cells, _limits(point.worth))
    console.print(curve)
    if track.alarms:
        told = ", ".join(f"{who} {n}" for who, n in track.alarms.items())
        console.print(f"  of these: {told}", markup=False)
    delays = Table("change", "found", "mean delay in rows", "Lorden's bound")
    for each in track.delays:
        time = "-" if each.mean != each.mean else f"{each.mean:,.0f}"
        least = "-" if each.bound != each.bound else f"{each.bound:,.0f}"
        delays.add_row(each.change, f"{each.found} of {each.streams} in {each.within:,} rows", time, least)
    if track.delays:
        console.print(delays)


def _limits(interval: tuple[float, float, float]) -> str:
    value, low, high = interval
    return f"{value:.3g} (99 %: {low:.2g} to {high:.2g})"


def _checked(result: Calibration) -> str:
    if result.check is None:
        highest = max(point.run_length for point in result.curve.points)
        return f"up to a level of {highest:.3g}; beyond, false alarms are taken to fall as the level rises"
    return f"{sum(result.check.alarms)} at this level, where {result.check.seen:.1f} are allowed"
