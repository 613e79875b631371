"""The detectors that river does not have ring where a plain reading of their papers does, value by value."""

import functools
import math
from statistics import NormalDist

import numpy as np
import pytest
from scipy import stats

from anchorwatch_detectors import registry, synth
from anchorwatch_detectors.sequential.optwin import _tables

NORMAL = NormalDist()
GROUPS, SUBJECTS, EVENTS = 3, 4, 2100


def stepd(values, p):
    """Yield (place, statistic, threshold, since, before, after) of alarms: Nishida and Yamauchi, equation 1."""
    size, lane = p["window_size"], []
    sides = 2 if p["mode"] == "both" else 1
    for place, x in enumerate(values):
        lane.append(x)
        older, recent = lane[:-size], lane[-size:]
        if len(older) < size:
            continue
        before, after = sum(older) / len(older), sum(recent) / size
        pooled, inverse = sum(lane) / len(lane), 1 / len(older) + 1 / size
        deaf = {"both": False, "up": after < before, "down": after > before}[p["mode"]]
        if deaf or pooled in (0.0, 1.0):
            continue
        statistic = (abs(after - before) - 0.5 * inverse) / math.sqrt(pooled * (1 - pooled) * inverse)
        if sides * (1 - NORMAL.cdf(statistic)) < p["alpha"] and statistic > 0:
            yield place, statistic, NORMAL.inv_cdf(1 - p["alpha"] / sides), size, before, after
            lane = []


def rddm(values, p):
    """Yield alarms: Barros et al., algorithm 1; the lists hold what the paper stores."""
    stored, warned, n, rate, least = [], [], 0, 0.0, (math.inf, math.inf)
    then = None
    for place, x in enumerate(values):
        stored = [*stored, x][-p["min_stable"] :]
        was = (n, rate)
        n, rate = n + 1, rate + (x - rate) / (n + 1)
        spread = math.sqrt(rate * (1 - rate) / n)
        if n < p["warm_start"]:
            continue
        if rate + spread < sum(least):
            least = (rate, spread)
        drift_at = least[0] + p["drift_threshold"] * least[1]
        warning_at = least[0] + p["warning_threshold"] * least[1]
        drifts, warns = rate + spread > drift_at, rate + spread > warning_at
        warned = [*warned, x] if warns or (drifts and warned) else []
        then = (was if len(warned) <= 1 else then) if warned or drifts else None
        overdue = not drifts and len(warned) > p["warning_limit"]
        if drifts or overdue:
            since = n - then[0]
            before = then[1] if then[0] else math.nan
            after = (n * rate - then[0] * then[1]) / since
            yield place, rate + spread, warning_at if overdue else drift_at, since, before, after
            stored = warned if warned and drifts else [x]
            n, rate, least, warned = 0, 0.0, (math.inf, math.inf), []
            for again in stored:
                n, rate = n + 1, rate + (again - rate) / (n + 1)
                spread = math.sqrt(rate * (1 - rate) / n)
                if n >= p["warm_start"] and rate + spread < sum(least):
                    least = (rate, spread)
        elif n >= p["max_concept"] and not warned:
            n, rate = len(stored), sum(stored) / len(stored)


def compressed(blocks, p):
    """Return blocks of which neighbours that are alike became one, from the newest back."""
    blocks, gap = list(blocks), 0.0
    for k in range(len(blocks) - 1, 0, -1):
        gap += p["smallest_gap"] * p["growth"]
        if abs(blocks[k].mean() - blocks[k - 1].mean()) < gap:
            blocks[k - 1 : k + 1] = [np.concatenate(blocks[k - 1 : k + 1])]
    return blocks


def seed(values, p):
    """Yield alarms: Huang et al., section III; blocks are lists of their values."""
    blocks, waited = [[]], 0
    for place, x in enumerate(values):
        blocks[-1].append(x)
        if len(blocks[-1]) < p["block_size"]:
            continue
        held, waited = [np.array(block) for block in blocks], waited + 1
        lane, cut = np.concatenate(held), None
        scale = math.log(2 * math.log(len(lane)) / p["delta"]) if len(held) > 1 else 0.0
        for k in range(len(held) - 1, 0, -1):
            older, newer = np.concatenate(held[:k]), np.concatenate(held[k:])
            share = 1 / len(older) + 1 / len(newer)
            bound = math.sqrt(2 * share * lane.var() * scale) + 2 / 3 * share * scale
            if abs(newer.mean() - older.mean()) > bound:
                cut = place, abs(newer.mean() - older.mean()), bound, len(newer), older.mean(), newer.mean()
                break
        if cut is not None:
            yield cut
            held, waited = [], 0
        elif waited == p["compress_term"]:
            held, waited = compressed(held, p), 0
        blocks = [*map(list, held), []]


