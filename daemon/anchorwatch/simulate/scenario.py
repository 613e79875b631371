"""What the demo plays: where the faults lie in the traffic, and the configuration that watches it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from anchorwatch.simulate.faults import Fault, FaultKind
from anchorwatch.simulate.traffic import LABELS, PREDICTIONS, THRESHOLD, FraudTraffic


@dataclass(frozen=True, slots=True)
class Scenario:
    """A story told in traffic.

    Attributes
    ----------
    events
        Predictions in all.
    baseline
        Predictions at the beginning that the baseline is built from.
    faults
        What is planted, in order.
    """

    events: int
    baseline: int
    faults: tuple[Fault, ...]

    def traffic(self, seed: int) -> FraudTraffic:
        """Return the traffic of this story."""
        return FraudTraffic(seed, self.events, self.faults)


FULL: Final = Scenario(
    events=50_000,
    baseline=10_000,
    faults=(
        Fault(FaultKind.AMOUNT_DRIFT, 18_000),
        Fault(FaultKind.CONCEPT_DRIFT, 24_000),
        Fault(FaultKind.SCHEMA_BREAK, 30_000),
        Fault(FaultKind.NEW_VERSION, 34_000),
    ),
)
"""Quiet for 8,000 predictions after the baseline, three faults, and 16,000 predictions of the retrained version."""

FAST: Final = Scenario(
    events=20_000,
    baseline=4_000,
    faults=(
        Fault(FaultKind.AMOUNT_DRIFT, 7_000),
        Fault(FaultKind.CONCEPT_DRIFT, 9_500),
        Fault(FaultKind.SCHEMA_BREAK, 12_000),
        Fault(FaultKind.NEW_VERSION, 13_500),
    ),
)
"""The same story, shorter."""


def configuration(baseline: int, *, store: str = "anchorwatch.db", bootstrap_servers: str | None = None) -> str:
    """Return the YAML that watches the traffic.

    Parameters
    ----------
    baseline
        Predictions of each version that its baseline is built from.
    store
        Path of the store.
    bootstrap_servers
        The broker; None where there is none.
    """
    kafka = "" if bootstrap_servers is None else f'kafka: {{bootstrap_servers: "{bootstrap_servers}"}}\n'
    return f"""\
{kafka}store: {store}
models:
  fraud:
    predictions:
      topic: {PREDICTIONS}
      id: request_id
      time: ts
      version: model_version
      latency: latency_ms
      features: {{amount: numeric, hour: numeric, country: category, merchant: category, device_age: numeric}}
      prediction: {{kind: binary, score: p_fraud, threshold: {THRESHOLD}}}
    labels: {{topic: {LABELS}, id: request_id, time: ts, value: is_fraud, wait: 7d}}
    segments: [country]
    baseline: {{first: {baseline}}}
    retrain: {{when: accuracy worse, min_labels: 500, cooldown: 1d}}
"""
