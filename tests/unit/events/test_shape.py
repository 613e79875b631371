from __future__ import annotations

import pytest

from anchorwatch.errors import ConfigurationError


def test_columns_stand_in_the_order_of_the_configuration_outputs_and_dimensions_behind(bench):
    stand = bench(predictions={"features": {"b": "category", "a": "numeric"}, "prediction": {"class": "said"}})
    assert stand.shape.numeric == ("amount", "age", "a", "prediction:score", "latency")
    assert stand.shape.category == ("country", "b", "prediction:class", "shop")


def test_what_is_not_configured_has_no_column(bench):
    plain = {"kind": "regression", "value": "y", "score": ...}
    stand = bench(predictions={"latency": ..., "features": {"country": ...}, "dimensions": ..., "prediction": plain})
    assert stand.shape.numeric == ("amount", "age", "prediction:value")
    assert stand.shape.category == ()


def test_a_path_through_a_value_is_refused_with_both_named(bench):
    with pytest.raises(ConfigurationError, match=r"'country'.*'country\.code'"):
        bench(predictions={"dimensions": {"code": "country.code"}})


@pytest.mark.parametrize("path", ['a"b', r"a\b", "a\nb"])
def test_a_name_that_json_writes_escaped_is_refused(bench, path):
    with pytest.raises(ConfigurationError, match="cannot be read"):
        bench(predictions={"id": path})
