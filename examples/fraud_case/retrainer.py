"""Whoever retrains: waits for a trigger, says so, trains on the rows that it suggests, and reports what came of it."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
from kafka import KafkaConsumer, TopicPartition
from sklearn.ensemble import HistGradientBoostingClassifier

from anchorwatch.simulate.world import COUNTRIES, MERCHANTS

if TYPE_CHECKING:
    from examples.fraud_case.topics import Topics

    from anchorwatch.simulate.traffic import Scorer
    from anchorwatch.simulate.world import Payments

VERSION = "2"


@dataclass(frozen=True)
class Trained:
    """A new version.

    Attributes
    ----------
    scorer
        Payments in, probabilities of fraud out.
    rows
        Labelled predictions that it was trained on.
    """

    scorer: Scorer
    rows: int


class Retrainer:
    """A consumer of triggers.

    Parameters
    ----------
    topics
        Where triggers come from, where rows are read, and where reports go to.
    """

    def __init__(self, topics: Topics) -> None:
        self._topics = topics
        self._place = TopicPartition(topics.name("retrain"), 0)
        self._consumer = KafkaConsumer(bootstrap_servers=topics.bootstrap, enable_auto_commit=False)
        self._consumer.assign([self._place])
        self._consumer.seek_to_beginning()

    def close(self) -> None:
        """Close the connection."""
        self._consumer.close()

    def trigger(self, seconds: float) -> dict[str, Any] | None:
        """Return the next trigger, waiting so long for it; None where none has come."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            for records in self._consumer.poll(timeout_ms=200, max_records=1).values():
                return json.loads(records[0].value)
        return None

    def report(self, trigger: dict[str, Any], status: str, at: int, **more: str) -> None:
        """Say how far the retraining is; `at` is event time in ns since the epoch."""
        said = {"id": trigger["id"], "status": status, "time": at // 10**6, **more}
        key = trigger["data"]["model"].encode()
        self._topics.write([("retrain-status", key, json.dumps(said).encode(), at // 10**6)])

    def retrain(self, trigger: dict[str, Any]) -> Trained:
        """Train on the labelled predictions of the window that the trigger suggests, as they stand in the topics."""
        window = trigger["data"]["window"]
        start, end = (datetime.fromisoformat(window[edge]) for edge in ("start", "end"))
        since = int(start.timestamp() * 1000)
        frauds: dict[str, int] = {}
        for label in self._topics.read("labels"):  # one may have come before its prediction
            if datetime.fromisoformat(label["ts"]) <= end:
                frauds[label["request_id"]] = label["is_fraud"]  # a later one corrects the first
        rows = [
            row
            for row in self._topics.read("predictions", since)
            if start <= datetime.fromisoformat(row["ts"]) <= end and row["request_id"] in frauds
        ]
        columns = [
            [np.log(row["amount"]) for row in rows],
            [row["hour"] for row in rows],
            [COUNTRIES.index(row["country"]) for row in rows],
            [MERCHANTS.index(row["merchant"]) for row in rows],
            [row["device_age"] for row in rows],
        ]
        model = HistGradientBoostingClassifier(
            categorical_features=[2, 3], learning_rate=0.05, max_iter=150, random_state=0
        )
        model.fit(np.array(columns).T, [frauds[row["request_id"]] for row in rows])

        def scorer(payments: Payments) -> np.ndarray:
            amounts = np.log(payments.amount)
            given = (amounts, payments.hour, payments.country, payments.merchant, payments.device_age)
            return model.predict_proba(np.column_stack(given))[:, 1]

        return Trained(scorer, len(rows))
