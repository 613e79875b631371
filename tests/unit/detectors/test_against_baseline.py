"""Detectors held against a baseline keep their run length, find changes, and let the smallest shift pass."""

import numpy as np
import pytest
from scipy.signal import lfilter
from scipy.stats import poisson

from anchorwatch_detectors import registry, synth
from anchorwatch_detectors.base import Usual
from anchorwatch_detectors.profile import NumericProfile
from anchorwatch_detectors.usual import of_sample

CHARTS = ["cusum", "ewma", "glr", "shewhart"]
ROWS = 10_000


def alarms(name, parameters, usual, values):
    return registry.sequential(name, parameters).start(1, 1, usual).update(values[np.newaxis])


def ranked(values):
    return NumericProfile.of(values[:ROWS]).cdf(values)


def autoregressive(n, seed):
    """Return the values of `synth.autoregressive`, in a compiled loop."""
    noise = np.random.default_rng(seed).standard_normal(n)
    noise[1:] *= np.sqrt(1 - 0.7**2)
    return lfilter([1.0], [1.0, -0.7], noise)


@pytest.mark.parametrize(
    ("draw", "name", "parameters"),
    [
        (lambda n, seed: ranked(synth.normal(n, seed)), "shiryaev_roberts_ranks", {}),
        (lambda n, seed: ranked(synth.student_t(n, seed)), "shiryaev_roberts_ranks", {}),
        (lambda n, seed: ranked(autoregressive(n, seed)), "shiryaev_roberts_ranks", {}),
        (lambda n, seed: synth.bernoulli(n, seed, 0.05), "shiryaev_roberts", {"mode": "up"}),
        (lambda n, seed: synth.bernoulli(n, seed, 0.05), "shiryaev_roberts", {"mode": "both"}),
        (lambda n, seed: ranked(np.round(synth.normal(n, seed))), "shiryaev_roberts_ranks", {}),
    ],
    ids=["normal", "t3", "dependent", "errors", "errors, both sides", "ties"],
)
def test_the_run_length_asked_for_holds_although_the_baseline_is_a_sample(draw, name, parameters):
    """Each stream is held against a baseline of its own first rows; the count is judged by its 99 % bound."""
    length, streams, found = 20_000, 60, 0
    for seed in range(streams):
        values = draw(ROWS + length, seed)
        usual = of_sample(values[np.newaxis, :ROWS])
        found += len(alarms(name, {"average_run_length": 10_000.0, **parameters}, usual, values[ROWS:]).event)
    assert found <= poisson.ppf(0.99, streams * length / 10_000)
    assert found >= 0.3 * streams * length / 10_000


def test_the_run_length_of_fewer_errors_than_the_baseline_knows_is_no_shorter():
    usual = of_sample(synth.bernoulli(100_000, 1, 0.10)[np.newaxis])
    assert len(alarms("shiryaev_roberts", {}, usual, synth.bernoulli(300_000, 2, 0.09)).event) == 0


def test_a_shift_up_to_the_smallest_worth_knowing_is_let_pass_and_a_larger_one_is_not():
    quiet, loud = synth.bernoulli(200_000, 2, 0.11), synth.bernoulli(20_000, 3, 0.15)
    for smallest, rings in ((0.0, True), (0.015, False)):
        usual = of_sample(synth.bernoulli(100_000, 1, 0.10)[np.newaxis], smallest=smallest)
        assert bool(len(alarms("shiryaev_roberts", {}, usual, quiet).event)) is rings
        assert len(alarms("shiryaev_roberts", {}, usual, loud).event) > 0


@pytest.mark.parametrize("name", [*CHARTS, "shiryaev_roberts_ranks"])
def test_a_shift_of_a_feature_is_found_with_its_means_and_its_time(name):
    before, after = synth.normal(12_000, 1), synth.normal(300, 2, mean=2.0)
    values = np.concatenate([before, after])
    if name == "shiryaev_roberts_ranks":
        values = ranked(values)
    usual = of_sample(values[np.newaxis, :ROWS])
    found = alarms(name, {}, usual, values[ROWS:])
    assert 2000 <= found.event[0] < 2025
    assert abs(found.event[0] + 1 - found.since[0] - 2000) <= 20
    assert found.before[0] == pytest.approx(usual.mean[0, 0], abs=0.05)
    assert found.after[0] > found.before[0] + 0.3