def bounds(older, newer, level):
    """Return the bound of the F test of the newer side, and of Welch's t test with variances that far apart."""
    ratio = stats.f.ppf(level, newer - 1, older - 1)
    freedom = (1 / older + ratio / newer) ** 2 / (
        1 / (older**2 * (older - 1.0)) + ratio**2 / (newer**2 * (newer - 1.0))
    )
    return ratio, stats.t.ppf(level, freedom)


@functools.cache
def split(n, rigor, level):
    """Return how many of `n` values are on the older side, at the latest split that shows a shift, and the bounds."""
    newer = np.arange(2, n - 1)
    ratio, t = bounds(n - newer, newer, level)
    shows = np.flatnonzero(t * np.sqrt(1 / (n - newer) + ratio / newer) <= rigor)
    at = int(shows[0]) if len(shows) else n - n // 2 - 2
    return n - int(newer[at]), ratio[at], t[at]


def optwin_(values, p):
    """Yield alarms: Tosi and Theobald, algorithm 1."""
    window = []
    for place, x in enumerate(values):
        window = [*window, x][-p["most_window"] :]
        n = len(window)
        if n < p["least_window"]:
            continue
        older, ratio, t = split(n, p["rigor"], p["confidence"] ** 0.25)
        before, after = np.array(window[:older]), np.array(window[older:])
        spreads = before.std(ddof=1) + p["noise"], after.std(ddof=1) + p["noise"]
        rise = after.mean() - before.mean()
        if rise <= 0:
            continue
        statistic = rise / math.sqrt(spreads[0] ** 2 / older + spreads[1] ** 2 / (n - older))
        told = (n - older, before.mean(), after.mean())
        if statistic > t:
            yield place, statistic, t, *told
            window = []
        elif (spreads[1] / spreads[0]) ** 2 > ratio:
            yield place, (spreads[1] / spreads[0]) ** 2, ratio, *told
            window = []


NAIVE = {"stepd": stepd, "rddm": rddm, "seed": seed, "optwin": optwin_}
SETTINGS = [
    ("stepd", {}),
    ("stepd", {"window_size": 7, "alpha": 0.02, "mode": "up"}),
    ("stepd", {"window_size": 50, "alpha": 0.0001, "mode": "down"}),
    ("rddm", {}),
    ("rddm", {"warm_start": 30, "min_stable": 60, "max_concept": 200, "warning_limit": 40}),
    ("rddm", {"warm_start": 1, "warning_threshold": 1.0, "min_stable": 33, "max_concept": 66, "warning_limit": 5}),
    ("seed", {}),
    ("seed", {"block_size": 8, "compress_term": 3, "delta": 0.3}),
    ("seed", {"block_size": 5, "smallest_gap": 0.001, "growth": 0.3, "compress_term": 11, "delta": 0.001}),
    ("optwin", {"most_window": 90}),
    ("optwin", {"most_window": 400, "confidence": 0.9999, "rigor": 0.8}),
    ("optwin", {"least_window": 40, "most_window": 64, "confidence": 0.999999, "rigor": 1.0}),
]


