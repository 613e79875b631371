"""What is watched of a model, and when a verdict becomes an alert."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from anchorwatch.settings.section import Conflict, Section
from anchorwatch.settings.units import NS, Duration, Span

if TYPE_CHECKING:
    from collections.abc import Iterator

Share = Annotated[float, Field(gt=0, lt=1)]
Count = Annotated[int, Field(ge=1, le=1_000_000_000)]


class Alerting(Section):
    """When verdicts become an alert, and how often it is told."""

    severity: Literal["info", "warning", "critical"] = Field("warning", description="How loud the alert is.")
    needs: Annotated[int, Field(ge=1, le=32)] = Field(
        2, description="So many of the last `of` windows must show it. A decisive verdict needs one."
    )
    of: Annotated[int, Field(ge=1, le=32)] = Field(3, description="See needs.")
    keep_firing_for: Duration = Field(0, description="Event time without trouble before the alert resolves.")
    cooldown: Duration = Field(0, description="Event time after resolving during which it does not fire again.")
    repeat: Span = Field(NS["d"], description="Event time after which a firing alert is told again.")

    def conflicts(self) -> Iterator[Conflict]:
        """Yield a quorum that cannot be met."""
        if self.needs > self.of:
            yield Conflict(
                ("needs",),
                f"{self.needs} of the last {self.of} windows can never show it, so the alert would never fire: "
                f"set `needs` to {self.of} or less, or `of` to {self.needs} or more",
            )


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


AnyDetector = Annotated[Detector, BeforeValidator(_detector, json_schema_input_type=str | Detector)]


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
