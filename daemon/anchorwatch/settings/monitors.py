"""What is watched of a model, and when a verdict becomes an alert."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Field

from anchorwatch.settings.alerting import Alerting, CriticalAlerting
from anchorwatch.settings.feeds import LabelFeed, Volume
from anchorwatch.settings.section import Conflict, Section
from anchorwatch.settings.units import Duration
from anchorwatch_detectors import metrics, registry

if TYPE_CHECKING:
    from collections.abc import Iterator

    from anchorwatch.settings.streams import Prediction

AUTO: Final = "auto"
Share = Annotated[float, Field(gt=0, lt=1)]
Count = Annotated[int, Field(ge=1, le=1_000_000_000)]


class Monitor(Section):
    """One kind of monitor of a model."""

    enabled: bool = Field(default=True, description="Whether it watches at all; false switches it off.")
    significance: Share | None = Field(
        None,
        description="False-discovery rate over all columns and segments of a window. Default: what the model's "
        "`false_alarms` leaves for it, 0.001 at most.",
    )
    alert: Alerting = Field(default_factory=Alerting, description="When verdicts become an alert.")


class Quality(Monitor):
    """Missing, mistyped and unseen values, window by window."""

    smallest_effect: Share = Field(0.01, description="Rise of a share that is worth knowing.")


class Schema(Section):
    """A column that stops arriving, or changes its type, is told within a run of rows."""

    enabled: bool = Field(default=True, description="Whether it watches at all; false switches it off.")
    run: Count = Field(50, description="So many unusable values of a column in a row are a break.")
    alert: CriticalAlerting = Field(
        default_factory=lambda: Alerting(severity="critical"), description="When verdicts become an alert."
    )


class Detector(Section):
    """A sequential detector and its parameters."""

    name: str = Field(
        AUTO,
        description="Registered name, or the import path of any river detector; auto: shiryaev_roberts over errors of "
        "classes, shiryaev_roberts_ranks over ranks.",
    )
    parameters: dict[str, Any] = Field(
        default_factory=dict,
        description="Its parameters, by the names it gives them; those left out have its defaults, and "
        "average_run_length follows the model's `false_alarms`.",
    )

    def named(self, otherwise: str) -> str:
        """Return its name, or another one where it is left to us."""
        return otherwise if self.name == AUTO else self.name

    def conflicts(self) -> Iterator[Conflict]:
        """Yield a detector that is not known, and parameters it does not take."""
        if self.name == AUTO:
            if self.parameters:
                yield Conflict(("parameters",), "parameters belong to a detector: say which one with `name`")
            return
        known = self.name in registry.names("sequential")
        if known and not self.parameters:
            return
        try:
            registry.sequential(self.name, self.parameters)
        except ValueError as error:
            yield Conflict(("parameters",) if self._is_found() else ("name",), str(error))

    def _is_found(self) -> bool:
        """Return whether the name alone gives a detector."""
        try:
            registry.sequential(self.name)
        except ValueError:
            return False
        return True


def _detector(value: object) -> object:
    return {"name": value} if isinstance(value, str) else value


AnyDetector = Annotated[Detector, BeforeValidator(_detector, json_schema_input_type=str | Detector)]


class Drift(Monitor):
    """Change of a column's distribution, by window and value by value."""

    numeric: str | None = Field("kolmogorov_smirnov", description="Window test of numeric columns; null: none.")
    category: str | None = Field("chi_square", description="Window test of category columns; null: none.")
    correction: Literal["benjamini_hochberg", "benjamini_yekutieli"] = Field(
        "benjamini_hochberg",
        description="How the significance is shared among columns; the second also holds where they depend on each "
        "other in unfriendly ways, and is stricter.",
    )
    smallest_effect: Share | None = Field(
        None, description="Difference worth knowing, in the unit of the test. Default: the test's own."
    )
    sequential: AnyDetector | None = Field(
        default_factory=Detector,
        description="Detector over the values' ranks in the baseline, a name or {name, parameters}; null: none.",
    )
    smallest_shift: Share = Field(
        0.005,
        description="Shift of the mean rank in the baseline (0 to 1, 0.5 is none) worth knowing. A shift by a tenth of "
        "a standard deviation is 0.03, so the default hides nothing that matters, while a sixth of that never rings.",
    )

    def conflicts(self) -> Iterator[Conflict]:
        """Yield window tests that are not known or do not suit the columns they are given."""
        fields = type(self).model_fields
        for key in ("numeric", "category"):
            name = getattr(self, key)
            if name is None or name == fields[key].default:
                continue
            try:
                kinds = registry.installed().find("window", name).kinds
            except ValueError as error:
                yield Conflict((key,), str(error))
                continue
            if key not in kinds:
                other = fields[key].default
                yield Conflict((key,), f"`{name}` does not compare {key} columns: choose another one, such as {other}")


