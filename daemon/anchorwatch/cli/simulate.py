"""`anchorwatch simulate`."""

from __future__ import annotations

import signal
import threading
from typing import Annotated

import typer

from anchorwatch.errors import UsageError


def simulate(
    *,
    bootstrap_servers: Annotated[str, typer.Option(help="The broker to write to, host:port.")] = "localhost:9092",
    rate: Annotated[float, typer.Option(help="Predictions a second.")] = 100.0,
    events: Annotated[int | None, typer.Option(min=1, help="Predictions in all. Default: no end.")] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of everything random.")] = 7,
    calm: Annotated[bool, typer.Option("--calm", help="Plant no faults.")] = False,
) -> None:
    """Write made-up fraud traffic to Kafka as it would happen: predictions, and their labels a little later.

    Topics: fraud.predictions and fraud.labels. Unless it is to stay calm, the amounts drift from prediction 18,000 on,
    the ways of fraud change at 24,000, a field is renamed at 30,000, and a retrained version answers from 34,000 on.
    """
    from anchorwatch.clock import SystemClock
    from anchorwatch.settings.models import Kafka
    from anchorwatch.simulate.produce import live_traffic, produce
    from anchorwatch.simulate.scenario import FULL
    from anchorwatch.simulate.traffic import LABELS, PREDICTIONS
    from anchorwatch.transport.kafka_sink import KafkaSink

    if not rate > 0:
        raise UsageError(f"--rate {rate} gives no traffic: take a number above 0")
    clock = SystemClock()
    stopping = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopping.set())
    sink = KafkaSink(Kafka(bootstrap_servers=bootstrap_servers), clock)
    try:
        sink.ensure_topics([PREDICTIONS, LABELS])
        typer.echo(f"{rate:g} predictions a second to {bootstrap_servers}; end it with Ctrl-C", err=True)
        traffic = live_traffic(seed, rate, clock.now(), events, () if calm else FULL.faults)
        written = produce(traffic, sink, clock, stopping.is_set)
    finally:
        sink.close()
    typer.echo(f"{written} messages written", err=True)
