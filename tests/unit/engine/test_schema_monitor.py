"""Columns that break are found as a loop over single rows finds them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anchorwatch.decide.evidence import Kind
from anchorwatch.engine import schema_monitor
from anchorwatch.engine.baseline import Rows, summarise
from anchorwatch.engine.reference import Block, Column, Reference
from anchorwatch.engine.schema_monitor import Runs
from anchorwatch_detectors.base import Direction, Level

NEEDED = 4


def reference(bad_share=0.0):
    """Return a baseline of one numeric column of which a share is missing."""
    n = 1000
    fault = (np.arange(n) < bad_share * n).astype(np.uint8)
    time = np.arange(n)
    ident = np.stack([time, time], axis=1).astype(np.uint64)
    values = np.where(fault == 0, np.random.default_rng(0).normal(size=n), np.nan)
    part = summarise(Rows(time, ident, {"amount": (values, fault)}, {}), [])
    return Reference.of("bl", part, [Column("amount", numeric=True, kind=Kind.DRIFT)], [])


def block(bad, start=0):
    n = len(bad)
    fault = np.array(bad, np.uint8).reshape(1, n)
    return Block(
        at=np.arange(n),
        time=np.arange(start, start + n) * 10,
        ident=np.zeros((n, 2), np.uint64),
        numeric=np.where(fault, np.nan, 0.5),
        numeric_fault=fault,
        category=np.zeros((0, n), np.int32),
        category_fault=np.zeros((0, n), np.uint8),
        vocabulary=(),
        segments=np.zeros((0, n), np.uint64),
    )


def followed(bad, cuts=(), runs=None, bad_share=0.0):
    """Return (row, broken, first row of the run) of each finding, the rows cut into blocks."""
    known, runs, found = reference(bad_share), runs or Runs.fresh(1), []
    for start, stop in zip([0, *cuts], [*cuts, len(bad)], strict=True):
        rows = block(bad[start:stop], start)
        for finding in schema_monitor.follow(runs, NEEDED, known, rows, known.cells(rows)):
            since = finding.verdict.since
            broken = finding.verdict.level is Level.DRIFT
            found.append((start + finding.moment.position, broken, None if since is None else since // 10))
            assert finding.moment.time == (start + finding.moment.position) * 10
            assert finding.decisive
    return found


def naively(bad):
    found, broken, run = [], False, []
    for row, value in enumerate(bad):
        run = [*run, row] if run and bad[run[-1]] == value else [row]
        if len(run) == NEEDED and value != broken:
            broken = value
            found.append((row, value, run[0] if value else None))
    return found


ROWS = st.lists(st.tuples(st.booleans(), st.integers(1, 7)), max_size=12).map(
    lambda runs: [bad for bad, length in runs for _ in range(length)]
)


@given(ROWS, st.lists(st.integers(0, 84), max_size=5))
def test_breaks_and_recoveries_are_those_of_a_loop_over_rows(bad, cuts):
    """Several in one block, runs that go on over blocks, empty blocks, runs that are not long enough."""
    assert followed(bad, sorted(min(cut, len(bad)) for cut in cuts)) == naively(bad)


def test_a_column_breaks_recovers_and_breaks_again_in_one_block():
    bad = [False] * 5 + [True] * 6 + [False] * 4 + [True] * 3 + [False] + [True] * 4
    assert followed(bad) == [(8, True, 5), (14, False, None), (22, True, 19)]


def test_a_break_is_worse_and_a_recovery_is_better():
    known, runs = reference(), Runs.fresh(1)
    rows = block([True] * 4 + [False] * 4)
    broken, whole = schema_monitor.follow(runs, NEEDED, known, rows, known.cells(rows))
    assert (broken.verdict.reason, broken.verdict.direction) == ("column_broken", Direction.WORSE)
    assert (whole.verdict.reason, whole.verdict.direction) == ("column_whole", Direction.BETTER)
    assert broken.kind is Kind.SCHEMA


@pytest.mark.parametrize(("share", "watched"), [(0.0, True), (0.2, True), (0.25, False), (1.0, False)])
def test_a_column_that_is_often_unusable_in_the_baseline_is_not_watched_by_runs(share, watched):
    assert bool(followed([True] * 10, bad_share=share)) is watched


def test_a_column_full_of_short_runs_takes_no_time():
    """Ten thousand runs in a block: work that grows with their square would take a minute here."""
    bad = [False, True] * 20_000
    assert followed(bad) == []
