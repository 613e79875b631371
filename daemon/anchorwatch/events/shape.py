"""Which columns the configuration of a model asks for."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from anchorwatch.errors import ConfigurationError
from anchorwatch.events.columns import LATENCY, PREDICTION_CLASS, PREDICTION_SCORE, PREDICTION_VALUE, Shape

if TYPE_CHECKING:
    from anchorwatch.settings.models import Model


def shape_of(model: Model) -> Shape:
    """Return the columns of a model's predictions.

    Numeric columns are the numeric features in the order of the configuration, then the score (binary, multiclass)
    or the value (regression), then the latency, each where its path is given. Category columns are the category
    features, the predicted class (binary, multiclass) or the first item (ranking), then the dimensions, which are there
    for segments alone. Classes with a probability are sorted, so that their order in the configuration means nothing.

    Raises
    ------
    ConfigurationError
        If two columns of one kind have the same name.
    """
    stream = model.predictions
    prediction = stream.prediction
    classes = prediction.kind != "regression"
    numeric = [name for name, feature in stream.features.items() if feature.kind == "numeric"]
    category = [name for name, feature in stream.features.items() if feature.kind == "category"]
    if classes and prediction.scored:
        numeric.append(PREDICTION_SCORE)
    if not classes and prediction.value is not None:
        numeric.append(PREDICTION_VALUE)
    if stream.latency is not None:
        numeric.append(LATENCY)
    if classes:
        category.append(PREDICTION_CLASS)
    category.extend(stream.dimensions)
    for names in (numeric, category):
        for name, times in Counter(names).items():
            if times > 1:
                raise ConfigurationError(
                    f"two columns are named {name!r}, so neither could be told apart in an alert: "
                    f"rename the feature or dimension {name!r} and keep its place with `path: {name}`"
                )
    return Shape(tuple(numeric), tuple(category), tuple(sorted(prediction.probabilities)))
