"""Bad values never reach a detector's arithmetic."""

import math

import numpy as np
import pytest
from river import drift

from anchorwatch_detectors import registry, synth
from anchorwatch_detectors.guard import LARGEST, Guard, usable

ERRORS = synth.abrupt(synth.bernoulli(2000, 1, 0.1), synth.bernoulli(2000, 2, 0.9), 1000)


def rings_in_river(detector, values):
    """Say whether river's detector raises an alarm after the change."""
    for place, x in enumerate(values.tolist()):
        detector.update(x)
        if detector.drift_detected and place >= 1000:
            return True
    return False


@pytest.mark.parametrize(
    ("name", "river", "bad"),
    [
        ("adwin", drift.ADWIN, math.nan),
        ("adwin", drift.ADWIN, math.inf),
        ("adwin", drift.ADWIN, 1e300),
        ("page_hinkley", drift.PageHinkley, math.nan),
        ("page_hinkley", drift.PageHinkley, math.inf),
    ],
)
def test_one_bad_value_silences_river_for_ever_and_ours_not_at_all(name, river, bad):
    """Should river heal itself one day, the second assertion says so."""
    dirty = np.insert(ERRORS, 100, bad)
    assert rings_in_river(river(), ERRORS)
    assert not rings_in_river(river(), dirty)
    found = registry.sequential(name).start(1, 1).update(dirty[np.newaxis])
    clean = registry.sequential(name).start(1, 1).update(ERRORS[np.newaxis])
    assert found.event.tolist() == [event + 1 for event in clean.event.tolist()]
    assert found.event.max() > 1000


def test_the_bound_is_where_a_double_stops_telling_whole_numbers_apart():
    assert LARGEST + 1.0 == LARGEST
    assert LARGEST - 1.0 != LARGEST
    assert usable(np.array([LARGEST, -LARGEST])).all()
    assert not usable(np.array([np.nextafter(LARGEST, np.inf), np.nan, np.inf, -np.inf, -1e300])).any()


def test_a_state_counts_what_each_lane_took_and_passed_over_alarms_or_not_until_it_is_reset():
    values = np.array([[0.1, np.nan, 0.2, 0.3, np.inf], [1e300, 0.5, 0.5, 0.5, 0.5]])
    groups = np.array([0, 0, 1, -1, 1])
    state = registry.sequential("adwin").start(2, 2)
    state.update(values, groups)
    assert state.taken.tolist() == [[1, 1], [1, 2]]
    assert state.passed_over.tolist() == [[1, 1], [1, 0]]
    state.reset(0, 1)
    assert (state.taken[0, 1], state.passed_over[0, 1]) == (0, 0)
    state = registry.sequential("adwin").start(1, 1)
    assert len(state.update(ERRORS[np.newaxis]).event) == 1
    assert state.taken.tolist() == [[len(ERRORS)]]


def test_too_few_or_too_many_bad_values_are_undetermined():
    guard = Guard(most_bad=0.25, least=3)
    assert guard.undetermined([3, 3, 2, 0], [1, 2, 0, 0]).tolist() == [False, True, True, True]
    assert not Guard(most_bad=1.0, least=0).undetermined(0, 1_000_000)
    assert Guard(most_bad=0.0, least=0).undetermined(1_000_000, 1)


@pytest.mark.parametrize("wrong", [{"most_bad": -0.1}, {"most_bad": 1.1}, {"most_bad": math.nan}, {"least": -1}])
def test_a_guard_refuses_a_share_outside_0_to_1_and_a_negative_number(wrong):
    with pytest.raises(ValueError, match="must"):
        Guard(**wrong)
