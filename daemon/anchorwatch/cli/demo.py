"""`anchorwatch demo`."""

from __future__ import annotations

import json as to_json
from typing import TYPE_CHECKING, Annotated, Final

import typer

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console, RenderableType
    from rich.live import Live

    from anchorwatch.decide.incident_notice import IncidentNotice
    from anchorwatch.demo import Story
    from anchorwatch.simulate.scenario import Scenario

CHAPTERS: Final = {
    "amount_drift": "people pay more",
    "concept_drift": "fraudsters change their ways",
    "schema_break": "device_age is renamed upstream",
    "new_version": "a retrained version 2 takes over",
}
SECONDS: Final = 25.0
"""How long the full story takes on a terminal, so that an eye can follow."""


def demo(
    *,
    fast: Annotated[bool, typer.Option("--fast", help="A shorter story, without pauses.")] = False,
    json: Annotated[bool, typer.Option("--json", help="End with one JSON object and show nothing else.")] = False,
    seed: Annotated[int, typer.Option(min=0, help="Of everything random.")] = 7,
) -> None:
    """See it work on made-up traffic of a fraud model with planted faults; needs no Kafka.

    The traffic goes through the same engine as in production. At first all is well; then amounts drift, the ways of
    fraud change, a column is renamed, and a retrained version takes over. At the end: what was planted against what was
    caught. Exit code 1 if not every fault was caught, or an alert had no cause.
    """
    from anchorwatch.clock import SystemClock
    from anchorwatch.demo import play
    from anchorwatch.simulate.scenario import FAST, FULL

    scenario = FAST if fast else FULL
    if json:
        story = play(scenario, seed, SystemClock(), lambda _story: None)
        typer.echo(to_json.dumps(story.to_plain()))
    else:
        story = _shown(scenario, seed, paced=not fast)
    result = story.to_plain()
    if result["caught"] < result["planted"] or result["false_alarms"]:
        raise typer.Exit(1)


def _shown(scenario: Scenario, seed: int, *, paced: bool) -> Story:
    from rich.console import Console
    from rich.live import Live

    from anchorwatch.clock import SystemClock
    from anchorwatch.demo import SLICE, play

    console, clock = Console(highlight=False), SystemClock()
    console.print(
        f"Watching a fraud model: {scenario.events:,} predictions, their labels some hours later.\n"
        f"The first {scenario.baseline:,} make the baseline; what comes after is held against it.\n"
    )
    pause = SECONDS * SLICE / scenario.events if paced and console.is_terminal else 0.0
    with Live(console=console, transient=True, auto_refresh=False) as live:
        tell = _teller(console, live)

        def show(story: Story) -> None:
            tell(story)
            clock.sleep(pause)

        story = play(scenario, seed, clock, show)
    console.print(_ending(story))
    return story


def _teller(console: Console, live: Live) -> Callable[[Story], None]:
    """Return what prints each new chapter and incident once, above a line that says how far the story is."""
    said = {"chapters": 0, "incidents": 0, "triggers": 0}

    def tell(story: Story) -> None:
        n = len(story.times)
        for fault in story.scenario.faults[said["chapters"] :]:
            if fault.at_event < n:
                said["chapters"] += 1
                console.print(f"[bold]{fault.at_event:>7,}  planted: {CHAPTERS[fault.kind]}[/bold]")
        lines = [(notice.at, _incident_line(story, notice)) for notice in story.incidents[said["incidents"] :]]
        said["incidents"] = len(story.incidents)
        for trigger in story.triggers[said["triggers"] :]:
            text = (
                f"retrain  incident {trigger.incident}, {trigger.labelled:,} labels since the change, id {trigger.id}"
            )
            lines.append((trigger.at, f"[magenta]{story.number_at(trigger.at):>7,}  {text}[/magenta]"))
        said["triggers"] = len(story.triggers)
        for _, line in sorted(lines, key=lambda told: told[0]):
            console.print(line, soft_wrap=True)
        if console.is_terminal:
            live.update(_progress(story), refresh=True)

    return tell


def _incident_line(story: Story, notice: IncidentNotice) -> str:
    from rich.markup import escape

    from anchorwatch.decide.incident_summary import incident_summary

    word = f"{notice.status.upper() if notice.status == 'opened' else notice.status:<8}"
    alerts = "1 alert" if notice.alerts == 1 else f"{notice.alerts} alerts"
    colour = "green" if notice.status == "resolved" else "red"
    text = f"{word}  incident {notice.incident} ({alerts}): {escape(incident_summary(notice))}"
    return f"[{colour}]{story.number_at(notice.at):>7,}  {text}[/{colour}]"


def _progress(story: Story) -> RenderableType:
    firing = sum(1 if n.status == "firing" else -1 for n in story.notices if n.reason != "repeated")
    n = len(story.times)
    return f"{n:>7,}  of {story.scenario.events:,} predictions, {firing} alerts firing"


def _ending(story: Story) -> RenderableType:
    from rich.table import Table

    table = Table("planted", "at prediction", "caught after", title="\nPlanted against caught", title_justify="left")
    for fault in story.caught():
        after = "[red]never[/red]" if fault.after is None else f"{fault.after:,} predictions"
        table.add_row(CHAPTERS[fault.kind], f"{fault.at:,}", after)
    end = story.to_plain()
    triggers = "1 retrain trigger" if end["triggers"] == 1 else f"{end['triggers']} retrain triggers"
    resolved = "every alert resolved after the new version took over" if story.resolved() else "some alerts still fire"
    table.caption = f"{end['false_alarms']} false alarms, {triggers}, {resolved}"
    table.caption_justify = "left"
    return table
