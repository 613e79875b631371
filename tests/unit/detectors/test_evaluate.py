"""Detectors are judged by delay, missed changes and false alarms, and what is undefined is NaN."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anchorwatch_detectors import registry, synth
from anchorwatch_detectors.evaluate import alarms_of, compare, score, table
from anchorwatch_detectors.usual import of_sample


def test_the_first_alarm_in_time_detects_a_change_and_later_ones_in_time_repeat_it():
    found = score([100, 105, 149], [100], 1000, most=50)
    assert (found.detected, found.false_alarms, found.delay) == (1, 0, 1.0)


def test_an_alarm_after_the_largest_delay_is_false_and_the_change_is_missed():
    found = score([150], [100], 1000, most=50)
    assert (found.detected, found.missed, found.false_alarms) == (0, 1, 1)
    assert score([149], [100], 1000, most=50).delay == 50.0


def test_a_change_must_be_found_before_the_next_one():
    found = score([200], [100, 200], 1000)
    assert (found.detected, found.missed, found.delay) == (1, 1, 1.0)


def test_an_alarm_before_the_change_is_false():
    found = score([99], [100], 1000)
    assert (found.false_alarms, found.detected, found.quiet, found.between_false_alarms) == (1, 0, 100, 100.0)


def test_for_a_detector_that_compares_with_a_baseline_no_alarm_after_the_change_is_false_but_it_may_be_too_late():
    found = score([50, 700], [100], 1000, most=50, lasting=True)
    assert (found.detected, found.false_alarms, found.quiet) == (0, 1, 100)


def test_what_is_undefined_is_nan_and_never_0():
    nothing = score([], [], 1000)
    values = (nothing.delay, nothing.between_false_alarms, nothing.precision, nothing.recall, nothing.f1)
    assert all(math.isnan(value) for value in values)
    missed = score([], [100], 1000)
    assert math.isnan(missed.delay)
    assert math.isnan(missed.precision)
    assert (missed.recall, missed.f1) == (0.0, 0.0)


@given(
    alarms=st.lists(st.integers(0, 199), max_size=12),
    changes=st.sets(st.integers(0, 199), max_size=4),
    most=st.none() | st.integers(1, 60),
)
def test_scores_are_those_of_the_definition_told_value_by_value(alarms, changes, most):
    found = score(alarms, sorted(changes), 200, most)
    owner = {}
    for at in range(200):
        newest = max((change for change in changes if change <= at), default=None)
        owner[at] = newest if newest is not None and (most is None or at - newest < most) else None
    delays = {}
    for at in sorted(alarms):
        if owner[at] is not None:
            delays.setdefault(owner[at], at - owner[at] + 1)
    assert found.detected == len(delays)
    assert found.delay_sum == sum(delays.values())
    assert found.false_alarms == sum(owner[at] is None for at in alarms)
    assert found.quiet == sum(change is None for change in owner.values())
    assert found.missed + found.detected == len(changes)


@pytest.mark.parametrize(
    ("alarms", "changes", "most"),
    [([1000], [], None), ([-1], [], None), ([], [5, 5], None), ([], [7, 5], None), ([], [5], 0), ([0.5], [], None)],
)
def test_what_cannot_be_is_refused(alarms, changes, most):
    with pytest.raises(ValueError, match="must"):
        score(alarms, changes, 1000, most)


def test_a_stream_is_fed_in_pieces_and_alarms_keep_their_place_in_it():
    stream = synth.abrupt(synth.bernoulli(210_000, 1, 0.1), synth.bernoulli(210_000, 2, 0.5), at=205_000)
    found = alarms_of(registry.sequential("adwin"), stream)
    assert 205_000 <= found[-1] < 205_200


def test_all_detectors_are_compared_on_the_same_streams_and_told_as_a_table():
    streams = [
        (synth.abrupt(synth.bernoulli(3000, seed, 0.1), synth.bernoulli(3000, seed + 50, 0.5), at=2000), [2000])
        for seed in range(3)
    ]
    usual = [of_sample(synth.bernoulli(5000, seed + 100, 0.1)[np.newaxis]) for seed in range(3)]
    detectors = {name: registry.sequential(name) for name in registry.names("sequential")}
    detectors["silent"] = registry.sequential("cusum", {"threshold": 1e9})
    found = compare(detectors, streams, usual=usual, most=500)
    assert found["shiryaev_roberts"].detected == found["adwin"].detected == 3
    assert found["shiryaev_roberts"].false_alarms == 0
    assert found["silent"].missed == 3
    lines = table(found).splitlines()
    assert len(lines) == 2 + len(detectors)
    assert lines[-1] == "| silent | NaN | 0 | 3 | 0 | NaN | NaN | 0.000 | 0.000 |"
    with pytest.raises(ValueError, match="one baseline each"):
        compare(detectors, streams, usual=usual[:2])
