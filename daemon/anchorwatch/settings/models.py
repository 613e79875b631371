"""The configuration of anchorwatch as types: every setting with its meaning, unit, range and default.

Durations are nanoseconds once parsed. A default stands here and nowhere else.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from anchorwatch.settings.units import NS, Duration

Share = Annotated[float, Field(gt=0, lt=1)]
Count = Annotated[int, Field(ge=1)]
DURATION_DAY = NS["d"]
DURATION_MINUTE = NS["m"]


class Section(BaseModel):
    """A part of the configuration: unknown keys are refused, nothing changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Tls(Section):
    """Encryption of the connection to Kafka."""

    ca_file: str | None = Field(None, description="Certificates to trust, PEM. Default: those of the machine.")
    certificate_file: str | None = Field(None, description="Our own certificate, PEM, where the broker asks for one.")
    key_file: str | None = Field(None, description="Private key of `certificate_file`, PEM.")
    key_password: str | None = Field(None, description="Password of `key_file`; write ${NAME} to take it from NAME.")
    check_hostname: bool = Field(default=True, description="Whether the certificate must name the host we connect to.")


class Sasl(Section):
    """How we say who we are to Kafka."""

    mechanism: Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER"] = Field(
        description="The mechanism the broker's listener offers."
    )
    username: str | None = Field(None, description="User name (PLAIN, SCRAM).")
    password: str | None = Field(None, description="Password (PLAIN, SCRAM); write ${NAME} to take it from NAME.")
    token: str | None = Field(None, description="Bearer token (OAUTHBEARER); write ${NAME} to take it from NAME.")


class Kafka(Section):
    """The broker that is read from and written to."""

    bootstrap_servers: str = Field(description="host:port, or several separated by commas.")
    group: str = Field(
        "anchorwatch",
        description="Group name under which offsets are committed, as a hint for lag tools; it is never joined.",
    )
    client_id: str = Field("anchorwatch", description="Name in the broker's logs and quotas.")
    security_protocol: Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"] = Field(
        "PLAINTEXT", description="How the connection is secured."
    )
    tls: Tls = Field(default_factory=Tls, description="Encryption, for SSL and SASL_SSL.")
    sasl: Sasl | None = Field(None, description="Credentials, for SASL_PLAINTEXT and SASL_SSL.")
    unreachable_after: Duration = Field(
        5 * DURATION_MINUTE,
        description="How long the broker may be silent before the daemon gives up with exit code 4.",
    )


class Outputs(Section):
    """Topics that are written to."""

    alerts: str = Field("anchorwatch.alerts", description="Topic of alerts.")
    retrain: str = Field("anchorwatch.retrain", description="Topic of retrain triggers.")
    dead_letters: str = Field("anchorwatch.dead-letters", description="Topic of inputs that could not be used.")


TimeUnit = Literal["auto", "iso", "s", "ms", "us", "ns"]
Scalar = str | int | float | bool


class Feature(Section):
    """One feature of a model."""

    kind: Literal["numeric", "category"] = Field(description="What its values are.")
    path: str | None = Field(None, description="Where it stands in the event, dots for nesting. Default: its name.")


def _feature(value: object) -> object:
    return {"kind": value} if isinstance(value, str) else value


class Prediction(Section):
    """What the model said."""

    kind: Literal["binary", "multiclass", "regression"] = Field(description="What sort of prediction it is.")
    score: str | None = Field(None, description="Path of the score: of the positive class, or of the predicted one.")
    threshold: float = Field(0.5, description="binary: a score of at least this much predicts the positive class.")
    class_: str | None = Field(None, alias="class", description="Path of the predicted class.")
    positive: Scalar = Field(1, description="binary: the label (and class) that counts as positive.")
    value: str | None = Field(None, description="regression: path of the predicted value.")


