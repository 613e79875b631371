"""What the benchmarks read: logs of predictions and labels, with the configuration and the script that watch them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from benchmarks.naive import Job
from tests.integration import credit_card

from anchorwatch.settings.loader import load
from anchorwatch.simulate.faults import Fault, FaultKind
from anchorwatch.simulate.scenario import configuration
from anchorwatch.simulate.traffic import LABELS, PREDICTIONS, THRESHOLD, FraudTraffic

if TYPE_CHECKING:
    from pathlib import Path

    from anchorwatch.settings.models import Settings


ALIKE = """\
    monitors: {volume: {enabled: false}, labels: {enabled: false}, accuracy: {estimate: false, shown: false}}
    retrain_estimate: {enabled: false}
"""
"""What is on by default and the script does not have, switched off."""


@dataclass(frozen=True)
class Log:
    """A log on disk.

    Attributes
    ----------
    name
        What it holds.
    settings, job
        What watches it: a configuration, and the same for the script.
    shipped
        The configuration with all that is on by default.
    predictions, labels
        Topics.
    paths
        File of each topic.
    events
        Predictions and labels.
    """

    name: str
    settings: Settings
    shipped: Settings
    job: Job
    predictions: str
    labels: str
    paths: dict[str, Path]
    events: int

    def lines(self, topic: str) -> list[bytes]:
        """Return the records of a topic."""
        return self.paths[topic].read_bytes().splitlines()


def simulated(directory: Path, predictions: int = 120_000, baseline: int = 10_000, prefix: str = "") -> Log:
    """Return the traffic of a fraud model: amounts move at 40 %, fraud changes at 60 %, a column breaks at 80 %.

    It ends with the last prediction: labels from after it would be held back until no more predictions are waited for.
    Its topics are named with `prefix`.
    """
    places = {FaultKind.AMOUNT_DRIFT: 0.4, FaultKind.CONCEPT_DRIFT: 0.6, FaultKind.SCHEMA_BREAK: 0.8}
    faults = [Fault(kind, int(share * predictions)) for kind, share in places.items()]
    text = configuration(baseline).replace(PREDICTIONS, prefix + PREDICTIONS).replace(LABELS, prefix + LABELS)
    values: dict[str, list[bytes]] = {prefix + PREDICTIONS: [], prefix + LABELS: []}
    for message in FraudTraffic(11, predictions, faults).messages():
        values[prefix + message.topic].append(message.value)
        if len(values[prefix + PREDICTIONS]) == predictions:
            break
    job = Job(
        ident="request_id",
        label_ident="request_id",
        label="is_fraud",
        numeric=("amount", "hour", "device_age", "p_fraud"),
        category=("country", "merchant", "class"),
        windowed=("latency_ms",),
        answer="p_fraud",
        threshold=THRESHOLD,
        segment="country",
        baseline=baseline,
    )
    return _written("simulated payments", text, job, values, directory)


def credit_cards(directory: Path) -> Log | None:
    """Return nannyml's credit cards, where the tests have fetched them; accuracy falls at row 90,000 of 120,000."""
    cache = credit_card.cache_directory()
    if not all((cache / name).exists() for name in ("mc_reference.csv", "mc_analysis.csv", "mc_analysis_gt.csv")):
        return None
    known = credit_card.load()
    features = [f"{name}: numeric" for name in credit_card.NUMERIC]
    features += [f"{name}: category" for name in credit_card.CATEGORIES]
    text = f"""\
store: anchorwatch.db
models:
  cards:
    predictions:
      topic: predictions
      id: id
      time: timestamp
      features: {{{", ".join(features)}}}
      prediction: {{kind: multiclass, class: y_pred}}
    labels: {{topic: labels, id: id, time: ts, value: y}}
    baseline: {{first: 10000}}
    retrain: {{when: accuracy worse}}
"""
    job = Job(
        ident="id",
        label_ident="id",
        label="y",
        numeric=credit_card.NUMERIC,
        category=(*credit_card.CATEGORIES, "y_pred"),
        answer="y_pred",
    )
    values = {
        "predictions": [json.dumps(row).encode() for row in known.predictions],
        "labels": [json.dumps(row).encode() for row in known.labels],
    }
    return _written("credit cards (nannyml)", text, job, values, directory)


def _written(name: str, text: str, job: Job, values: dict[str, list[bytes]], directory: Path) -> Log:
    paths = {topic: directory / f"{topic}.jsonl" for topic in values}
    for topic, path in paths.items():
        path.write_bytes(b"\n".join([*values[topic], b""]))
    predictions, labels = values
    events = sum(map(len, values.values()))
    return Log(name, load(text + ALIKE, {}), load(text, {}), job, predictions, labels, paths, events)
