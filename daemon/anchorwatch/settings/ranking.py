"""What cannot be asked for where a model ranks items."""

from __future__ import annotations

from typing import TYPE_CHECKING

from anchorwatch.settings.section import Conflict

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from anchorwatch.settings.retraining import Retrain
    from anchorwatch.settings.streams import Prediction


def untried(prediction: Prediction, policies: Sequence[Retrain]) -> Iterator[Conflict]:
    """Yield what policies ask of an estimate that is made for classes and values only, with paths from the model."""
    for index, policy in enumerate(policies):
        if prediction.kind == "ranking" and policy.only_if is not None:
            yield Conflict(
                ("retrain", index, "only_if"),
                "what a retraining would recover is not estimated for a ranking, so there would never be a trigger: "
                "remove `only_if`",
            )