class Judged(Section):
    """An accuracy metric that is held against the baseline's."""

    margin: Annotated[float, Field(gt=0, lt=10)] | None = Field(
        None,
        description="So much worse than in the baseline is tolerated: in the metric's unit; for mae, rmse, mape, "
        "log_loss, brier and click_through_rate as a share of the baseline's value. Default: 0.02, and 0.05 for these.",
    )


def _by_name(value: object) -> object:
    return {name: {} for name in value} if isinstance(value, list) else value


class Accuracy(Monitor):
    """Errors of the model, where labels come."""

    metrics: Annotated[
        dict[str, Judged], BeforeValidator(_by_name, json_schema_input_type=list[str] | dict[str, Judged])
    ] = Field(
        default_factory=dict,
        description="Metrics that must not become worse than in the baseline, a list of names or {name: {margin}}. All "
        "metrics that suit the model are computed and shown. Default: none is judged, the error rate is.",
    )
    mature: Duration | None = Field(
        None,
        description="Event time after the end of a window at which its metrics are computed; labels.wait at most. "
        "Default: as long as 99 in 100 labels of the baseline took.",
    )

    sequential: AnyDetector | None = Field(
        default_factory=Detector,
        description="Detector over the errors (1 = wrong; of a ranking: nothing relevant among the first k), a name or "
        "{name, parameters}; null: none.",
    )
    smallest_shift: Share = Field(
        0.002,
        description="Rise of the error rate (regression: mean rank) worth knowing. Each point more delays small rises: "
        "one from 0.05 to 0.08 is found half as fast with 0.01, so the default is low.",
    )
    shown: bool = Field(
        default=True, description="Compute the metrics that nobody judges, too; false: only those under `metrics`."
    )
    estimate: bool = Field(
        default=True,
        description="Estimate the accuracy of each window of predictions from their scores or values before labels "
        "come, as far as the baseline has them; it is shown and never becomes an alert.",
    )
    alert: CriticalAlerting = Field(
        default_factory=lambda: Alerting(severity="critical"), description="When verdicts become an alert."
    )

    def conflicts(self) -> Iterator[Conflict]:
        """Yield metrics that are not known."""
        for name in self.metrics:
            try:
                metrics.find(name)
            except ValueError as error:
                yield Conflict(("metrics", name), str(error))

    def unsuited(self, prediction: Prediction, *, labelled: bool) -> Iterator[Conflict]:
        """Yield metrics that such predictions do not have, with paths from the model."""
        suiting = [m.name for m in metrics.suiting(prediction.kind, scores=prediction.probable)]
        for name in self.metrics:
            if not labelled or name not in suiting:
                known = f"one of {', '.join(suiting)}" if labelled else "labels, and the model has none"
                yield Conflict(
                    ("monitors", "accuracy", "metrics", name), f"`{name}` cannot be judged here: give {known}"
                )


def _by_window(value: object) -> object:
    return {"sequential": None, **value} if isinstance(value, dict) else value


class Monitors(Section):
    """What is watched, by kind; everything is on unless switched off."""

    schema_: Schema = Field(default_factory=Schema, alias="schema", description="Columns that break.")
    quality: Quality = Field(default_factory=Quality, description="Missing, mistyped and unseen values.")
    drift: Drift = Field(default_factory=Drift, description="Drift of features.")
    prediction: Drift = Field(default_factory=Drift, description="Drift of predictions.")
    latency: Annotated[Drift, BeforeValidator(_by_window)] = Field(
        default_factory=lambda: Drift(sequential=None), description="Latency, where it is given."
    )
    accuracy: Accuracy = Field(default_factory=Accuracy, description="Accuracy, where labels come.")
    volume: Volume = Field(default_factory=Volume, description="How many predictions come.")
    labels: LabelFeed = Field(default_factory=LabelFeed, description="Whether labels come, and how late.")