class Predictions(Section):
    """The stream of predictions of a model."""

    topic: str = Field(description="Topic (or file, in a replay) the events come from.")
    id: str = Field(description="Path of the prediction's id: what labels are joined by and duplicates known by.")
    time: str | None = Field(None, description="Path of the event time. Default: the record's own timestamp.")
    time_unit: TimeUnit = Field("auto", description="ISO 8601 text or epoch unit; auto tells them apart by magnitude.")
    version: str | None = Field(None, description="Path of the model version. Default: all events are one version.")
    latency: str | None = Field(None, description="Path of the time the prediction took, in any unit.")
    features: dict[str, Annotated[Feature, BeforeValidator(_feature)]] = Field(
        default_factory=dict, description="Features by name: numeric, category, or {kind, path}."
    )
    dimensions: dict[str, str] = Field(
        default_factory=dict, description="Further columns to segment by, name: path; they are not watched themselves."
    )
    prediction: Prediction = Field(description="What the model said.")
    where: dict[str, Scalar] = Field(
        default_factory=dict, description="Take only events whose fields have these values, path: value."
    )


class Labels(Section):
    """The stream of labels of a model."""

    topic: str = Field(description="Topic (or file, in a replay) the labels come from.")
    id: str = Field(description="Path of the id of the prediction that is labelled.")
    time: str | None = Field(None, description="Path of the label's event time. Default: the record's own timestamp.")
    time_unit: TimeUnit = Field("auto", description="ISO 8601 text or epoch unit; auto tells them apart by magnitude.")
    value: str = Field(description="Path of the true class or value.")
    wait: Duration = Field(7 * DURATION_DAY, description="How long a prediction waits for its label, in event time.")
    early: Duration = Field(
        60 * DURATION_MINUTE, description="How long a label waits for its prediction, in event time."
    )
    where: dict[str, Scalar] = Field(
        default_factory=dict, description="Take only events whose fields have these values, path: value."
    )


class EventTime(Section):
    """How event time is read from the streams of a model."""

    lateness: Duration = Field(
        DURATION_MINUTE,
        description="How far an event may lie behind the newest one of its partition and still be taken in order.",
    )
    idle_after: Duration = Field(
        DURATION_MINUTE, description="A partition without records for so long (wall time) is no longer waited for."
    )
    ahead: Duration = Field(
        60 * DURATION_MINUTE, description="A partition further ahead of the others than this (event time) is paused."
    )
    future: Duration = Field(
        60 * DURATION_MINUTE, description="An event further ahead of the wall clock than this is a dead letter."
    )


class Baseline(Section):
    """What the model is compared with; exactly one of first, name and file."""

    first: Count | None = Field(None, description="Build it from the first so many predictions of each version.")
    labels: Count | None = Field(
        None, description="with first: and the accuracy part from so many labelled ones. Default: as first."
    )
    name: str | None = Field(None, description="Name or id of a baseline in the store.")
    file: str | None = Field(None, description="A baseline exported to a JSON file.")


class Windows(Section):
    """How events are gathered for tests by window; by count, by event time, or by whichever is full first."""

    size: Annotated[int, Field(ge=10)] | None = Field(1000, description="Events in a window; null: no limit.")
    time: Duration | None = Field(None, description="Length in event time; with size: whichever is full first.")
    panes: Annotated[int, Field(ge=1, le=100)] = Field(
        1, description="1: tumbling. k: sliding, a window of the last k panes, each as long as size and time say."
    )
    min_sample: Count = Field(100, description="A window with fewer values is undetermined: never stable, never drift.")


class Alerting(Section):
    """When verdicts become an alert, and how often it is told."""

    severity: Literal["info", "warning", "critical"] = Field("warning", description="How loud the alert is.")
    needs: Count = Field(2, description="So many of the last `of` windows must show it. A decisive verdict needs one.")
    of: Annotated[int, Field(ge=1, le=32)] = Field(3, description="See needs.")
    keep_firing_for: Duration = Field(0, description="Event time without trouble before the alert resolves.")
    cooldown: Duration = Field(0, description="Event time after resolving during which it does not fire again.")
    repeat: Duration = Field(DURATION_DAY, description="Event time after which a firing alert is told again.")


class Monitor(Section):
    """One kind of monitor of a model."""

    enabled: bool = Field(default=True, description="Whether it watches at all.")
    significance: Share = Field(0.001, description="False-discovery rate over all columns and segments of a window.")
    alert: Alerting = Field(default_factory=Alerting, description="When verdicts become an alert.")


class Quality(Monitor):
    """Missing, mistyped and unseen values, window by window."""

    smallest_effect: Share = Field(0.01, description="Rise of a share that is worth knowing.")