def stream(n, kind, name):
    """Return one of the kinds of streams, in the range that the detector takes, and some values beyond it."""
    rng = np.random.default_rng([kind, n])
    rates = np.repeat(rng.random(8), -(-n // 8))[:n]
    kinds = [
        lambda: synth.bernoulli(n, kind, 0.2),
        lambda: (rng.random(n) < rates).astype(float),
        lambda: (rng.random(n) < np.linspace(0.02, 0.5, n)).astype(float),
        lambda: np.clip(rates + 0.1 * rng.standard_normal(n), 0.0, 1.0),
        lambda: np.round(8 * np.clip(0.5 * rates + 0.2 * rng.random(n), 0.0, 1.0)) / 8,
        lambda: np.where(rng.random(n) < 0.1, np.nan, (rng.random(n) < 0.1 + 0.3 * (rates > 0.6)).astype(float)),
        lambda: np.where(rng.random(n) < 0.05, rng.choice([np.inf, -np.inf, 1e300, -7e200], n), rates > 0.5),
        lambda: np.where(np.arange(n) % 500 < 250, 0.25, 0.75),
        lambda: 1e9 + synth.normal(n, kind) + 2.0 * np.round(3 * rates),
        lambda: 1e-3 * synth.lognormal(n, kind) * (1 + np.round(3 * rates)),
    ]
    return kinds[kind % (len(kinds) if name == "optwin" else len(kinds) - 2)]()


@pytest.mark.parametrize(("name", "parameters"), SETTINGS)
def test_alarms_are_those_of_the_paper_in_lanes_and_blocks_of_any_size(name, parameters):
    detector = registry.sequential(name, parameters)
    groups = np.random.default_rng(5).integers(0, GROUPS, EVENTS)
    values = np.empty((SUBJECTS, EVENTS))
    for lane in range(GROUPS * SUBJECTS):
        mine = groups == lane % GROUPS
        values[lane // GROUPS, mine] = stream(int(mine.sum()), lane, name)
    state, at, found = detector.start(GROUPS, SUBJECTS), 0, {}
    rng = np.random.default_rng(6)
    while at < EVENTS:
        piece = slice(at, at + int(rng.integers(1, 10 ** int(rng.integers(1, 4)))))
        told = state.update(values[:, piece], groups[piece])
        columns = (told.event + at, told.statistic, told.threshold, told.since, told.before, told.after)
        for group, subject, *alarm in zip(told.group, told.subject, *columns, strict=True):
            found.setdefault((int(group), int(subject)), []).append([float(x) for x in alarm])
        at = piece.stop
    low, high = detector.domain()
    rung = 0
    for lane in range(GROUPS * SUBJECTS):
        group, subject = lane % GROUPS, lane // GROUPS
        mine = np.flatnonzero((groups == group) & (values[subject] >= low) & (values[subject] <= high))
        lane_alarms = found.get((group, subject), [])
        expected = list(NAIVE[name](values[subject, mine].tolist(), detector.parameters()))
        assert [int(alarm[0]) for alarm in lane_alarms] == [mine[alarm[0]] for alarm in expected]
        for alarm, definition in zip(lane_alarms, expected, strict=True):
            assert alarm[1:] == pytest.approx(list(definition[1:]), rel=1e-6, abs=1e-9, nan_ok=True)
        rung += len(expected)
    assert rung > 3


@pytest.mark.parametrize(
    ("rigor", "confidence"), [(0.05, 0.5), (0.3, 0.9), (0.5, 0.99), (1.0, 0.999999), (0.01, 0.999)]
)
def test_the_window_of_optwin_is_split_as_late_as_a_shift_shows_at_any_length(rigor, confidence):
    splits, t_bounds, f_bounds = _tables(rigor, confidence, 30, 500)
    for n in (*range(30, 60), *range(60, 501, 11), 500):
        older, ratio, t = split(n, rigor, confidence**0.25)
        assert splits[n] == older
        assert (t_bounds[n], f_bounds[n]) == pytest.approx((t, ratio), rel=1e-9)


def test_optwin_hears_as_well_far_from_zero_and_after_a_huge_value_has_left_its_window():
    rng = np.random.default_rng(3)
    losses = np.round(np.concatenate([rng.normal(0, 1, 700), rng.normal(3, 1, 60)]) * 1024) / 1024
    detector = registry.sequential("optwin", {"most_window": 300, "confidence": 0.999999, "rigor": 1.0})
    behind = np.concatenate([[0.0, -1e13], losses])
    near, far, after = (
        detector.start(1, 1).update(values[np.newaxis]).event.tolist() for values in (losses, 2.0**40 + losses, behind)
    )
    assert 700 < near[0] < 730
    assert far == near
    assert [event - 2 for event in after] == near


def test_a_long_quiet_concept_makes_ddm_deaf_and_not_rddm():
    heard = {"ddm": 0, "rddm": 0}
    for kind in range(6):
        rng = np.random.default_rng(kind)
        errors = np.concatenate([rng.random(100_000) < 0.2, rng.random(7_000) < 0.3]).astype(float)
        for name, parameters in (("ddm", {}), ("rddm", {"drift_threshold": 3.0, "warning_threshold": 2.0})):
            alarms = registry.sequential(name, parameters).start(1, 1).update(errors[np.newaxis])
            heard[name] += bool((alarms.event >= 100_000).any())
    assert heard["rddm"] == 6
    assert heard["ddm"] <= 2


def test_rddm_goes_on_after_an_alarm_with_the_values_since_its_warning_began():
    errors = np.concatenate([np.tile([1.0, 0, 0, 0, 0, 0, 0, 0, 0, 0], 40), np.ones(40)])
    state = registry.sequential("rddm").start(1, 1)
    alarms = state.update(errors[np.newaxis, :440])
    event, since = int(alarms.event[0]), int(alarms.since[0])
    assert 1 < since <= event - 400 + 1
    again = registry.sequential("rddm").start(1, 1)
    again.update(errors[np.newaxis, event + 1 - since : event + 1])
    one, other = (lanes.to_plain()["rows"][0, 0] for lanes in (registry_state(errors, event), again))
    assert one[:2].tolist() == other[:2].tolist()


def registry_state(errors, event):
    """Return lanes of RDDM that have taken the errors up to an event."""
    state = registry.sequential("rddm").start(1, 1)
    state.update(errors[np.newaxis, : event + 1])
    return state


def test_stepd_takes_a_distance_within_the_correction_for_no_evidence():
    """One error in 5,000 values: the shares are as near as can be, and the standard error is almost nothing."""
    errors = np.zeros(6000)
    errors[1000] = 1.0
    assert registry.sequential("stepd").start(1, 1).update(errors[np.newaxis, 1100:]).event.tolist() == []
    assert registry.sequential("stepd").start(1, 1).update(errors[np.newaxis]).event.tolist() == []


@pytest.mark.parametrize(("smallest_gap", "term"), [(0.05, 3), (0.01, 5), (0.002, 20)])
def test_neighbours_that_are_alike_become_one_block_of_seed_and_others_do_not(smallest_gap, term):
    parameters = {"block_size": 4, "smallest_gap": smallest_gap, "compress_term": term, "delta": 1e-15}
    detector = registry.sequential("seed", parameters)
    values = synth.bernoulli(4000, 2, 0.5)
    state, blocks = detector.start(1, 1), []
    for place in range(0, 4000, 4):
        assert state.update(values[np.newaxis, place : place + 4]).event.tolist() == []
        blocks.append(values[place : place + 4])
        if (place // 4 + 1) % term == 0:
            blocks = compressed(blocks, detector.parameters())
        row = state.to_plain()["rows"][0, 0]
        held = row[5 : 5 + 3 * int(row[0])].reshape(-1, 3)
        assert held[:, 0].tolist() == [len(block) for block in blocks]
        assert held[:, 1].tolist() == [block.sum() for block in blocks]
    assert held[:, 2] == pytest.approx([len(block) * block.var() for block in blocks])
    assert held[:, 0].max() > 4


def test_seed_keeps_few_blocks_of_a_long_quiet_stream():
    state = registry.sequential("seed", {"delta": 0.0001}).start(1, 1)
    state.update(synth.bernoulli(200_000, 4, 0.2)[np.newaxis])
    rows = state.to_plain()["rows"]
    assert rows[0, 0, 5::3].sum() + rows[0, 0, 2] == 200_000
    assert 2 <= rows[0, 0, 0] < 130
    assert rows.nbytes < 5000


@pytest.mark.parametrize(
    ("name", "column", "damage"),
    [
        *(("stepd", column, damage) for column in (2, 3) for damage in (-1.0, 0.5, 31.0, math.nan)),
        *(("rddm", column, damage) for column in (5, 6, 7) for damage in (-1.0, 0.5, 7001.0, math.nan)),
        *(("seed", column, damage) for column in (0, 1, 2) for damage in (-1.0, 0.5, 1e6, math.nan)),
        ("seed", 0, 150.0),
        ("seed", 5, 0.0),
        *(("optwin", column, damage) for column in (0, 1, 3) for damage in (-1.0, 0.5, 1e6, math.nan)),
        ("optwin", 9, math.inf),
    ],
)
def test_a_damaged_lane_is_refused_before_a_kernel_reads_beyond_it(name, column, damage):
    detector = registry.sequential(name)
    state = detector.start(1, 1)
    state.update(synth.bernoulli(400, 1, 0.2)[np.newaxis])
    plain = state.to_plain()
    detector.restore(plain)
    plain["rows"][0, 0, column] = damage
    with pytest.raises(ValueError, match=f"{name}: a stored lane"):
        detector.restore(plain)


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("rddm", {"min_stable": 100, "max_concept": 199}),
        ("rddm", {"min_stable": 100, "max_concept": 300, "warning_limit": 100}),
        ("optwin", {"least_window": 50, "most_window": 49}),
        ("optwin", {"confidence": 1.0}),
        ("optwin", {"noise": 0.0}),
        ("seed", {"smallest_gap": 0.0}),
    ],
)
def test_parameters_that_do_not_go_together_are_refused(name, parameters):
    with pytest.raises(ValueError, match=f"^{name}: "):
        registry.sequential(name, parameters)


@pytest.mark.parametrize("name", sorted(NAIVE))
def test_river_has_no_such_detector_and_it_is_told(name):
    state = registry.sequential(name).start(1, 1)
    with pytest.raises(ValueError, match="river has no"):
        state.to_river(0, 0)
    with pytest.raises(ValueError, match="river has no"):
        state.from_river(0, 0, object())
