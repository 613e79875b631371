"""The sequential detectors are river's own, bit for bit: alarms and inner state, on any stream, in any blocks."""

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
    """Return the places of river's alarms, its detector at the end, and the values it took since its last alarm."""
    detector, alarms, since = RIVER[name](**parameters), [], []
    for place, x in enumerate(values.tolist()):
        if math.isfinite(x):
            since.append(x)
            detector.update(x)
            if detector.drift_detected:
                alarms.append(place)
                since = []
    return alarms, detector, since


def in_blocks(name, parameters, values, seed):
    """Return the alarms and the state after blocks of random sizes."""
    state = registry.sequential(name, parameters).start(1, 1)
    rng, at, alarms = np.random.default_rng(seed), 0, []
    while at < len(values):
        size = int(rng.integers(1, 300))
        found = state.update(values[np.newaxis, at : at + size])
        alarms += (at + found.event).tolist()
        at += size
    return alarms, state.to_plain()["lanes"][0]


def same_state(name, lane, theirs):
    """Say whether a lane holds what river's detector holds."""
    match name:
        case "adwin":
            return lane == theirs._helper.__getstate__()
        case "page_hinkley":
            n, mean, up, down, low, _, _, high, _, _ = lane
            mine = (n, mean, up, down, low, high)
            mean = theirs._x_mean
            sums = (theirs._sum_increase, theirs._sum_decrease, theirs._min_increase, theirs._max_decrease)
            return mine == (mean.n, mean.get(), *sums)
        case "hddm_a":
            means = (theirs._z, theirs._x_min, theirs._x_max)
            return lane == tuple(x for mean in means for x in (mean.n, mean.get()))
        case "hddm_w":
            sides = [(1.0, theirs._incr_cutpoint, theirs._s1_incr, theirs._s2_incr)]
            if theirs.two_sided_test:  # our fall is the rise of the negated values
                sides.append((-1.0, theirs._decr_cutpoint, theirs._s1_decr, theirs._s2_decr))
            same = lane[2:4] == (theirs._total.ewma, theirs._total.ibc) and len(lane) == 4 + 8 * len(sides)
            for i, (sign, cut, past, late) in enumerate(sides):
                edge, mine, spread, _, _, mine_late, late_spread, late_n = lane[4 + 8 * i : 12 + 8 * i]
                same &= (edge, mine, spread) == (sign * cut, sign * past.ewma, past.ibc)
                same &= late_n == 0 if not late.is_init else (mine_late, late_spread) == (sign * late.ewma, late.ibc)
            return same
    return False


@pytest.mark.parametrize(("name", "parameters"), SETTINGS)
def test_alarms_and_state_are_those_of_river_on_streams_of_every_kind_in_random_blocks(name, parameters):
    rung = 0
    for seed, (kind, values) in enumerate(streams()):
        expected, theirs, since = of_river(name, parameters, values)
        alarms, lane = in_blocks(name, parameters, values, seed)
        assert alarms == expected, kind
        rung += len(alarms)
        # after its alarm river's detector waits with starting anew until the next value
        assert lane is None or not since or same_state(name, lane, theirs), kind
    assert rung > 10


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(SETTINGS),
    st.lists(st.floats(-(2.0**53), 2.0**53) | st.sampled_from([0.0, 1.0, math.nan, math.inf]), max_size=300),
    st.integers(0, 1000),
)
def test_alarms_are_those_of_river_on_arbitrary_values(setting, values, seed):
    name, parameters = setting
    values = np.array(values, dtype=np.float64)
    assert in_blocks(name, parameters, values, seed)[0] == of_river(name, parameters, values)[0]


@pytest.mark.parametrize(("name", "parameters"), SETTINGS)
def test_an_alarm_tells_the_means_of_the_values_before_and_after_its_change(name, parameters):
    """Agrees with the plain means of the lane's values, cut `since` values before the alarm's end."""
    looked_at = 0
    for kind, values in streams():
        if "far" in kind or "tiny" in kind:
            continue  # there the plain mean itself has no more digits to compare
        alarms = registry.sequential(name, parameters).start(1, 1).update(values[np.newaxis])
        begin = 0
        for event, since, before, after in zip(
            alarms.event.tolist(), alarms.since.tolist(), alarms.before, alarms.after, strict=True
        ):
            lane = values[begin : event + 1]
            lane = lane[np.isfinite(lane)]
            assert 1 <= since <= len(lane)
            scale = np.abs(lane).max() + 1.0
            assert after == pytest.approx(lane[-since:].mean(), abs=1e-9 * scale)
            if since == len(lane):
                assert math.isnan(before)
            else:
                assert before == pytest.approx(lane[:-since].mean(), abs=1e-9 * scale)
            begin, looked_at = event + 1, looked_at + 1
    assert looked_at > 5


@pytest.mark.parametrize("name", ["page_hinkley", "hddm_a", "hddm_w"])
def test_an_alarm_tells_a_statistic_beyond_its_threshold(name):
    parameters = {"threshold": 5.0} if name == "page_hinkley" else {"two_sided_test": True}
    for _, values in streams():
        alarms = registry.sequential(name, parameters).start(1, 1).update(values[np.newaxis])
        assert (alarms.statistic >= alarms.threshold).all()
        assert (alarms.threshold > 0).all()


def test_adwins_window_holds_every_value_since_its_last_alarm_so_that_what_it_drops_is_known():
    for _, values in streams():
        detector, n = drift.ADWIN(), 0
        for x in values[np.isfinite(values)].tolist():
            detector.update(x)
            n += 1
            if detector.drift_detected:
                n = 0
            else:
                assert detector.width == n


@pytest.mark.parametrize(
    "damage",
    [
        lambda lane: lane[:50],
        lambda lane: lane[:-8],
        lambda lane: lane + bytes(8),
        lambda lane: bytes(8) + lane[8:],
        lambda _: b"",
        lambda lane: lane.hex(),
        lambda _: [1.0],
    ],
)
def test_a_damaged_window_of_adwin_is_refused_before_rivers_compiled_code_panics_over_it(damage):
    state = registry.sequential("adwin").start(1, 1)
    state.update(synth.normal(500, 1)[np.newaxis])
    plain = state.to_plain()
    plain["lanes"][0] = damage(plain["lanes"][0])
    with pytest.raises(ValueError, match="adwin: a stored lane"):
        registry.sequential("adwin").restore(plain)
