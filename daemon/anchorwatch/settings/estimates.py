"""What is estimated beside what is measured."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from anchorwatch.settings.section import Conflict, Section

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from anchorwatch.settings.retraining import Retrain
    from anchorwatch.settings.streams import Prediction


class RetrainEstimate(Section):
    """What a retraining would recover; estimated for models with labels and a retrain policy."""

    enabled: bool = Field(
        default=True, description="Keep labelled predictions with their features, and try cheap models on them."
    )
    rows: Annotated[int, Field(ge=500, le=20_000)] = Field(
        4000,
        description="The newest so many of them are kept for each version and tried on, once for a trigger: 4,000 "
        "take far less than a second.",
    )
    waiting: Annotated[int, Field(ge=100, le=10_000_000)] = Field(
        20_000,
        description="So many predictions are kept with their features until their label comes. Where more wait a "
        "sample is kept, chosen by a hash of the id.",
    )

    def missed(self, prediction: Prediction, policies: Sequence[Retrain], *, labelled: bool) -> Iterator[Conflict]:
        """Yield each condition on an estimate that is never made, with paths from the model."""
        if prediction.kind == "ranking":
            why = "for a ranking"
        elif not labelled:
            why = "without labels, and the model has none"
        elif not self.enabled:
            why = "where `retrain_estimate.enabled` is false"
        else:
            return
        for index, policy in enumerate(policies):
            if policy.only_if is not None:
                yield Conflict(
                    ("retrain", index, "only_if"),
                    f"what a retraining would recover is not estimated {why}, so there would never be a trigger: "
                    "remove `only_if`",
                )
