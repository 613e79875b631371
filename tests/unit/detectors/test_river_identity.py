"""The sequential detectors ring where river's own do on arbitrary values, and what their alarms tell is so."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from river import drift

from anchorwatch_detectors import registry, synth

RIVER = {
    "adwin": drift.ADWIN,
    "page_hinkley": drift.PageHinkley,
    "ddm": drift.binary.DDM,
    "eddm": drift.binary.EDDM,
    "hddm_a": drift.binary.HDDMA,
    "hddm_w": drift.binary.HDDMW,
}
SETTINGS = [
    ("adwin", {}),
    ("adwin", {"delta": 0.1, "clock": 1, "max_buckets": 3, "min_window_length": 2, "grace_period": 1}),
    ("page_hinkley", {}),
    ("page_hinkley", {"threshold": 3.0, "delta": 0.05, "min_instances": 5}),
    ("page_hinkley", {"threshold": 3.0, "mode": "up", "alpha": 0.9}),
    ("page_hinkley", {"threshold": 3.0, "mode": "down", "alpha": 1.0, "delta": -2.0}),
    ("ddm", {}),
    ("ddm", {"warm_start": 5, "drift_threshold": 1.5}),
    ("eddm", {"alpha": 0.95, "beta": 0.9, "warm_start": 20}),
    ("hddm_a", {}),
    ("hddm_a", {"two_sided_test": True, "drift_confidence": 0.01, "warning_confidence": 0.05}),
    ("hddm_w", {}),
    ("hddm_w", {"two_sided_test": True, "lambda_val": 0.2, "drift_confidence": 0.05, "warning_confidence": 0.05}),
]
N = 900


def streams():
    """Yield named streams: stationary, drifting, tied, constant, far from zero, with values that are passed over."""
    rng = np.random.default_rng(11)
    for seed in range(2):
        steps = np.repeat(rng.normal(0, 1, 6), N // 6)
        yield "stationary", synth.normal(N, seed, 0.5, 0.2)
        yield "errors", synth.bernoulli(N, seed, 0.2)
        yield "rising errors", synth.abrupt(synth.bernoulli(N, seed, 0.1), synth.bernoulli(N, seed + 50, 0.5), 500)
        yield "falling errors", synth.abrupt(synth.bernoulli(N, seed, 0.7), synth.bernoulli(N, seed + 50, 0.2), 500)
        yield "gradual", synth.gradual(synth.normal(N, seed), synth.normal(N, seed + 50, 1.5), 300, 400, seed)
        yield "steps", synth.normal(N, seed) + steps
        yield "ties", np.round(synth.normal(N, seed) + steps)
        yield "constant", np.full(N, rng.normal())
        yield "far from zero", 1e9 + synth.normal(N, seed) + steps
        yield "very far from zero", -1e15 + np.round(100 * steps)
        yield "heavy tails", synth.student_t(N, seed, 1.5)
        yield "skewed", synth.lognormal(N, seed, 0.0, 2.0)
        yield "correlated", synth.autoregressive(N, seed, 0.95)
        yield "tiny", 1e-300 * synth.normal(N, seed)
        bad = np.array([np.nan, np.inf, -np.inf])
        holes = rng.random(N) < 0.1
        yield "holes", np.where(holes, rng.choice(bad, N), synth.normal(N, seed) + steps)


def of_river(name, parameters, values):
    """Return the places of the alarms of river's detector, fed with what ours can take."""
    detector, alarms = RIVER[name](**parameters), []
    low, high = registry.sequential(name, parameters).domain()
    for place, x in enumerate(values.tolist()):
        if low <= x <= high:
            detector.update(x)
            if detector.drift_detected:
                alarms.append(place)
    return alarms


def in_blocks(name, parameters, values, seed):
    """Return the alarms of blocks of random sizes."""
    state = registry.sequential(name, parameters).start(1, 1)
    rng, at, alarms = np.random.default_rng(seed), 0, []
    while at < len(values):
        size = int(rng.integers(1, 300))
        alarms += (at + state.update(values[np.newaxis, at : at + size]).event).tolist()
        at += size
    return alarms


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(SETTINGS),
    st.lists(st.floats(-(2.0**53), 2.0**53) | st.sampled_from([0.0, 1.0, math.nan, math.inf]), max_size=300),
    st.integers(0, 1000),
)
def test_alarms_are_those_of_river_on_arbitrary_values(setting, values, seed):
    name, parameters = setting
    values = np.array(values, dtype=np.float64)
    assert in_blocks(name, parameters, values, seed) == of_river(name, parameters, values)


