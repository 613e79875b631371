"""What cannot be said of the probabilities that a prediction gives each class."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from anchorwatch.settings.section import Conflict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from anchorwatch.settings.streams import Prediction

MOST: Final = 100
"""Classes that may have a probability: all of them are remembered of a prediction that waits for its label."""


def contradictions(prediction: Prediction) -> Iterator[Conflict]:
    """Yield what the probabilities of a multiclass prediction contradict."""
    found = prediction.probabilities
    if not found:
        return
    if len(found) < 2:
        yield Conflict(
            ("probabilities",), "a choice needs two classes at least: name each class with the path of its probability"
        )
    if len(found) > MOST:
        yield Conflict(
            ("probabilities",),
            f"{len(found)} classes are more than the {MOST} whose probabilities can be remembered until a label comes: "
            "leave `probabilities` out, and give `class` and `score`",
        )
    if prediction.score is not None:
        yield Conflict(
            ("score",), "the score is the probability of the predicted class, which `probabilities` gives: remove it"
        )
    first: dict[str, str] = {}
    for name, path in found.items():
        if first.setdefault(path, name) != name:
            yield Conflict(
                ("probabilities", name),
                f"`{path}` is the probability of class `{first[path]}` already: say where that of `{name}` stands",
            )
