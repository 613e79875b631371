"""What the engine hands to the decisions: a verdict and whose it is."""

from __future__ import annotations

import enum

import msgspec

from anchorwatch_detectors.base import Verdict


class Kind(enum.StrEnum):
    """What sort of trouble a monitor looks for; policies and severities go by it."""

    SCHEMA = "schema"
    QUALITY = "quality"
    DRIFT = "drift"
    PREDICTION = "prediction"
    ACCURACY = "accuracy"
    LATENCY = "latency"
    VOLUME = "volume"
    LABELS = "labels"
    COMPARISON = "comparison"
    RETRAIN = "retrain"


ERROR_RATE, ERROR_SIZE = "error rate", "error size"
"""Subjects of accuracy alerts: of models that predict classes, and of those that predict values."""

VOLUME, LABEL_COVERAGE, LABEL_DELAY = "volume", "label coverage", "label delay"
"""Subjects of alerts of how much comes: predictions, and labels."""

LABEL_FEED = "label feed"
"""Subject of the alert that no labels come any more."""


POINTS, DEVIATIONS = "percentage points", "standard deviations"
SPREAD, VARIATION = "relative spread", "total variation"
OWN = "own unit"
"""Units of effects: of rates; of the mean and of the spread of numbers; of categories, as the share that has moved; of
accuracy metrics."""


class Identity(msgspec.Struct, frozen=True, order=True):
    """Whose verdict it is. These are an alert's labels: nothing that changes from verdict to verdict.

    `segment` is "" for all traffic, else "column=value"; `subject` names what is watched ("amount", "error rate");
    `monitor` names the detector ("adwin", "kolmogorov_smirnov").
    """

    model: str
    version: str
    segment: str
    kind: Kind
    subject: str
    monitor: str


class Evidence(msgspec.Struct, frozen=True):
    """One verdict on its way to a decision.

    Attributes
    ----------
    at
        Event time in ns since the epoch at which the verdict became known.
    identity
        Whose it is.
    verdict
        What the detector says.
    baseline
        Id of the baseline it was held against.
    decisive
        True where one verdict is enough (a sequential detector's alarm has its own false-alarm guarantee); False where
        the policy's "k of n windows" applies.
    labelled
        How many labelled predictions of that model version have been seen by then, ever.
    labelled_since
        How many of them since the verdict's `since`; 0 where nothing changed.
    rows, rows_since
        The same of its predictions, labelled or not, that were watched.
    """

    at: int
    identity: Identity
    verdict: Verdict
    baseline: str
    decisive: bool
    labelled: int
    labelled_since: int
    rows: int = 0
    rows_since: int = 0