class Schema(Section):
    """A column that stops arriving, or changes its type, is told within a run of rows."""

    enabled: bool = Field(default=True, description="Whether it watches at all.")
    run: Count = Field(50, description="So many unusable values of a column in a row are a break.")
    alert: Alerting = Field(
        default_factory=lambda: Alerting(severity="critical"), description="When verdicts become an alert."
    )


class Detector(Section):
    """A sequential detector and its parameters."""

    name: str = Field("adwin", description="Registered name, or the import path of any river detector.")
    parameters: dict[str, Any] = Field(default_factory=dict, description="Its parameters, by the names it gives them.")


def _detector(value: object) -> object:
    return {"name": value} if isinstance(value, str) else value


AnyDetector = Annotated[Detector, BeforeValidator(_detector)]


class Drift(Monitor):
    """Change of a column's distribution, by window and value by value."""

    numeric: str | None = Field("kolmogorov_smirnov", description="Window test of numeric columns; null: none.")
    category: str | None = Field("chi_square", description="Window test of category columns; null: none.")
    smallest_effect: Share | None = Field(
        None, description="Difference worth knowing, in the unit of the test. Default: the test's own."
    )
    sequential: AnyDetector | None = Field(
        default_factory=Detector, description="Detector over the values' ranks in the baseline; null: none."
    )
    smallest_shift: Share = Field(
        0.1, description="Shift of the mean rank in the baseline (0 to 1, 0.5 is none) worth knowing."
    )


class Accuracy(Monitor):
    """Errors of the model, where labels come."""

    sequential: AnyDetector | None = Field(
        default_factory=Detector, description="Detector over the errors (1 = wrong); null: none."
    )
    smallest_shift: Share = Field(0.02, description="Rise of the error rate (regression: mean rank) worth knowing.")
    alert: Alerting = Field(
        default_factory=lambda: Alerting(severity="critical"), description="When verdicts become an alert."
    )


class Monitors(Section):
    """What is watched, by kind; everything is on unless switched off."""

    schema_: Schema = Field(default_factory=Schema, alias="schema", description="Columns that break.")
    quality: Quality = Field(default_factory=Quality, description="Missing, mistyped and unseen values.")
    drift: Drift = Field(default_factory=Drift, description="Drift of features.")
    prediction: Drift = Field(default_factory=Drift, description="Drift of predictions.")
    latency: Drift = Field(default_factory=lambda: Drift(sequential=None), description="Latency, where it is given.")
    accuracy: Accuracy = Field(default_factory=Accuracy, description="Accuracy, where labels come.")


Trouble = Literal[
    "schema", "quality", "drift", "prediction", "latency", "accuracy",
    "accuracy worse", "latency worse", "quality worse",
]  # fmt: skip


def _listed(value: object) -> object:
    return [value] if isinstance(value, str) else value


class Retrain(Section):
    """When a retraining is asked for: at most once per incident."""

    name: str = Field("default", description="Name of the policy, part of the trigger's id.")
    when: Annotated[list[Trouble], BeforeValidator(_listed), Field(min_length=1)] = Field(
        description="Kinds of alerts that ask for it, one or a list; `accuracy worse` leaves improvements out."
    )
    min_labels: Annotated[int, Field(ge=0)] = Field(
        500, description="Labelled predictions since the change that must be there to train on."
    )
    cooldown: Duration = Field(DURATION_DAY, description="Event time between two triggers of this policy.")
    expires: Duration = Field(12 * 60 * DURATION_MINUTE, description="How long a trigger is worth acting on.")
    dry_run: bool = Field(
        default=False, description="Publish the trigger marked as a dry run: nobody should act on it."
    )


def _policies(value: object) -> object:
    return [value] if isinstance(value, dict) else value


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
    retrain: Annotated[list[Retrain], BeforeValidator(_policies)] = Field(
        default_factory=list, description="Retrain policies, one or a list. Default: none, nothing is triggered."
    )


class Settings(Section):
    """Everything."""

    source: str = Field("/anchorwatch", description="Who we are in every id and event we publish; a URI reference.")
    store: str = Field("anchorwatch.db", description="Path of the SQLite file that holds all state.")
    kafka: Kafka | None = Field(None, description="The broker; not needed for a replay of files.")
    outputs: Outputs = Field(default_factory=Outputs, description="Topics that are written to.")
    models: Annotated[dict[str, Model], Field(min_length=1)] = Field(description="The models, by name.")
