"""Shares of bad values and wrong answers, held against what the baseline predicts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import betabinom

from anchorwatch.decide.evidence import Kind
from anchorwatch.engine import share_monitor
from anchorwatch.engine.baseline import Rows, summarise
from anchorwatch.engine.panes import Moment, Window
from anchorwatch.engine.reference import Column, Reference
from anchorwatch.engine.share_monitor import Bounds
from anchorwatch.engine.vector import RIGHT, WRONG
from anchorwatch.events.columns import Fault
from anchorwatch_detectors.base import Direction, Level

BOUNDS = Bounds(significance=0.001, smallest=0.02, min_sample=50)


def errors(wrong, n):
    """Return a baseline of n answers, some of them wrong, evenly spread as independent ones are."""
    codes = np.diff(np.arange(n + 1) * wrong // n).astype(np.int32)
    rows = Rows(
        np.arange(n), np.zeros((n, 2), np.uint64), {}, {"error": (codes, (RIGHT, WRONG), np.zeros(n, np.uint8))}
    )
    return Reference.of("bl", summarise(rows, []), [Column("error", numeric=False, kind=Kind.ACCURACY)], [])


def said(known, **cells):
    """Return the verdict on a window with so many values in some cells, by subject."""
    counts = np.zeros(known.width, np.int64)
    for cell, n in cells.items():
        counts[int(cell.removeprefix("c"))] = n
    window = Window(0, Moment(9, 1, 99), 7, counts, int(counts.sum()))
    found = share_monitor.judge(share_monitor.shares_of(known), BOUNDS, known, [window])
    return {finding.subject: finding.verdict for finding in found}


def of_errors(known, right, wrong):
    place = {word: at for at, word in enumerate(known.profiles[0].words)}
    other = len(place)
    return said(known, **{f"c{place.get(RIGHT, other)}": right, f"c{place.get(WRONG, other)}": wrong})["error"]


@given(st.integers(0, 2000), st.integers(0, 300), st.integers(50, 300))
def test_the_bound_is_the_beta_binomial_law_of_scipy(wrong0, k, n):
    """Two-sided for errors: half of the significance on either side, and no less than the smallest shift."""
    k = min(k, n)
    verdict = of_errors(errors(wrong0, 2000), n - k, k)
    effect = k / n - wrong0 / 2000
    law = betabinom(n, wrong0 + 0.5, 2000 - wrong0 + 0.5)
    tail = law.sf(k - 1) if effect > 0 else law.cdf(k)
    assert verdict.effect == pytest.approx(100 * effect)
    if abs(tail - 0.0005) > 1e-9:
        assert (verdict.level is Level.DRIFT) == (abs(effect) >= 0.02 and tail <= 0.0005)
    assert verdict.direction is (Direction.WORSE if effect > 0 else Direction.BETTER)


@given(st.integers(0, 500), st.integers(1, 400), st.booleans())
def test_the_tail_is_scipys_also_far_out(k0, n, upper):
    for k in {0, n // 7, n // 2, n}:
        law = betabinom(n, k0 + 0.5, 500 - k0 + 0.5)
        tail = law.sf(k - 1) if upper else law.cdf(k)
        assert share_monitor.tail(share_monitor.Seen(k, n, k0, 500), upper=upper) == pytest.approx(tail, abs=1e-9)


def test_a_baseline_without_a_wrong_answer_knows_a_wrong_one():
    assert of_errors(errors(0, 500), 400, 100).level is Level.DRIFT
    assert of_errors(errors(500, 500), 100, 400).direction is Direction.BETTER


def test_too_few_values_on_either_side_are_undetermined():
    assert of_errors(errors(10, 49), 40, 60).reason == "baseline_too_small"
    assert of_errors(errors(10, 500), 0, 49).reason == "too_few_values"
    assert of_errors(errors(10, 500), 0, 49).level is Level.UNDETERMINED


def quality():
    """Return a baseline of a numeric and a category column with one percent missing."""
    n = 2000
    fault = np.where(np.arange(n) < 20, Fault.NULL, Fault.NONE).astype(np.uint8)
    values = np.where(fault == 0, np.linspace(0, 1, n), np.nan)
    codes = np.where(fault == 0, np.arange(n) % 3, -1).astype(np.int32)
    rows = Rows(
        np.arange(n),
        np.zeros((n, 2), np.uint64),
        {"amount": (values, fault)},
        {"country": (codes, ("a", "b", "c"), fault)},
    )
    columns = [Column("amount", numeric=True, kind=Kind.DRIFT), Column("country", numeric=False, kind=Kind.DRIFT)]
    return Reference.of("bl", summarise(rows, []), columns, [])


@pytest.mark.parametrize(
    ("column", "cell", "subject"),
    [
        (0, Fault.NULL, "amount missing"),
        (0, Fault.ABSENT, "amount missing"),
        (0, Fault.WRONG_TYPE, "amount mistyped"),
        (0, Fault.NOT_FINITE, "amount mistyped"),
        (1, Fault.NULL, "country missing"),
        (1, Fault.WRONG_TYPE, "country mistyped"),
        (0, "below", "amount out of range"),
        (0, "above", "amount out of range"),
        (1, "other", "country unseen"),
    ],
)
def test_each_kind_of_bad_value_counts_in_the_share_of_its_name(column, cell, subject):
    """A tenth of a window of it is drift there and nowhere else; fewer than usual is no news."""
    known = quality()
    start, size = int(known.starts[column]), int(known.sizes[column])
    at = {"below": start, "above": start + size - 1, "other": start + size - 1}.get(cell)
    at = start + size + int(cell) - 1 if at is None else at
    good = [int(s) + 1 for s in known.starts]
    full = {f"c{good[column]}": 900, f"c{good[1 - column]}": 1000, f"c{at}": 100}
    verdicts = said(known, **full)
    assert [name for name, verdict in verdicts.items() if verdict.level is Level.DRIFT] == [subject]
    assert verdicts[subject].since == 7
    usual = said(known, **{f"c{good[0]}": 1000, f"c{good[1]}": 1000})
    assert {verdict.level for verdict in usual.values()} == {Level.STABLE}