def test_a_change_of_spread_alone_is_found_in_ranks():
    values = ranked(np.concatenate([synth.normal(15_000, 1), synth.normal(1000, 2, std=2.0)]))
    usual = of_sample(values[np.newaxis, :ROWS])
    for change, rings in (("both", True), ("spread", True)):
        found = alarms("shiryaev_roberts_ranks", {"change": change}, usual, values[ROWS:])
        assert (len(found.event) > 0) is rings
        assert found.event[0] >= 5000


def test_one_sided_detectors_are_deaf_on_the_other_side():
    usual = of_sample(synth.bernoulli(ROWS, 1, 0.3)[np.newaxis])
    falling, rising = synth.bernoulli(5000, 2, 0.1), synth.bernoulli(5000, 3, 0.6)
    for mode, deaf, hears in (("up", falling, rising), ("down", rising, falling)):
        assert len(alarms("shiryaev_roberts", {"mode": mode}, usual, deaf).event) == 0
        assert len(alarms("shiryaev_roberts", {"mode": mode}, usual, hears).event) > 0


def test_values_that_never_vary_say_nothing_however_many_there_are():
    """Each adds a time at which a change could have been; without forgetting they would add up to an alarm."""
    one = np.ones((1, 1))
    usual = Usual(0.5 * one, 0.0 * one, 1e6 * one, 0.0 * one, one)
    for name in ("shiryaev_roberts", "shiryaev_roberts_ranks"):
        assert len(alarms(name, {"average_run_length": 1000.0}, usual, np.full(50_000, 0.5)).event) == 0


def test_a_slow_change_is_not_learnt_away():
    usual = of_sample(synth.bernoulli(ROWS, 1, 0.1)[np.newaxis])
    rate = np.linspace(0.1, 0.2, 200_000)
    creeping = (np.random.default_rng(2).random(200_000) < rate).astype(float)
    found = alarms("shiryaev_roberts", {}, usual, creeping)
    assert len(found.event) > 0
    assert rate[found.event[0]] < 0.14


def test_a_lane_without_a_baseline_beside_one_with_takes_its_first_values_for_one():
    one = np.ones((1, 2))
    usual = Usual(np.array([[0.1, np.nan]]), 0.09 * one, np.array([[1e6, 0.0]]), 0.0 * one, one)
    block = np.stack([synth.bernoulli(2000, 2, 0.6)] * 2)
    found = registry.sequential("shiryaev_roberts").start(1, 2, usual).update(block)
    assert set(found.subject.tolist()) == {0}


@pytest.mark.parametrize("name", [*CHARTS, "shiryaev_roberts", "shiryaev_roberts_ranks"])
def test_river_has_no_such_detector_and_it_is_told(name):
    state = registry.sequential(name).start(1, 1)
    with pytest.raises(ValueError, match="river has no"):
        state.to_river(0, 0)
    with pytest.raises(ValueError, match="river has no"):
        state.from_river(0, 0, object())


def test_a_stored_lane_that_is_not_finite_is_refused():
    detector = registry.sequential("cusum")
    plain = detector.start(1, 1).to_plain()
    plain["rows"][0, 0, 3] = np.nan
    with pytest.raises(ValueError, match="not finite"):
        detector.restore(plain)


@pytest.mark.parametrize(
    ("name", "parameters", "expected"),
    [("cusum", {"reference": 0.5, "threshold": 4.0}, 168.0), ("shewhart", {"size": 1, "width": 3.0}, 370.4)],
)
def test_charts_have_the_run_lengths_of_the_textbook(name, parameters, expected):
    """Montgomery, Introduction to Statistical Quality Control: CUSUM k = 1/2, h = 4: 168; three-sigma limits: 370."""
    one = np.ones((1, 1))
    usual = Usual(0.0 * one, one, 1e12 * one, 0.0 * one, one)
    values = synth.normal(400_000, 5)
    assert len(values) / len(alarms(name, parameters, usual, values).event) == pytest.approx(expected, rel=0.08)
