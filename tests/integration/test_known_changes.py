"""The default detector on the errors of two models whose change is known."""

import numpy as np
import pytest
from benchmarks.known_errors import known_errors
from tests.integration import credit_card

from anchorwatch_detectors import registry
from anchorwatch_detectors.usual import of_sample

pytestmark = pytest.mark.broker  # it needs none, but as those that do, a network once

ROWS = 10_000


@pytest.fixture(scope="module")
def models():
    try:
        return {errors.name: errors for errors in known_errors()}
    except credit_card.DataMissing as error:
        pytest.fail(str(error), pytrace=False)


def alarms(errors):
    values = errors.values[np.newaxis]
    detector = registry.sequential("shiryaev_roberts", {"average_run_length": errors.run_length})
    return ROWS + detector.start(1, 1, of_sample(values[:, :ROWS])).update(values[:, ROWS:]).event


@pytest.mark.parametrize(("name", "most"), [("credit card", 60), ("car loan", 1300)])
def test_a_rise_of_errors_is_found_soon_and_nothing_before_it(name, most, models):
    errors = models[name]
    first = int(alarms(errors)[0])
    assert errors.change <= first < errors.change + most


def test_the_errors_are_those_that_were_described(models):
    rates = {
        name: (each.values[: each.change].mean(), each.values[each.change :].mean()) for name, each in models.items()
    }
    assert rates["credit card"] == pytest.approx((0.245, 0.435), abs=0.001)
    assert rates["car loan"] == pytest.approx((0.0563, 0.0842), abs=0.001)
