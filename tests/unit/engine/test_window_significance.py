"""What is beyond noise: the decision of all p-values together, and of values that follow one another."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

from anchorwatch.decide.evidence import Kind
from anchorwatch.engine import share_monitor, window_monitor
from anchorwatch.engine.baseline import Rows, summarise
from anchorwatch.engine.panes import Moment, Window
from anchorwatch.engine.reference import Column, Reference
from anchorwatch.engine.vector import RIGHT, WRONG
from anchorwatch.engine.window_monitor import Family
from anchorwatch_detectors import registry
from anchorwatch_detectors.base import Level
from anchorwatch_detectors.comparison import ColumnKind
from anchorwatch_detectors.correction import benjamini_hochberg, benjamini_yekutieli
from anchorwatch_detectors.profile import NumericProfile

NUMERIC = [name for name in registry.names("window") if ColumnKind.NUMERIC in registry.window(name).kinds]
MOST = 12
ROWS = 400


def known(values):
    """Return a baseline of (columns, n) numbers, compiled."""
    n = values.shape[1]
    good = np.zeros(n, np.uint8)
    rows = Rows(np.arange(n), np.zeros((n, 2), np.uint64), {f"x{i}": (v, good) for i, v in enumerate(values)}, {})
    columns = tuple(Column(f"x{i}", numeric=True, kind=Kind.DRIFT) for i in range(len(values)))
    return Reference.of("bl", summarise(rows, []), columns, [])


def window(reference, values):
    """Return a window of (columns, n) numbers."""
    counts = np.zeros(reference.width, np.int64)
    for start, profile, column in zip(reference.starts, reference.profiles, values, strict=True):
        cells = profile.cells(column)
        counts += np.bincount(start + cells, minlength=reference.width)
    return Window(0, Moment(values.shape[1] - 1, 1, 99), 0, counts, values.shape[1])


def levels(found):
    return [(finding.verdict.level.value, finding.verdict.reason) for finding in found]


def told_by_all_p_values(family, reference, one):
    """Return what is said if the p-value of every column is worked out and adjusted, whatever its effect."""
    said = []
    for index in family.columns:
        profile = reference.profiles[index]
        place = slice(int(reference.starts[index]), int(reference.starts[index]) + len(profile.counts))
        tables = reference.counts[0][np.newaxis, place], one.counts[np.newaxis, place]
        position = profile.position[np.newaxis] if isinstance(profile, NumericProfile) else None
        said.append(family.test.compare(*tables, position, inflation=reference.inflation[[index]]))
    adjusted = family.correction([each.p_value.item() for each in said]) * len(reference.groups)
    out = []
    for each, p in zip(said, adjusted, strict=True):
        if each.effect.item() < family.smallest_effect:
            out.append(("stable", "small_effect"))
        else:
            out.append(("drift", "differs") if p <= family.significance else ("stable", "within_noise"))
    return out


RNG = np.random.default_rng(1)
BASELINE = known(RNG.normal(size=(MOST, ROWS)))
NOISE = RNG.normal(size=(MOST, 4000))


@pytest.mark.parametrize("correct", [benjamini_hochberg, benjamini_yekutieli])
@pytest.mark.parametrize("name", NUMERIC)
@settings(max_examples=12, deadline=None)
@given(
    shifts=st.lists(st.sampled_from([0.0, 0.0, 0.1, 0.15, 0.2, 0.25, 0.4]), min_size=1, max_size=MOST),
    rows=st.tuples(st.integers(0, 3500), st.integers(100, 500)),
    level=st.tuples(st.sampled_from([0.001, 0.01, 0.05, 0.2, 0.5]), st.integers(1, 3)),
    share=st.floats(0.2, 1.2),
)
def test_what_is_said_is_what_all_p_values_would_say(name, correct, shifts, rows, level, share):
    count, (start, length), (significance, groups) = len(shifts), rows, level
    values = NOISE[:, start : start + length].copy()
    values[:count] += np.array(shifts)[:, np.newaxis]
    reference = replace(BASELINE, groups=tuple("abc"[:groups]))
    test = registry.window(name)
    family = Family(test, tuple(range(count)), significance, test.smallest_effect * share, 50, correct)
    one = window(reference, values)
    assert levels(window_monitor.compare(family, reference, [one])) == told_by_all_p_values(family, reference, one)


def autoregressive(rng, columns, n, coefficient):
    """Return (columns, n) of unit variance, each value the last one's share and a new draw."""
    draws = rng.normal(size=(columns, n + 200)) * np.sqrt(1 - coefficient**2)
    return signal.lfilter([1.0], [1.0, -coefficient], draws, axis=1)[:, 200:]


