"""The configuration of anchorwatch as types: every setting with its meaning, unit, range and default.

Durations are nanoseconds once parsed. A default stands in these types and nowhere else.
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BeforeValidator, Field

from anchorwatch.settings.alerting import Alerting
from anchorwatch.settings.budgets import Budget, FalseAlarms
from anchorwatch.settings.comparing import Compare
from anchorwatch.settings.estimates import RetrainEstimate
from anchorwatch.settings.incidents import Incidents
from anchorwatch.settings.kafka import Inputs, Kafka, Outputs, Sasl, Tls
from anchorwatch.settings.monitors import (
    Accuracy,
    AnyDetector,
    Count,
    Detector,
    Drift,
    Monitor,
    Monitors,
    Quality,
    Schema,
    Share,
)
from anchorwatch.settings.names import Location, Name, UriReference, is_topic
from anchorwatch.settings.retraining import Quota, Retrain, Trouble
from anchorwatch.settings.section import Conflict, Section
from anchorwatch.settings.streams import EventTime, Feature, Labels, Prediction, Predictions, Scalar, TimeUnit
from anchorwatch.settings.units import NS, Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = [
    "Accuracy",
    "Alerting",
    "AnyDetector",
    "Baseline",
    "Count",
    "Detector",
    "Drift",
    "EventTime",
    "Feature",
    "Inputs",
    "Kafka",
    "Labels",
    "Model",
    "Monitor",
    "Monitors",
    "Outputs",
    "Prediction",
    "Predictions",
    "Quality",
    "Quota",
    "Retrain",
    "RetrainEstimate",
    "Sasl",
    "Scalar",
    "Schema",
    "Section",
    "Settings",
    "Share",
    "TimeUnit",
    "Tls",
    "Trouble",
    "Windows",
]


class Baseline(Section):
    """What the model is compared with; exactly one of first, name and file."""

    first: Count | None = Field(None, description="Build it from the first so many predictions of each version.")
    labels: Count | None = Field(
        None, description="with first: and the accuracy part from so many labelled ones. Default: as first."
    )
    name: Name | None = Field(None, description="Name or id of a baseline in the store.")
    file: Location | None = Field(None, description="A baseline exported to a JSON file.")
    season: Literal["day", "week"] | None = Field(
        None,
        description="Compare with the same time of the day or week (UTC) in the baseline, which covers a whole one at "
        "least; null: whatever the time.",
    )

    def conflicts(self) -> Iterator[Conflict]:
        """Yield a baseline that comes from nowhere, or from several places."""
        given = [key for key in ("first", "name", "file") if getattr(self, key) is not None]
        if not given:
            yield Conflict(
                (),
                "without a baseline there is nothing to compare with: give one of `first` (so many predictions), "
                "`name` (in the store) or `file`",
            )
        if len(given) > 1:
            listed = ", ".join(f"`{key}`" for key in given)
            yield Conflict(
                (given[-1],), f"a model has one baseline, and {listed} would each give one: keep one of them"
            )
        if self.labels is not None and self.first is None:
            yield Conflict(
                ("labels",),
                "`labels` says how `first` gathers the accuracy part; a finished baseline has its own: remove it",
            )


class Windows(Section):
    """How events are gathered for tests by window; by count, by event time, or by whichever is full first."""

    size: Annotated[int, Field(ge=10, le=100_000_000)] | None = Field(
        1000, description="Events in a window; null: no limit."
    )
    time: Span | None = Field(None, description="Length in event time; with size: whichever is full first.")
    panes: Annotated[int, Field(ge=1, le=100)] = Field(
        1, description="1: tumbling. k: sliding, a window of the last k panes, each as long as size and time say."
    )
    min_sample: Count = Field(100, description="A window with fewer values is undetermined: never stable, never drift.")

    def conflicts(self) -> Iterator[Conflict]:
        """Yield windows that never close or never hold enough."""
        if self.size is None and self.time is None:
            yield Conflict(("size",), "a window without `size` and `time` never closes: set one of them, or both")
        if self.size is not None and self.min_sample > self.size * self.panes:
            yield Conflict(
                ("min_sample",),
                f"a window holds at most {self.size * self.panes} values, so all of them would be undetermined: "
                f"set `min_sample` to {self.size * self.panes} or less, or `size` higher",
            )


def _policies(value: object) -> object:
    return [value] if isinstance(value, dict) else value


_BITS = ("eddm", "river.drift.binary.DDM", "river.drift.binary.EDDM", "river.drift.binary.FHDDM")


class Model(Section):
    """One model and its watch."""

    predictions: Predictions = Field(description="The stream of predictions.")
    labels: Labels | None = Field(None, description="The stream of labels, where there is one.")
    event_time: EventTime = Field(default_factory=EventTime, description="How event time is read.")
    segments: list[str] = Field(
        default_factory=list, description="Category features or dimensions to watch each value of on its own."
    )
    max_segments: Annotated[int, Field(ge=1, le=10_000)] = Field(
        100, description="So many values of a segment column are watched; the others together are `other`."
    )
    baseline: Baseline = Field(description="What the model is compared with.")
    windows: Windows = Field(default_factory=Windows, description="How events are gathered.")
    monitors: Monitors = Field(default_factory=Monitors, description="What is watched.")
    false_alarms: FalseAlarms = Field(
        Budget(alarms=1, events=None, time=365 * NS["d"]),
        description="So many false alarms all monitors of this model together may raise while nothing changes, per "
        "event time or per number of predictions. Ten times fewer cost about a sixth of the speed, and whoever has "
        "thirty models hears of one in twelve days: so one a year is the default.",
    )
    compare: Compare | None = Field(
        None, description="Versions held against each other. Default: none, each is watched on its own."
    )
    incidents: Incidents = Field(
        default_factory=Incidents, description="Which alerts are told together, and how often."
    )
    retrain: Annotated[list[Retrain], BeforeValidator(_policies, json_schema_input_type=Retrain | list[Retrain])] = (
        Field(
            default_factory=list,
            description="Retrain policies, one or a list. Default: none, nothing is triggered.",
        )
    )
    retrain_estimate: RetrainEstimate = Field(
        default_factory=RetrainEstimate, description="What a retraining would recover, told with its trigger."
    )

    def conflicts(self) -> Iterator[Conflict]:
        """Yield segments that are no columns, labels asked for but not there, and triggers that could never be."""
        yield from self._segment_conflicts()
        if self.baseline.labels is not None and self.labels is None:
            yield Conflict(("baseline", "labels"), "the model has no labels to gather: add `labels:` or remove this")
        yield from self.monitors.accuracy.unsuited(self.predictions.prediction, labelled=self.labels is not None)
        if self.compare is not None and self.labels is None:
            yield Conflict(("compare",), "versions are compared by their errors, and the model has no labels: add them")
        if self.compare is not None and self.predictions.version is None:
            yield Conflict(("compare",), "the predictions say no version: name its field in `predictions.version`")
        detector = self.monitors.accuracy.sequential
        if self.baseline.season is not None and detector is not None and detector.name in _BITS:
            yield Conflict(
                ("monitors", "accuracy", "sequential"),
                f"with a season an error counts by how usual it is at its time of the {self.baseline.season}, and "
                f"`{detector.name}` only knows 0 and 1: choose another one, such as adwin, or leave `season` out",
            )
        names = [policy.name for policy in self.retrain]
        for index, policy in enumerate(self.retrain):
            if policy.name in names[:index]:
                yield Conflict(
                    ("retrain", index, "name"),
                    f"another policy is called `{policy.name}` too, and their triggers would have the same ids: "
                    "give each its own name",
                )
            yield from self._policy_conflicts(index, policy)
        labelled = self.labels is not None
        yield from self.retrain_estimate.missed(self.predictions.prediction, self.retrain, labelled=labelled)

    def _segment_conflicts(self) -> Iterator[Conflict]:
        features, dimensions = self.predictions.features, self.predictions.dimensions
        columns = [name for name, feature in features.items() if feature.kind == "category"] + list(dimensions)
        for index, name in enumerate(self.segments):
            if name in self.segments[:index]:
                yield Conflict(("segments", index), f"`{name}` is listed twice: remove one")
            elif name in features and name not in columns:
                yield Conflict(
                    ("segments", index),
                    f"`{name}` is a numeric feature, every value of it would be a segment of its own: segment by a "
                    "category feature or a dimension",
                )
            elif name not in columns:
                near = get_close_matches(name, columns, n=1, cutoff=0.7)
                known = ", ".join(columns) or "none yet, add one under predictions.features or predictions.dimensions"
                hint = f"did you mean `{near[0]}`?" if near else f"known here: {known}"
                yield Conflict(
                    ("segments", index), f"`{name}` is no category feature and no dimension of this model; {hint}"
                )

    def _policy_conflicts(self, index: int, policy: Retrain) -> Iterator[Conflict]:
        for kind in dict.fromkeys(trouble.split()[0] for trouble in policy.when):
            key = "schema_" if kind == "schema" else kind
            if kind == "accuracy" and self.labels is None:
                why = "accuracy is only known with labels, and the model has none: add `labels:`"
            elif kind == "latency" and self.predictions.latency is None:
                why = "the latency is not given: add `latency` to `predictions`"
            elif not getattr(self.monitors, key).enabled:
                why = f"monitors.{kind} is switched off: enable it"
            else:
                continue
            yield Conflict(
                ("retrain", index, "when"), f"this policy never sees an alert of {kind}, {why} or take it out of `when`"
            )
        if policy.min_labels > 0 and self.labels is None:
            yield Conflict(
                ("retrain", index, "min_labels"),
                f"a trigger waits for {policy.min_labels} labels since the change, and the model has none, so there "
                "would never be one: add `labels:`, or set `min_labels: 0`",
            )


class Settings(Section):
    """Everything."""

    source: UriReference = Field(
        "/anchorwatch", description="Who we are in every id and event we publish; a URI reference."
    )
    store: Location = Field("anchorwatch.db", description="Path of the SQLite file that holds all state.")
    kafka: Kafka | None = Field(None, description="The broker; not needed for a replay of files.")
    outputs: Outputs = Field(default_factory=Outputs, description="Topics that are written to.")
    inputs: Inputs = Field(default_factory=Inputs, description="Topics that are read beside those of the models.")
    models: Annotated[dict[Name, Model], Field(min_length=1)] = Field(description="The models, by name.")

    def conflicts(self) -> Iterator[Conflict]:
        """Yield input topics that Kafka cannot have, or that we write to ourselves."""
        written = {getattr(self.outputs, key): key for key in type(self.outputs).model_fields}
        yield from self._status_conflicts(written)
        for name, model in self.models.items():
            for part, stream in (("predictions", model.predictions), ("labels", model.labels)):
                if stream is None:
                    continue
                path = ("models", name, part, "topic")
                if stream.topic in written:
                    yield Conflict(
                        path,
                        f"`{stream.topic}` is also written to (outputs.{written[stream.topic]}): anchorwatch would "
                        "read its own messages for ever; give inputs and outputs different topics",
                    )
                elif self.kafka is not None and not is_topic(stream.topic):
                    yield Conflict(
                        path,
                        f"`{stream.topic}` cannot name a Kafka topic: letters, digits, `.`, `_` and `-` only, at most "
                        "249 of them",
                    )

    def _status_conflicts(self, written: Mapping[str, str]) -> Iterator[Conflict]:
        topic = self.inputs.retrain_status
        models = self.models.items()
        read = {s.topic for _, m in models for s in (m.predictions, m.labels) if s is not None}
        path = ("inputs", "retrain_status")
        if topic in written or topic in read:
            yield Conflict(path, f"`{topic}` holds something else already: give the status messages their own topic")
        for name, model in models:
            for index, policy in enumerate(model.retrain):
                if topic is None and policy.delivery == "at_least_once":
                    yield Conflict(
                        ("models", name, "retrain", index, "delivery"),
                        "nobody could acknowledge a trigger, so it would be published again and again: name the topic "
                        "of the answers in `inputs.retrain_status`, or leave `delivery` out",
                    )
