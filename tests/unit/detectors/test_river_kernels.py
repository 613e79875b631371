"""The compiled detectors are river's own, bit for bit: alarms and inner state, on streams of every kind."""

import math

import numpy as np
import pytest
from river import drift

from anchorwatch_detectors import plain, registry, synth
from anchorwatch_detectors.sequential import kswin

RIVER = {
    "adwin": drift.ADWIN,
    "page_hinkley": drift.PageHinkley,
    "ddm": drift.binary.DDM,
    "eddm": drift.binary.EDDM,
    "hddm_a": drift.binary.HDDMA,
    "hddm_w": drift.binary.HDDMW,
    "fhddm": drift.binary.FHDDM,
    "kswin": drift.KSWIN,
}
SHARP = {"drift_confidence": 0.02, "warning_confidence": 0.1}
NARROW = {"min_window_length": 1, "grace_period": 0}
SETTINGS = [
    ("adwin", {}, 160, 4000),
    ("adwin", {"clock": 1, "max_buckets": 3, "delta": 0.01, **NARROW}, 40, 2000),
    ("adwin", {"clock": 2, "max_buckets": 2, "delta": 0.1, **NARROW}, 40, 2000),
    ("adwin", {"clock": 7, "max_buckets": 10, "min_window_length": 2, "delta": 0.05}, 40, 2000),
    ("adwin", {"clock": 33, "max_buckets": 4, "min_window_length": 50, "grace_period": 20, "delta": 0.3}, 40, 4000),
    ("adwin", {"clock": 64, "max_buckets": 5, "grace_period": 200, "delta": 0.5}, 40, 4000),
    ("adwin", {"clock": 100, "max_buckets": 7, "delta": 0.9}, 40, 4000),
    ("page_hinkley", {}, 160, 1600),
    ("page_hinkley", {"threshold": 3.0, "delta": 0.05, "min_instances": 5}, 80, 2000),
    ("page_hinkley", {"threshold": 3.0, "mode": "up", "alpha": 0.9}, 40, 2000),
    ("page_hinkley", {"threshold": 3.0, "mode": "down", "alpha": 1.0, "delta": 0.2}, 40, 2000),
    ("ddm", {}, 240, 1600),
    ("ddm", {"warm_start": 0, "warning_threshold": 1.0, "drift_threshold": 1.5}, 80, 2000),
    ("eddm", {}, 240, 1600),
    ("eddm", {"warm_start": 2, "alpha": 1.0, "beta": 1.0}, 80, 2000),
    ("hddm_a", {}, 160, 1200),
    ("hddm_a", {"two_sided_test": True, **SHARP}, 160, 1200),
    ("hddm_w", {}, 160, 1200),
    ("hddm_w", {"two_sided_test": True, "lambda_val": 0.17, **SHARP}, 160, 1200),
    ("fhddm", {}, 320, 3000),
    ("fhddm", {"sliding_window_size": 25, "confidence_level": 0.01, "short_window_size": 10}, 320, 1600),
    ("fhddm", {"sliding_window_size": 1, "confidence_level": 0.3, "short_window_size": 1}, 40, 400),
    ("kswin", {"seed": 0}, 40, 600),
    ("kswin", {"alpha": 0.02, "window_size": 30, "stat_size": 12, "seed": 7}, 160, 320),
    ("kswin", {"alpha": 0.1, "window_size": 44, "stat_size": 5, "seed": 1}, 100, 320),
    ("kswin", {"alpha": 0.2, "window_size": 8, "stat_size": 4, "seed": 2**31 - 1}, 40, 200),
]
"""Name, parameters, number of streams, events of a block of 20 streams."""
GROUPS, SUBJECTS = 4, 5


