"""Versions of a model held against each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from anchorwatch.settings.alerting import Alerting
from anchorwatch.settings.monitors import Share
from anchorwatch.settings.section import Conflict, Section
from anchorwatch.settings.units import NS, Span

if TYPE_CHECKING:
    from collections.abc import Iterator


class Compare(Section):
    """Two versions on the same predictions, and a new version against the one it replaced."""

    champion: str | None = Field(None, description="The version that answers, where two score the same predictions.")
    challenger: str | None = Field(
        None,
        description="The version that is tried beside it: its predictions bear the ids of the champion's, replace no "
        "version, and each label counts for both.",
    )
    margin: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.01,
        description="Differences up to this share of the predictions are none worth knowing: within it two versions "
        "are equivalent.",
    )
    significance: Share = Field(
        0.01, description="Probability of at most this that anything said of two versions, ever, is wrong."
    )
    within: Span = Field(
        10 * NS["m"],
        description="So far apart in event time may the outcomes of the same prediction become known for both.",
    )
    rollouts: bool = Field(
        default=True,
        description="Whether a version that has taken over is compared with the one it replaced.",
    )
    alert: Alerting = Field(default_factory=Alerting, description="When a version that does worse becomes an alert.")

    def conflicts(self) -> Iterator[Conflict]:
        """Yield a version without a rival, and one that is its own."""
        if (self.champion is None) != (self.challenger is None):
            missing = "champion" if self.champion is None else "challenger"
            yield Conflict((missing,), f"two versions are compared: name the {missing} too, or neither")
        elif self.champion is not None and self.champion == self.challenger:
            yield Conflict(("challenger",), f"`{self.champion}` cannot be its own challenger: name two versions")
