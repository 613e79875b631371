"""A replay: the same host over a log that ends, with a store of its own that is gone afterwards."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from anchorwatch.app import models_of, replayed
from anchorwatch.decide.publish import alert_message, trigger_message
from anchorwatch.errors import NoData
from anchorwatch.host import Host, Pace, Parts
from anchorwatch.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable

    from anchorwatch.clock import Clock
    from anchorwatch.engine.step import Outcome
    from anchorwatch.events.records import Sink, Source
    from anchorwatch.settings.models import Settings
    from anchorwatch.store.reader import Reader

PACE = Pace(records=20_000, checkpoint=3600.0, heartbeat=3600.0)


@dataclass(slots=True)
class Report:
    """What a replay found.

    Attributes
    ----------
    accounting
        Per model: what became of every record, by name.
    alerts, triggers
        Every message that would have been published, in order.
    baselines
        Per model: ids of the baselines that were completed.
    verdicts
        Per model: how many verdicts there were at each level.
    """

    accounting: dict[str, dict[str, int]] = field(default_factory=dict)
    alerts: list[dict[str, Any]] = field(default_factory=list)
    triggers: list[dict[str, Any]] = field(default_factory=list)
    baselines: dict[str, list[str]] = field(default_factory=dict)
    verdicts: dict[str, dict[str, int]] = field(default_factory=dict)

    def to_plain(self) -> dict[str, Any]:
        """Return the report as one JSON object."""
        models = {
            name: {
                "accounting": counts,
                "baselines": self.baselines.get(name, []),
                "verdicts": self.verdicts.get(name, {}),
            }
            for name, counts in self.accounting.items()
        }
        return {"models": models, "alerts": self.alerts, "triggers": self.triggers}


@dataclass(frozen=True, slots=True)
class _Nowhere:
    """A sink for a replay whose messages nobody reads."""

    def send(self, messages: object) -> None:
        """Let them go."""

    def close(self) -> None:
        """Nothing is held."""


def replay(
    settings: Settings,
    source: Source,
    clock: Clock,
    *,
    sink: Sink | None = None,
    baselines: Reader | None = None,
    progress: Callable[[int], None] | None = None,
) -> Report:
    """Run the watches of a configuration over a source to its end.

    Parameters
    ----------
    settings
        The configuration; its store and outputs are not touched.
    source
        What is read; all its partitions end.
    clock
        Time; event time comes from the log.
    sink
        Where messages are written to as well.
    baselines
        Where baselines are looked up by name.
    progress
        Called now and then with the number of records read so far.

    Raises
    ------
    NoData
        If there was not one record.
    """
    report = Report()
    verdicts: dict[str, Counter[str]] = {}

    def observe(outcome: Outcome) -> None:
        for baseline in outcome.baselines:
            report.baselines.setdefault(baseline.model, []).append(baseline.id)
        for evidence in outcome.evidence:
            verdicts.setdefault(evidence.identity.model, Counter())[evidence.verdict.level] += 1
        for notice in outcome.decision.notices:
            message = alert_message(settings.source, settings.outputs.alerts, notice)
            report.alerts.append(json.loads(message.value))
        for trigger in outcome.decision.triggers:
            report.triggers.append(json.loads(trigger_message(settings.outputs.retrain, trigger).value))

    store = Store.open(Path(":memory:"), holder="a replay", now=clock.now())
    try:
        host = Host(
            models_of(settings, baselines),
            Parts(source, sink or _Nowhere(), store, clock),
            settings.source,
            settings.outputs,
            PACE,
            observe,
        )
        replayed(host, progress)
    finally:
        store.close()
    if not host.read:
        raise NoData("the log holds not one record: is it the right file, topic or time range?")
    report.accounting = {m.watch.name: m.state.accounting() for m in host.models}
    report.verdicts = {name: dict(sorted(counts.items())) for name, counts in verdicts.items()}
    return report
