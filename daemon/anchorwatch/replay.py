"""A replay: the same host over a log, keeping nothing: it is never taken up again, only begun again."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from anchorwatch.app import models_of, replayed
from anchorwatch.engine.performance import figures_shown
from anchorwatch.errors import NoData
from anchorwatch.host import Host, Pace, Parts
from anchorwatch.transport.nowhere import Nowhere

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from anchorwatch.clock import Clock
    from anchorwatch.engine.step import Outcome
    from anchorwatch.events.records import Outgoing, Partition, Sink, Source
    from anchorwatch.settings.models import Settings
    from anchorwatch.store.orders import OrderRow
    from anchorwatch.store.reader import Reader
    from anchorwatch.store.rows import Checkpoint

PACE = Pace(records=60_000, checkpoint=3600.0, heartbeat=3600.0)


@dataclass(slots=True)
class Report:
    """What a replay found.

    Attributes
    ----------
    accounting
        Per model: what became of every record, by name.
    alerts, incidents, triggers
        Every message that would have been published, in order.
    baselines
        Per model: ids of the baselines that were completed.
    verdicts
        Per model: how many verdicts there were at each level.
    accuracy
        Per model: the newest mature accuracy figures of each version.
    """

    accounting: dict[str, dict[str, int]] = field(default_factory=dict)
    alerts: list[dict[str, Any]] = field(default_factory=list)
    incidents: list[dict[str, Any]] = field(default_factory=list)
    triggers: list[dict[str, Any]] = field(default_factory=list)
    baselines: dict[str, list[str]] = field(default_factory=dict)
    verdicts: dict[str, dict[str, int]] = field(default_factory=dict)
    accuracy: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def to_plain(self) -> dict[str, Any]:
        """Return the report as one JSON object."""
        models = {
            name: {
                "accounting": counts,
                "baselines": self.baselines.get(name, []),
                "verdicts": self.verdicts.get(name, {}),
                "accuracy": self.accuracy.get(name, []),
            }
            for name, counts in self.accounting.items()
        }
        return {"models": models, "alerts": self.alerts, "incidents": self.incidents, "triggers": self.triggers}


def replay(
    settings: Settings,
    source: Source,
    clock: Clock,
    *,
    sink: Sink | None = None,
    baselines: Reader | None = None,
    progress: Callable[[int], None] | None = None,
    tell: Callable[[str], None] | None = None,
    until: Callable[[], bool] | None = None,
) -> Report:
    """Run the watches of a configuration over a source.

    Parameters
    ----------
    settings
        The configuration; its store and outputs are not touched.
    source
        What is read.
    clock
        Time; event time comes from the log.
    sink
        Where messages are written to as well.
    baselines
        Where baselines are looked up by name.
    progress
        Called now and then with the number of records read so far.
    tell
        Called with a line for each telling of an incident and each trigger when it is found.
    until
        Whether to stop, asked now and then; without it the replay goes on to the end of the source.

    Raises
    ------
    NoData
        If there was not one record.
    """
    run = Run(settings, source, clock, sink=sink, baselines=baselines, tell=tell)
    replayed([run.host], progress, until)
    return run.report()


class Run:
    """One configuration on its way through a log.

    Parameters
    ----------
    settings, source, clock, sink, baselines, tell
        As in `replay`.

    Attributes
    ----------
    host
        What reads; run it to its end before the report is asked for.
    """

    def __init__(
        self,
        settings: Settings,
        source: Source,
        clock: Clock,
        *,
        sink: Sink | None = None,
        baselines: Reader | None = None,
        tell: Callable[[str], None] | None = None,
    ) -> None:
        self._recorder = _Recorder(settings, tell)
        self.host = Host(
            models_of(settings, baselines),
            Parts(source, sink or Nowhere(), _Passing(), clock),
            settings.source,
            settings.outputs,
            PACE,
            self._recorder.observe,
        )

    def report(self) -> Report:
        """Return what was found; raises `NoData` if there was not one record."""
        if not self.host.read:
            raise NoData("the log holds not one record: is it the right file, topic or time range?")
        found = self._recorder.report
        found.accounting = {m.watch.name: m.state.accounting() for m in self.host.models}
        found.accuracy = {m.watch.name: figures_shown(m.state.versions) for m in self.host.models}
        found.verdicts = {name: dict(sorted(counts.items())) for name, counts in self._recorder.verdicts.items()}
        return found


class _Passing:
    """What a host keeps, without keeping it: only messages stay, until they are sent."""

    def __init__(self) -> None:
        self._outbox: list[Outgoing] = []

    def positions(self) -> dict[Partition, int]:
        """Return none: everything is read from its beginning."""
        return {}

    def parts(self, model: str) -> dict[str, bytes]:
        """Return nothing: every model begins."""
        del model
        return {}

    def orders(self, after: int) -> list[OrderRow]:
        """Return none: a replay tells what would have been found, silenced now or not."""
        del after
        return []

    def checkpoint(self, checkpoint: Checkpoint) -> None:
        """Keep the messages."""
        self._outbox += checkpoint.outbox

    def unpublished(self, limit: int) -> list[Outgoing]:
        """Return the first messages that wait."""
        return self._outbox[:limit]

    def published(self, ids: Sequence[str]) -> None:
        """Take the first messages out."""
        del self._outbox[: len(ids)]

    def outbox_size(self) -> int:
        """Return how many messages wait."""
        return len(self._outbox)

    def heartbeat(self, now: int) -> None:
        """Say nothing: nobody asks."""

    def prune(self, now: int) -> int:
        """Delete nothing."""
        del now
        return 0


class _Recorder:
    """Writes into a report what comes of each batch."""

    def __init__(self, settings: Settings, tell: Callable[[str], None] | None) -> None:
        self.report = Report()
        self.verdicts: dict[str, Counter[str]] = {}
        self._settings, self._tell = settings, tell

    def observe(self, outcome: Outcome, told: Sequence[Outgoing]) -> None:
        """Take note of what came of a batch, and of the messages that tell it."""
        for baseline in outcome.baselines:
            self.report.baselines.setdefault(baseline.model, []).append(baseline.id)
        for evidence in outcome.evidence:
            self.verdicts.setdefault(evidence.identity.model, Counter())[evidence.verdict.level] += 1
        for message in told:
            document = json.loads(message.value)
            self._take(document["type"].split(".")[2], document)

    def _take(self, sort: str, document: dict[str, Any]) -> None:
        """Take note of a message by what it tells of."""
        data = document["data"]
        if sort == "alert":
            self.report.alerts.append(document)
        elif sort == "incident":
            self.report.incidents.append(document)
            self._say(f"{document['time']} incident {data['incident']} {data['status']}: {_summary(document)}")
        elif sort == "retrain":
            self.report.triggers.append(document)
            self._say(f"{document['time']} retrain: {data['model']}, incident {data['incident']}, {document['id']}")

    def _say(self, line: str) -> None:
        if self._tell is not None:
            self._tell(line)


def _summary(document: dict[str, Any]) -> str:
    summary: str = document["data"]["annotations"]["summary"]
    return summary
