"""Any drift detector of river runs by its import path, and its state is plain data."""

import json
import random

import numpy as np
import pytest
from river import drift

from anchorwatch_detectors import synth
from anchorwatch_detectors.sequential.river_any import RiverAny

DETECTORS = [
    ("river.drift.ADWIN", {"delta": 0.1}, drift.ADWIN),
    ("river.drift.PageHinkley", {"threshold": 5.0}, drift.PageHinkley),
    ("river.drift.PageHinkley", {"threshold": 5.0, "mode": "down"}, drift.PageHinkley),
    ("river.drift.KSWIN", {"seed": 3, "window_size": 40, "stat_size": 15}, drift.KSWIN),
    ("river.drift.NoDrift", {}, drift.NoDrift),
    ("river.drift.DummyDriftDetector", {"seed": 3, "t_0": 50, "w": 20}, drift.DummyDriftDetector),
    (
        "river.drift.dummy.DummyDriftDetector",
        {"trigger_method": "random", "seed": 3, "t_0": 50, "w": 20},
        drift.DummyDriftDetector,
    ),
    ("river.drift.binary.DDM", {}, drift.binary.DDM),
    ("river.drift.binary.EDDM", {}, drift.binary.EDDM),
    ("river.drift.binary.FHDDM", {}, drift.binary.FHDDM),
    ("river.drift.binary.FHDDM", {"short_window_size": 20}, drift.binary.FHDDM),
    ("river.drift.binary.HDDMA", {"two_sided_test": True}, drift.binary.HDDMA),
    ("river.drift.binary.HDDMW", {"two_sided_test": True}, drift.binary.HDDMW),
]
ERRORS = np.concatenate([synth.bernoulli(200, seed, p) for seed, p in enumerate((0.1, 0.6, 0.1, 0.8))])


def through_json(value):
    """Return what a store gives back that knows no arrays, tuples or bytes."""

    def told(x):
        return {"bytes": x.hex()} if isinstance(x, bytes) else x.tolist()

    def read(x):
        return bytes.fromhex(x["bytes"]) if x.keys() == {"bytes"} else x

    return json.loads(json.dumps(value, default=told), object_hook=read)


@pytest.mark.parametrize(("path", "parameters", "river"), DETECTORS)
def test_alarms_are_those_of_river_when_the_state_is_stored_and_read_again_all_the_time(path, parameters, river):
    theirs, expected = river(**parameters), []
    for place, x in enumerate(ERRORS.tolist()):
        theirs.update(x)
        if theirs.drift_detected:
            expected.append(place)
    detector = RiverAny(path, parameters)
    state, found = detector.start(1, 1), []
    for at in range(0, len(ERRORS), 37):
        alarms = state.update(ERRORS[np.newaxis, at : at + 37])
        found += (at + alarms.event).tolist()
        state = detector.restore(through_json(state.to_plain()))
    assert found == expected
    assert bool(expected) == (river is not drift.NoDrift)


def test_a_seed_is_0_where_none_is_given_so_that_a_replay_gives_the_same_alarms():
    values = synth.normal(150, 1)[np.newaxis]
    states = [
        RiverAny("river.drift.KSWIN", {"window_size": 40, "stat_size": 15, **seed}).start(1, 1)
        for seed in ({}, {"seed": None}, {"seed": 0}, {"seed": 1})
    ]
    for state in states:
        state.update(values)
    words = [repr(state.to_plain()["lanes"]) for state in states]
    assert words[0].replace("None", "0") == words[1].replace("None", "0") == words[2].replace("None", "0")
    lanes = [dict(state.to_plain()["lanes"][0]["attributes"])["_rng"]["words"].tolist() for state in states]
    assert lanes[0] == lanes[1] == lanes[2] != lanes[3]


def test_a_detector_of_bits_passes_over_what_is_not_between_0_and_1():
    """DDM of river fails on it, with a square root of a negative number."""
    with pytest.raises(ValueError, match="math domain error"):
        drift.binary.DDM().update(5.0)
    state = RiverAny("river.drift.binary.DDM").start(1, 1)
    dirty = np.insert(ERRORS, 50, [5.0, -1.0])
    clean = RiverAny("river.drift.binary.DDM").start(1, 1).update(ERRORS[np.newaxis])
    assert state.update(dirty[np.newaxis]).event.tolist() == (clean.event + 2).tolist()
    assert state.passed_over.tolist() == [[2]]


@pytest.mark.parametrize(
    ("path", "parameters", "told"),
    [
        ("os.path.join", {}, "not a path in river"),
        ("riverbank.drift.ADWIN", {}, "not a path in river"),
        ("river.drift.ADWINN", {}, "river has no"),
        ("river.nowhere.ADWIN", {}, "river has no"),
        ("river.drift.binary", {}, "not a drift detector"),
        ("river.stats.Mean", {}, "not a drift detector"),
        ("river.drift.DriftRetrainingClassifier", {}, "not a drift detector"),
        ("river.base.DriftDetector", {}, "not a drift detector"),
        ("river.drift.ADWIN", {"detla": 0.1}, "has no parameter 'detla'"),
        ("river.drift.KSWIN", {"alpha": 2.0}, "Alpha must be between"),
        ("river.drift.KSWIN", {"alpha": "much"}, "refuses its parameters"),
        ("river.drift.ADWIN", {"delta": "much"}, "refuses its parameters"),
        ("river.drift.KSWIN", {"window": [random.SystemRandom()]}, r"KSWIN.window\[0\] is a random.SystemRandom"),
    ],
)
def test_what_cannot_watch_or_be_kept_is_refused_when_it_is_named(path, parameters, told):
    with pytest.raises(ValueError, match=told):
        RiverAny(path, parameters)


def test_a_stored_lane_that_describes_another_class_is_refused():
    ddm, eddm = RiverAny("river.drift.binary.DDM").start(1, 1), RiverAny("river.drift.binary.EDDM").start(1, 1)
    for state in (ddm, eddm):
        state.update(ERRORS[np.newaxis, :50])
    plain = ddm.to_plain()
    plain["lanes"] = eddm.to_plain()["lanes"]
    with pytest.raises(ValueError, match="does not describe such a detector"):
        RiverAny("river.drift.binary.DDM").restore(plain)
