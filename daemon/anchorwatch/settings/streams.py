"""What a model's events look like: predictions, labels, and their time."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BeforeValidator, Field

from anchorwatch.settings.names import ClassName, Column, FieldPath, ReadTopic, check_path
from anchorwatch.settings.probabilities import contradictions
from anchorwatch.settings.section import Conflict, Section
from anchorwatch.settings.units import NS, Duration, Span

if TYPE_CHECKING:
    from collections.abc import Iterator

TimeUnit = Literal["auto", "iso", "s", "ms", "us", "ns"]


def _scalar(value: object) -> object:
    if not isinstance(value, str | int | float | bool) or (isinstance(value, float) and not math.isfinite(value)):
        raise ValueError("this must be one text, number, true or false")
    return value


Scalar = Annotated[str | int | float | bool, BeforeValidator(_scalar)]


class Feature(Section):
    """One feature of a model."""

    kind: Literal["numeric", "category"] = Field(description="What its values are.")
    path: FieldPath | None = Field(
        None, description="Where it stands in the event, dots for nesting. Default: its name."
    )
    importance: Annotated[float, Field(ge=0, le=1_000_000)] | None = Field(
        None,
        description="How much the model rests on it, in any unit: drifted features are ranked by it too. Default: as "
        "the mean of those given.",
    )


def _feature(value: object) -> object:
    return {"kind": value} if isinstance(value, str) else value


class Prediction(Section):
    """What the model said."""

    kind: Literal["binary", "multiclass", "regression", "ranking"] = Field(description="What sort of prediction it is.")
    score: FieldPath | None = Field(
        None, description="Path of the score: of the positive class, or of the predicted one."
    )
    threshold: float = Field(0.5, description="binary: a score of at least this much predicts the positive class.")
    class_: FieldPath | None = Field(
        None,
        alias="class",
        description="Path of the predicted class; beside `probabilities` it may be left out: the most probable one.",
    )
    probabilities: dict[ClassName, FieldPath] = Field(
        default_factory=dict,
        description="multiclass: path of the probability of each class, class: path, at most 100 classes; each takes 8 "
        "bytes of a waiting prediction. They lie in 0 to 1 and add up to 1.",
    )
    positive: Scalar = Field(1, description="binary: the label (and class) that counts as positive.")
    value: FieldPath | None = Field(None, description="regression: path of the predicted value.")
    items: FieldPath | None = Field(
        None, description="ranking: path of the list of items (texts or whole numbers), the best one first."
    )
    k: Annotated[int, Field(ge=1, le=64)] = Field(
        10, description="ranking: how many items of a list count; each takes 8 bytes of a waiting prediction."
    )
    relevant: Annotated[int, Field(ge=1, le=1000)] = Field(
        10, description="ranking: how many different items one label may name; one that names more is a dead letter."
    )

    @property
    def scored(self) -> bool:
        """Whether a score of the predicted class, or of the positive one, comes with it."""
        return self.score is not None or bool(self.probabilities)

    @property
    def probable(self) -> bool:
        """Whether metrics of scores can be had: of several classes they need the probabilities of all."""
        return bool(self.probabilities) if self.kind == "multiclass" else self.score is not None

    def conflicts(self) -> Iterator[Conflict]:
        """Yield outputs this kind of prediction lacks, and outputs it cannot have."""
        if self.kind == "binary" and self.score is None and self.class_ is None:
            yield Conflict(
                ("kind",), "a binary prediction needs `score` (the path of the positive class's score) or `class`"
            )
        if self.kind == "multiclass" and self.class_ is None and not self.probabilities:
            yield Conflict(
                ("kind",),
                "a multiclass prediction needs `class`, the path of the predicted class, or `probabilities`, that of "
                "each class",
            )
        if self.kind == "regression" and self.value is None:
            yield Conflict(("kind",), "a regression needs `value`, the path of the predicted value")
        if self.kind == "ranking" and self.items is None:
            yield Conflict(("kind",), "a ranking needs `items`, the path of the list of items")
        lists = ("items", "k", "relevant")
        foreign = {
            "binary": ("value", "probabilities", *lists),
            "multiclass": ("threshold", "positive", "value", *lists),
            "regression": ("score", "threshold", "class", "positive", "probabilities", *lists),
            "ranking": ("score", "threshold", "class", "positive", "probabilities", "value"),
        }
        fields = type(self).model_fields
        for key in foreign[self.kind]:
            name = "class_" if key == "class" else key
            if getattr(self, name) != fields[name].get_default(call_default_factory=True):
                yield Conflict(
                    (key,), f"`{key}` means nothing to a {self.kind} prediction: remove it, or change `kind`"
                )
        if self.kind == "multiclass":
            yield from contradictions(self)
        if self.kind == "binary" and self.score is None and self.threshold != fields["threshold"].default:
            yield Conflict(("threshold",), "`threshold` is compared with a score, and there is none: add `score`")


class Predictions(Section):
    """The stream of predictions of a model."""

    topic: ReadTopic = Field(description="Topic (or file, in a replay) the events come from.")
    id: FieldPath = Field(description="Path of the prediction's id: what labels are joined by and duplicates known by.")
    time: FieldPath | None = Field(None, description="Path of the event time. Default: the record's own timestamp.")
    time_unit: TimeUnit = Field("auto", description="ISO 8601 text or epoch unit; auto tells them apart by magnitude.")
    version: FieldPath | None = Field(
        None, description="Path of the model version. Default: all events are one version."
    )
    latency: FieldPath | None = Field(None, description="Path of the time the prediction took, in any unit.")
    features: dict[
        Column,
        Annotated[Feature, BeforeValidator(_feature, json_schema_input_type=Literal["numeric", "category"] | Feature)],
    ] = Field(default_factory=dict, description="Features by name: numeric, category, or {kind, path}.")
    dimensions: dict[Column, FieldPath] = Field(
        default_factory=dict, description="Further columns to segment by, name: path; they are not watched themselves."
    )
    prediction: Prediction = Field(description="What the model said.")
    where: dict[FieldPath, Scalar] = Field(
        default_factory=dict, description="Take only events whose fields have these values, path: value."
    )

    def conflicts(self) -> Iterator[Conflict]:
        """Yield columns whose names clash or lead nowhere."""
        for name in self.dimensions:
            if name in self.features:
                yield Conflict(
                    ("dimensions", name),
                    f"`{name}` is already a feature; a segment by it would be ambiguous: choose another name, or "
                    "segment by the feature (a category needs no dimension)",
                )
        for name, feature in self.features.items():
            if feature.path is None:
                try:
                    check_path(name)
                except ValueError as error:
                    yield Conflict(("features", name), f"{error}, or say where the value stands with `path:`")


class Labels(Section):
    """The stream of labels of a model."""

    topic: ReadTopic = Field(description="Topic (or file, in a replay) the labels come from.")
    id: FieldPath = Field(description="Path of the id of the prediction that is labelled.")
    time: FieldPath | None = Field(
        None, description="Path of the label's event time. Default: the record's own timestamp."
    )
    time_unit: TimeUnit = Field("auto", description="ISO 8601 text or epoch unit; auto tells them apart by magnitude.")
    value: FieldPath = Field(description="Path of the true class or value, or of the relevant items (ranking).")
    wait: Span = Field(7 * NS["d"], description="How long a prediction waits for its label, in event time.")
    early: Duration = Field(
        NS["h"], description="How long a label waits for its prediction, in event time; 0s: it must come after it."
    )
    sample: Annotated[float, Field(gt=0, le=1)] = Field(
        1.0,
        description="Share of the predictions, chosen by the hash of their id, that wait for labels; what waits takes "
        "memory in proportion. The others are watched all the same, but for their accuracy.",
    )
    revisions: Literal["first", "latest"] = Field(
        "first",
        description="Which label of a prediction counts where another comes with another value: the first, or the "
        "latest, which replaces it in the windows of accuracy metrics that are open and in the retrain estimate.",
    )
    where: dict[FieldPath, Scalar] = Field(
        default_factory=dict, description="Take only events whose fields have these values, path: value."
    )


class EventTime(Section):
    """How event time is read from the streams of a model."""

    lateness: Duration = Field(
        NS["m"],
        description="How far an event may lie behind the newest one of its partition and still be taken in order; "
        "0s: not at all.",
    )
    idle_after: Span = Field(
        NS["m"], description="A partition without records for so long (wall time) is no longer waited for."
    )
    ahead: Span = Field(
        NS["h"], description="A partition further ahead of the others than this (event time) is paused."
    )
    future: Duration = Field(
        NS["h"], description="An event further ahead of the wall clock than this is a dead letter."
    )
