"""What is estimated beside what is measured."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from anchorwatch.settings.section import Section


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