@pytest.mark.parametrize(("name", "parameters"), SETTINGS)
def test_an_alarm_tells_the_means_of_the_values_before_and_after_its_change(name, parameters):
    """Agrees with the plain means of the lane's values, cut `since` values before the alarm's end."""
    looked_at, (low, high) = 0, registry.sequential(name, parameters).domain()
    for kind, values in streams():
        if "far" in kind or "tiny" in kind:
            continue  # there the plain mean itself has no more digits to compare
        alarms = registry.sequential(name, parameters).start(1, 1).update(values[np.newaxis])
        begin = 0
        for event, since, before, after in zip(
            alarms.event.tolist(), alarms.since.tolist(), alarms.before, alarms.after, strict=True
        ):
            lane = values[begin : event + 1]
            lane = lane[(low <= lane) & (lane <= high)]
            assert 1 <= since <= len(lane)
            scale = np.abs(lane).max() + 1.0
            assert after == pytest.approx(lane[-since:].mean(), abs=1e-9 * scale)
            if since == len(lane):
                assert math.isnan(before)
            else:
                assert before == pytest.approx(lane[:-since].mean(), abs=1e-9 * scale)
            begin, looked_at = event + 1, looked_at + 1
    assert looked_at > 5


@pytest.mark.parametrize(
    ("name", "parameters", "side"),
    [
        ("page_hinkley", {"threshold": 5.0}, 1.0),
        ("ddm", {}, 1.0),
        ("eddm", {}, -1.0),
        ("hddm_a", {"two_sided_test": True}, 1.0),
        ("hddm_w", {"two_sided_test": True}, 1.0),
    ],
)
def test_an_alarm_tells_a_statistic_beyond_its_threshold(name, parameters, side):
    rung = 0
    for _, values in streams():
        alarms = registry.sequential(name, parameters).start(1, 1).update(values[np.newaxis])
        assert (side * alarms.statistic >= side * alarms.threshold).all()
        assert (alarms.threshold > 0).all()
        rung += len(alarms.event)
    assert rung > 0


def test_a_long_window_of_adwin_is_rivers_bucket_by_bucket_and_costs_no_more_than_promised():
    values = synth.normal(60_000, 3, 0.5, 0.1)
    state, theirs = registry.sequential("adwin").start(1, 1), drift.ADWIN()
    for x in values.tolist():
        theirs.update(x)
        assert not theirs.drift_detected
    for piece in np.array_split(values, 7):
        state.update(piece[np.newaxis])
    assert state.to_river(0, 0)._helper.__getstate__() == theirs._helper.__getstate__()
    assert state.to_plain()["rows"].nbytes < 1500
    assert registry.sequential("adwin")._with_levels(np.zeros((1, 1, 16)), 2**31 - 1).nbytes <= 3400


def test_with_one_bucket_a_level_adwin_goes_on_where_rivers_compiled_code_panics():
    parameters = {"max_buckets": 1, "delta": 0.1, "clock": 8}
    calm = synth.normal(2000, 1)
    theirs = drift.ADWIN(**parameters | {"delta": 1e-9})
    for x in calm.tolist():
        theirs.update(x)
    state = registry.sequential("adwin", parameters | {"delta": 1e-9}).start(1, 1)
    state.update(calm[np.newaxis])
    assert state.to_river(0, 0)._helper.__getstate__() == theirs._helper.__getstate__()
    steps = np.repeat(np.arange(40.0) % 3, 100) + 0.1 * synth.normal(4000, 2)
    alarms = registry.sequential("adwin", parameters).start(1, 1).update(steps[np.newaxis])
    assert len(alarms.event) > 30
    assert (alarms.since >= 1).all()


def _damaged(**changes):
    """Return a state of a running ADWIN with some of its numbers changed."""
    state = registry.sequential("adwin").start(1, 1)
    state.update(synth.normal(500, 1)[np.newaxis])
    plain = state.to_plain()
    for column, value in changes.items():
        plain["rows"][0, 0, int(column[1:])] = value
    return plain


@pytest.mark.parametrize(
    "changes", [{"c0": -1.0}, {"c0": 0.5}, {"c0": 1e6}, {"c0": 2.0**40}, {"c0": math.nan}, {"c9": math.inf}]
)
def test_a_damaged_window_of_adwin_is_refused_before_a_kernel_reads_beyond_it(changes):
    registry.sequential("adwin").restore(_damaged())
    with pytest.raises(ValueError, match="adwin: a stored lane"):
        registry.sequential("adwin").restore(_damaged(**changes))


@pytest.mark.parametrize("columns", [3, 4, 15, 17, 30])
def test_a_window_of_adwin_that_is_cut_short_is_refused(columns):
    plain = _damaged()
    plain["rows"] = plain["rows"][:, :, :columns]
    with pytest.raises(ValueError, match="adwin: a stored lane"):
        registry.sequential("adwin").restore(plain)


@pytest.mark.parametrize("damage", [lambda b: b[:50], lambda b: b[:-8], lambda b: b + b"\0", lambda b: b"\1" + b[1:]])
def test_damaged_bytes_of_rivers_window_are_refused(damage):
    detector = registry.sequential("adwin")
    lanes = detector.start(1, 1)
    lanes.update(synth.normal(500, 1)[np.newaxis])
    told = lanes.to_river(0, 0)._helper.__getstate__()
    assert detector.to_bytes(detector.from_bytes(told)) == told
    with pytest.raises(ValueError, match="river's window"):
        detector.from_bytes(damage(told))