def stream(n, seed):
    """Return a stream of a kind that the seed tells: stationary, changing, tied, constant, huge, tiny, with gaps."""
    rng = np.random.default_rng(seed)
    steps = np.repeat(rng.normal(0, 1, 6), -(-n // 6))[:n]
    at = int(rng.integers(0, n))
    kinds = [
        lambda: synth.bernoulli(n, seed, rng.random()),
        lambda: synth.abrupt(synth.bernoulli(n, seed, 0.1), synth.bernoulli(n, seed + 1, 0.6), at),
        lambda: synth.abrupt(synth.bernoulli(n, seed, 0.8), synth.bernoulli(n, seed + 1, 0.1), at),
        lambda: synth.gradual(synth.bernoulli(n, seed, 0.1), synth.bernoulli(n, seed + 1, 0.7), at // 2, n // 3, seed),
        lambda: (rng.random(n) < 1 / (1 + np.exp(-steps))).astype(float),
        lambda: np.clip(synth.normal(n, seed, 0.5, 0.1) + steps / 5, 0.0, 1.0),
        lambda: np.round(rng.random(n) * 8) / 8 * (np.arange(n) > at),
        lambda: np.full(n, rng.random()),
        lambda: np.where(rng.random(n) < 0.1, np.nan, synth.bernoulli(n, seed, 0.3 + 0.3 * (steps > 0))),
        lambda: synth.normal(n, seed) + steps,
        lambda: np.round(synth.normal(n, seed) + steps),
        lambda: 1e9 + synth.normal(n, seed) + steps,
        lambda: 1e-300 * (synth.normal(n, seed) + steps),
        lambda: synth.student_t(n, seed, 1.5),
        lambda: np.where(rng.random(n) < 0.1, rng.choice([np.nan, np.inf, -np.inf], n), synth.lognormal(n, seed)),
        lambda: synth.autoregressive(n, seed, 0.9),
    ]
    return kinds[seed % len(kinds)]()


def of_river(name, parameters, values, look=None):
    """Return the places of river's alarms and its detector at the end; FHDDM is fed with what is correct.

    `look` is shown the detector after each value.
    """
    detector, alarms = RIVER[name](**parameters), []
    low, high = registry.sequential(name, parameters).domain()
    for place, x in enumerate(values.tolist()):
        if low <= x <= high:
            detector.update(1.0 - x if name == "fhddm" else x)
            if detector.drift_detected:
                alarms.append(place)
        if look is not None:
            look(place, detector)
    return alarms, detector


def in_blocks(state, values, groups, seed):
    """Feed events in blocks of up to 1, 10, 100 or 1,000, as the seed tells; return the alarms of each lane."""
    rng, at, alarms = np.random.default_rng(seed), 0, {}
    while at < values.shape[1]:
        piece = slice(at, at + int(rng.integers(1, 10 ** (seed % 4) + 1)))
        found = state.update(values[:, piece], groups[piece])
        for event, *lane in zip(found.event.tolist(), found.group.tolist(), found.subject.tolist(), strict=True):
            alarms.setdefault(tuple(lane), []).append(at + event)
        at = piece.stop
    return alarms


def told(node):
    """Return the whole state of a detector of river in a form that can be compared."""
    if isinstance(node, np.ndarray):
        return node.tolist()
    if isinstance(node, dict):
        return {key: told(item) for key, item in node.items()}
    if isinstance(node, list):
        return [told(item) for item in node]
    return node if node is None or isinstance(node, int | float | str | bytes) else told(plain.encode(node, "river"))


@pytest.mark.parametrize(("name", "parameters", "streams", "events"), SETTINGS)
def test_alarms_and_state_are_those_of_river_on_streams_of_every_kind_in_blocks_of_any_size(
    name, parameters, streams, events
):
    detector, rung = registry.sequential(name, parameters), 0
    for block in range(streams // (GROUPS * SUBJECTS)):
        groups = np.random.default_rng(block).integers(0, GROUPS, events)
        values = np.empty((SUBJECTS, events))
        for lane in range(GROUPS * SUBJECTS):
            mine = groups == lane % GROUPS
            values[lane // GROUPS, mine] = stream(int(mine.sum()), GROUPS * SUBJECTS * block + lane)
        if "short_window_size" in parameters:  # Python sums floats otherwise since 3.12, unless the sums are exact
            values = np.round(values * 64) / 64
        state = detector.start(GROUPS, SUBJECTS)
        alarms = in_blocks(state, values, groups, block)
        for lane in range(GROUPS * SUBJECTS):
            group, subject = lane % GROUPS, lane // GROUPS
            mine = np.flatnonzero(groups == group)
            expected, theirs = of_river(name, parameters, values[subject, mine])
            assert alarms.get((group, subject), []) == mine[expected].tolist(), (block, lane)
            if theirs.drift_detected:  # river's detector waits with starting anew until the next value
                theirs._reset()
                theirs._drift_detected = False
            assert told(state.to_river(group, subject)) == told(theirs), (block, lane)
            rung += len(expected)
    assert rung > streams / 4


@pytest.mark.parametrize(("name", "parameters"), [(name, parameters) for name, parameters, _, _ in SETTINGS])
def test_a_lane_goes_on_where_river_s_detector_stands_at_any_time(name, parameters):
    for seed in range(3 if name == "kswin" else 10):
        values = np.round(stream(300, seed) * 64) / 64
        lanes = {}

        def branch_off(place, theirs, lanes=lanes):
            if place in (0, 3, 60, 150):
                lanes[place] = registry.sequential(name, parameters).start(2, 2)
                lanes[place].from_river(1, 0, theirs)
                assert theirs.drift_detected or told(lanes[place].to_river(1, 0)) == told(theirs)

        expected, _ = of_river(name, parameters, values, branch_off)
        for at, state in lanes.items():
            rest = values[at + 1 :]
            found = state.update(np.stack([rest, np.zeros(len(rest))]), np.ones(len(rest), dtype=np.int64))
            assert (at + 1 + found.event).tolist() == [place for place in expected if place > at]
            assert (found.since >= 1).all()
            assert (found.group == 1).all()


@pytest.mark.parametrize(
    ("name", "other"),
    [
        ("adwin", drift.PageHinkley()),
        ("adwin", drift.ADWIN(delta=0.01)),
        ("page_hinkley", drift.PageHinkley(mode="up")),
        ("ddm", drift.binary.DDM(drift_threshold=2.5)),
        ("eddm", drift.binary.EDDM(beta=0.8)),
        ("hddm_a", drift.binary.HDDMW()),
        ("hddm_a", drift.binary.HDDMA(two_sided_test=True)),
        ("hddm_w", drift.binary.HDDMW(lambda_val=0.2)),
        ("fhddm", drift.binary.FHDDM(short_window_size=20)),
        ("kswin", drift.KSWIN()),  # without a seed, so that it begins anew with another one each time
    ],
)
def test_a_detector_of_river_that_would_ring_otherwise_is_refused(name, other):
    with pytest.raises(ValueError, match=f"{name} with .* cannot go on from"):
        registry.sequential(name).start(1, 1).from_river(0, 0, other)


@pytest.mark.parametrize("size", [1, 2, 5, 30, 70])
def test_the_least_gap_that_rings_is_the_one_that_the_p_values_of_all_gaps_tell(size):
    for alpha in (1e-12, 1e-4, 0.005, 0.05, 0.5, 0.999):
        rings = [kswin._p_value(gap, size) <= alpha and gap / size > 0.1 for gap in range(size + 1)]
        critical = kswin._critical_gap(alpha, size)
        assert rings == [gap >= critical for gap in range(size + 1)]


@pytest.mark.parametrize(("name", "column"), [("fhddm", 3), ("fhddm", 4), ("kswin", 2), ("kswin", 3), ("kswin", 5)])
@pytest.mark.parametrize("damage", [-1.0, 0.5, 1e9, math.nan, math.inf])
def test_a_place_outside_the_window_is_refused_before_a_kernel_writes_there(name, column, damage):
    state = registry.sequential(name).start(1, 1)
    state.update(synth.bernoulli(500, 1, 0.2)[np.newaxis])
    stored = state.to_plain()
    stored["rows"][0, 0, column] = damage
    with pytest.raises(ValueError, match=f"{name}: a stored lane is not a window"):
        registry.sequential(name).restore(stored)


def test_fhddm_rings_when_errors_rise_and_not_when_they_fall():
    rise = synth.abrupt(synth.bernoulli(1000, 1, 0.1), synth.bernoulli(1000, 2, 0.6), 500)
    assert registry.sequential("fhddm").start(1, 1).update(rise[np.newaxis]).event.tolist() != []
    assert registry.sequential("fhddm").start(1, 1).update(1.0 - rise[np.newaxis]).event.tolist() == []


@pytest.mark.parametrize("name", ["fhddm", "kswin"])
def test_an_alarm_tells_a_statistic_beyond_its_threshold_and_the_means_around_its_change(name):
    """The means are those of the lane's values, cut `since` values before the alarm's end."""
    looked_at = 0
    for seed in range(64):
        values = stream(600, seed)
        parameters = {"fhddm": {"short_window_size": 20, "confidence_level": 0.01}, "kswin": {"alpha": 0.01}}[name]
        detector, begin = registry.sequential(name, parameters), 0
        alarms = detector.start(1, 1).update(values[np.newaxis])
        reached = alarms.statistic > alarms.threshold if name == "fhddm" else alarms.statistic >= alarms.threshold
        assert reached.all()
        for event, since, before, after in zip(
            alarms.event.tolist(), alarms.since.tolist(), alarms.before, alarms.after, strict=True
        ):
            lane = values[begin : event + 1]
            low, high = detector.domain()
            lane = lane[(lane >= low) & (lane <= high)]
            near = {"rel": 1e-9, "abs": 1e-9 * np.abs(lane).max()}
            assert after == pytest.approx(lane[-since:].mean(), **near)
            assert before == pytest.approx(lane[:-since].mean(), **near)
            begin, looked_at = event + 1, looked_at + 1
    assert looked_at > 20
