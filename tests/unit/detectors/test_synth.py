"""Synthetic streams are what their names say."""

import numpy as np
import pytest

from anchorwatch_detectors import synth

N = 20_000


def test_the_same_seed_gives_the_same_stream_and_another_seed_another():
    makers = [synth.normal, synth.student_t, synth.lognormal, synth.autoregressive]
    for make in [*makers, lambda n, seed: synth.bernoulli(n, seed, 0.5)]:
        assert np.array_equal(make(50, 1), make(50, 1))
        assert not np.array_equal(make(50, 1), make(50, 2))


def test_streams_have_their_stated_moments():
    assert synth.normal(N, 1, 3.0, 2.0).mean() == pytest.approx(3.0, abs=0.08)
    assert synth.normal(N, 1, 3.0, 2.0).std() == pytest.approx(2.0, abs=0.05)
    assert synth.student_t(N, 1, 5.0).var() == pytest.approx(5 / 3, abs=0.2)
    assert np.log(synth.lognormal(N, 1, 1.0, 0.5)).mean() == pytest.approx(1.0, abs=0.02)
    assert synth.bernoulli(N, 1, 0.3).mean() == pytest.approx(0.3, abs=0.02)
    assert set(synth.bernoulli(N, 1, 0.3).tolist()) == {0.0, 1.0}


def test_autoregressive_values_remember_the_one_before_and_start_stationary():
    values = synth.autoregressive(N, 1, 0.8)
    assert np.corrcoef(values[1:], values[:-1])[0, 1] == pytest.approx(0.8, abs=0.02)
    assert values.std() == pytest.approx(1.0, abs=0.05)
    firsts = [synth.autoregressive(1, seed, 0.8)[0] for seed in range(2000)]
    assert np.std(firsts) == pytest.approx(1.0, abs=0.06)


def test_an_abrupt_change_happens_at_its_position_and_a_gradual_one_within_its_width():
    zeros, ones = np.zeros(N), np.ones(N)
    assert synth.abrupt(zeros, ones, 7).tolist() == [0.0] * 7 + [1.0] * (N - 7)
    turned = synth.gradual(zeros, ones, at=5000, width=10_000, seed=1)
    assert turned[:5000].max() == 0.0
    assert turned[15_000:].min() == 1.0
    assert turned[9000:11_000].mean() == pytest.approx(0.5, abs=0.05)