LEVEL = 0.05
ONE = np.ones(1)
ROUNDS = 400


@pytest.mark.parametrize("name", ["anderson_darling", "kolmogorov_smirnov", "mann_whitney", "psi", "wasserstein"])
def test_unchanged_values_that_follow_one_another_are_within_noise_as_often_as_promised(name):
    """400 columns of AR(1) 0.7, each a test of its own; taken for independent, a quarter and more of them are drift."""
    rng = np.random.default_rng(3)
    values = autoregressive(rng, ROUNDS, 5000, 0.7)
    reference = known(values[:, :4000])
    one = window(reference, values[:, 4000:])
    family = Family(registry.window(name), tuple(range(ROUNDS)), LEVEL, 0.0, 100, np.asarray)
    independent = replace(reference, inflation=np.ones(ROUNDS))
    wrong = np.mean([level == "drift" for level, _ in levels(window_monitor.compare(family, independent, [one]))])
    said = np.mean([level == "drift" for level, _ in levels(window_monitor.compare(family, reference, [one]))])
    assert said <= LEVEL + 2.6 * np.sqrt(LEVEL * (1 - LEVEL) / ROUNDS)
    assert wrong > 0.25


def test_a_real_change_of_values_that_follow_one_another_is_found():
    rng = np.random.default_rng(4)
    values = autoregressive(rng, 50, 5000, 0.7)
    reference = known(values[:, :4000])
    family = Family(registry.window("kolmogorov_smirnov"), tuple(range(50)), 0.001, 0.1, 100)
    found = window_monitor.compare(family, reference, [window(reference, values[:, 4000:] + 1.0)])
    assert {reason for _, reason in levels(found)} == {"differs"}


def test_independent_values_are_judged_as_before():
    rng = np.random.default_rng(5)
    values = rng.normal(size=(100, 5000))
    reference = known(values[:, :4000])
    assert np.mean(reference.inflation == 1.0) > 0.9  # two standard errors
    one = window(reference, values[:, 4000:] + 0.12)
    family = Family(
        registry.window("kolmogorov_smirnov"), tuple(np.flatnonzero(reference.inflation == 1.0)), 0.05, 0.0, 9
    )
    independent = replace(reference, inflation=np.ones(100))
    found = levels(window_monitor.compare(family, reference, [one]))
    assert found == levels(window_monitor.compare(family, independent, [one]))
    assert np.mean([level == "drift" for level, _ in found]) > 0.1


def test_wrong_answers_that_come_in_spells_are_within_noise_as_often_as_promised():
    """200 models, a fifth of whose answers are wrong; taken for independent, a fifth and more of them are alarms."""
    rng = np.random.default_rng(6)
    wrong = autoregressive(rng, 200, 5000, 0.8) < -0.84
    bounds = share_monitor.Bounds(LEVEL, 0.0, 100)
    drifts = {"as they are": 0, "as if independent": 0}
    for codes in wrong.astype(np.int32):
        good = np.zeros(4000, np.uint8)
        rows = Rows(np.arange(4000), np.zeros((4000, 2), np.uint64), {}, {"e": (codes[:4000], (RIGHT, WRONG), good)})
        column = Column("e", numeric=False, kind=Kind.ACCURACY)
        reference = Reference.of("bl", summarise(rows, []), [column], [])
        cells = reference.profiles[0].cells(codes[4000:], (RIGHT, WRONG))
        one = Window(0, Moment(999, 1, 99), 0, np.bincount(cells, minlength=reference.width), 1000)
        for name, known_as in (("as they are", reference), ("as if independent", replace(reference, inflation=ONE))):
            (found,) = share_monitor.judge(share_monitor.shares_of(known_as), bounds, known_as, [one])
            drifts[name] += found.verdict.level is Level.DRIFT
    assert drifts["as they are"] <= 200 * LEVEL + 2.6 * np.sqrt(200 * LEVEL * (1 - LEVEL))
    assert drifts["as if independent"] > 40
