"""When verdicts become an alert, and how often it is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import BeforeValidator, Field

from anchorwatch.settings.incidents import Flapping
from anchorwatch.settings.section import Conflict, Section
from anchorwatch.settings.units import NS, Duration, Span

if TYPE_CHECKING:
    from collections.abc import Iterator


class Alerting(Section):
    """When verdicts become an alert, and how often it is told."""

    severity: Literal["info", "warning", "critical"] = Field("warning", description="How loud the alert is.")
    needs: Annotated[int, Field(ge=1, le=32)] = Field(
        2,
        description="So many of the last `of` windows must show it; it ends when none of them does. An alarm of a "
        "sequential detector needs one.",
    )
    of: Annotated[int, Field(ge=1, le=32)] = Field(3, description="Of how many windows `needs` are needed.")
    keep_firing_for: Duration = Field(
        0, description="Event time without trouble before the alert resolves; 0s: at once."
    )
    cooldown: Duration = Field(
        0, description="Event time after resolving during which it does not fire again; 0s: none."
    )
    repeat: Span = Field(7 * NS["d"], description="Event time after which a firing alert is told again.")
    flapping: Flapping | None = Field(
        default_factory=Flapping, description="When an alert that comes and goes is held; null: never."
    )

    def conflicts(self) -> Iterator[Conflict]:
        """Yield a quorum that cannot be met."""
        if self.needs > self.of:
            yield Conflict(
                ("needs",),
                f"{self.needs} of the last {self.of} windows can never show it, so the alert would never fire: "
                f"set `needs` to {self.of} or less, or `of` to {self.needs} or more",
            )


def _critical(value: object) -> object:
    return {"severity": "critical", **value} if isinstance(value, dict) else value


CriticalAlerting = Annotated[Alerting, BeforeValidator(_critical)]
"""Alerting that is critical unless another severity is given."""
