import numpy as np
import pytest

from anchorwatch.engine.watch import compile_watch
from anchorwatch.settings.models import Model
from anchorwatch_detectors.correction import benjamini_hochberg, benjamini_yekutieli

P_VALUES = np.array([0.001, 0.01, 0.02, 0.5])


@pytest.mark.parametrize("name", ["benjamini_hochberg", "benjamini_yekutieli"])
def test_the_correction_that_is_named_is_the_one_that_adjusts_the_columns_of_a_window(name):
    model = Model.model_validate(
        {
            "predictions": {
                "topic": "p",
                "id": "id",
                "features": {"x": "numeric"},
                "prediction": {"kind": "binary", "score": "s"},
            },
            "baseline": {"first": 100},
            "monitors": {"drift": {"correction": name}},
        }
    )
    families = compile_watch("/a", "m", model, None, "0").predictions.families
    drift = next(family for family in families if family.columns == (0,))
    expected = {"benjamini_hochberg": benjamini_hochberg, "benjamini_yekutieli": benjamini_yekutieli}[name](P_VALUES)
    assert drift.correction(P_VALUES).tolist() == expected.tolist()
    assert benjamini_hochberg(P_VALUES).tolist() != benjamini_yekutieli(P_VALUES).tolist()
