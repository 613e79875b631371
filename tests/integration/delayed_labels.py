"""The credit-card rows with labels as they come in life: late by a skewed time, missing, twice, corrected, early."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
from kafka import KafkaProducer
from tests.integration.credit_card import LABEL_DELAY

if TYPE_CHECKING:
    from tests.integration.credit_card import CreditCard

SEED = 20
SHARES = {"missing": 0.05, "twice": 0.02, "corrected": 0.01, "early": 0.01}
WAIT, EARLY = timedelta(days=7), timedelta(hours=1)
MEDIAN, SPREAD, LONGEST = timedelta(hours=4), 1.0, timedelta(days=6)
"""Delays are lognormal; the longest a label takes is less than a prediction waits for it."""


@dataclass(frozen=True)
class Delayed:
    """What is planted.

    Attributes
    ----------
    times
        (n,) event times of the predictions, seconds since the epoch.
    labels
        (time, row, class) of every label, in the order in which they come; the log ends with the last prediction, so
        some have not come.
    planted
        (n,) for each mishap: whether it happens to the label of a row; none has two.
    """

    times: np.ndarray
    labels: list[tuple[float, int, str]]
    planted: dict[str, np.ndarray]

    def count(self, mishap: str) -> int:
        """Return how many labels something has happened to by the end of the log: how many second ones have come."""
        seen = Counter(row for _, row, _ in self.labels)
        return sum(seen[row] == 2 for row in np.flatnonzero(self.planted[mishap]).tolist())

    @property
    def labelled(self) -> np.ndarray:
        """Return (n,) whether any label of a row has come."""
        found = np.zeros(len(self.times), bool)
        found[[row for _, row, _ in self.labels]] = True
        return found


def delayed(card: CreditCard) -> Delayed:
    """Decide when each label comes, and what goes wrong with it."""
    rng = np.random.default_rng(SEED)
    times = np.array([(time - LABEL_DELAY).timestamp() for time in card.times])
    n, classes = len(times), sorted({label["y"] for label in card.labels})
    bounds = np.cumsum(list(SHARES.values()))
    which = np.searchsorted(bounds, rng.random(n), "right")
    planted = {name: which == code for code, name in enumerate(SHARES)}
    delays, more = (np.minimum(rng.lognormal(np.log(MEDIAN.total_seconds()), SPREAD, n), LONGEST.total_seconds() / 2)
                    for _ in range(2))  # fmt: skip
    delays[planted["early"]] = -rng.uniform(1.0, EARLY.total_seconds() / 2, planted["early"].sum())
    labels = []
    for row, (time, label) in enumerate(zip(times.tolist(), card.labels, strict=True)):
        if planted["missing"][row]:
            continue
        known, first = label["y"], time + delays[row]
        if planted["corrected"][row]:
            labels.append((first, row, classes[(classes.index(known) + 1) % len(classes)]))
        else:
            labels.append((first, row, known))
        if planted["twice"][row] or planted["corrected"][row]:
            labels.append((first + more[row], row, known))
    return Delayed(times, sorted(label for label in labels if label[0] <= times[-1]), planted)


def produce(bootstrap: str, topics: dict[str, str], card: CreditCard, plan: Delayed) -> int:
    """Write predictions and labels, each topic in the order of its event times; return how many records there are."""
    producer = KafkaProducer(bootstrap_servers=bootstrap, compression_type="lz4", linger_ms=50, batch_size=1 << 18)
    try:
        futures = [
            producer.send(topics["predictions"], json.dumps(row).encode(), key=str(row["id"]).encode())
            for row in card.predictions
        ]
        for time, row, known in plan.labels:
            ident = card.labels[row]["id"]
            value = {"id": ident, "ts": datetime.fromtimestamp(time, UTC).isoformat(), "y": known}
            futures.append(producer.send(topics["labels"], json.dumps(value).encode(), key=ident.encode()))
        for future in futures:
            future.get(timeout=60)
        return len(futures)
    finally:
        producer.close()
