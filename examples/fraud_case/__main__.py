"""The fraud case, from the first payment to the retrained model in service, on a real broker: `make fraud-case`.

Ends with 0 only where everything happened that should have; else with 1, and says what did not.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from examples.fraud_case.daemon import Daemon
from examples.fraud_case.production import BASELINE, MOVES, Production
from examples.fraud_case.retrainer import VERSION, Retrainer
from examples.fraud_case.topics import Topics
from examples.fraud_case.verdict import Ended, verdict
from tests.integration.broker import VERSION as KAFKA
from tests.integration.broker import Broker

PORTION = 1_000
"""Predictions between two looks at what was asked for."""
LONGEST = 16_000
"""Predictions after which no trigger is expected any more."""
SERVED = 9_000
"""Predictions of version 2."""


class Story:
    """What happened, with the seconds since the beginning and the event time."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def tell(self, text: str, now: int = 0) -> None:
        """Print a line; `now` is event time in ns since the epoch."""
        event = f"{datetime.fromtimestamp(now / 1e9, UTC):%Y-%m-%d %H:%M}" if now else " " * 16
        print(f"{time.monotonic() - self._began:6.1f} s  {event}  {text}", flush=True)


def play(topics: Topics, directory: Path, story: Story) -> Ended:
    """Let it all happen; return how it ended."""
    topics.create()
    production = Production(topics)
    environment = {"FRAUD_CASE_KAFKA": topics.bootstrap, "FRAUD_CASE_RUN": topics.run}
    with Daemon(directory, environment) as daemon, closing(Retrainer(topics)) as retrainer:
        story.tell("anchorwatch watches; payments come, version 1 scores them")
        production.go_on(MOVES)
        daemon.wait(_read(topics))
        early = [alert for alert in topics.read("alerts") if alert["data"]["status"] == "firing"]
        story.tell(f"{MOVES:,} payments, {BASELINE:,} of them the baseline; {len(early)} alerts", production.now)
        story.tell("the ways of fraud change", production.now)
        trigger = _awaited(production, daemon, retrainer, topics)
        _tell_alerts(topics, story)
        if trigger is None:
            return Ended(daemon.end(), production, topics, early, None, None, daemon.status())
        data = trigger["data"]
        story.tell(
            f"retraining is asked for, {data['window']['labelled']:,} labelled payments since the change",
            production.now,
        )
        story.tell(f"estimate: {data['window'].get('estimate')}")
        retrainer.report(trigger, "acknowledged", production.now)
        retrainer.report(trigger, "running", production.now)
        trained = retrainer.retrain(trigger)
        story.tell(f"gradient boosting has learnt from {trained.rows:,} payments of the suggested window")
        production.serve(trained.scorer)
        retrainer.report(trigger, "succeeded", production.now, version=VERSION)
        story.tell(f"version {VERSION} answers, and success is reported", production.now)
        for _ in range(SERVED // PORTION):
            production.go_on(PORTION)
        status = daemon.wait(_read(topics))
        story.tell(f"{SERVED:,} payments later: {status['models'][0]['firing']} alerts fire", production.now)
        return Ended(daemon.end(), production, topics, early, trigger, trained, status)


def _awaited(production: Production, daemon: Daemon, retrainer: Retrainer, topics: Topics) -> dict[str, Any] | None:
    """Let payments come until a trigger does; None where it does not."""
    while production.served < LONGEST:
        production.go_on(PORTION)
        daemon.wait(_read(topics))
        if (trigger := retrainer.trigger(1.0)) is not None:
            return trigger
    return None


def _tell_alerts(topics: Topics, story: Story) -> None:
    for alert in topics.read("alerts"):
        if alert["data"]["reason"] == "fired":
            story.tell(f"{alert['data']['labels']['severity']}, told {alert['time']}: {_summary(alert)}")


def _summary(message: dict[str, Any]) -> str:
    return message["data"]["annotations"]["summary"]


def _read(topics: Topics) -> int:
    """Return how many records there are for the daemon to read."""
    return sum(topics.written[part] for part in ("predictions", "labels", "retrain-status"))


def main() -> int:
    """Play the case on the broker that `ANCHORWATCH_TEST_KAFKA` names, or on one that is started for it."""
    named, story = os.environ.get("ANCHORWATCH_TEST_KAFKA"), Story()
    with ExitStack() as parts:
        directory = Path(parts.enter_context(tempfile.TemporaryDirectory(prefix="fraud-case-")))
        bootstrap = named or parts.enter_context(Broker(directory / "kafka")).bootstrap_servers
        story.tell(f"Kafka listens on {bootstrap}" + ("" if named else f": Apache Kafka {KAFKA}, started for this"))
        failures = verdict(play(Topics(bootstrap), directory, story), story.tell)
    for failure in failures:
        print(f"NOT as it should be: {failure}", file=sys.stderr)
    print("everything happened as it should" if not failures else f"{len(failures)} things did not happen")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
