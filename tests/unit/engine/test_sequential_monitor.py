"""What follows the alarm of a sequential detector: drift until a whole window is back, or a change back."""

import numpy as np
import pytest

from anchorwatch.decide.evidence import Kind
from anchorwatch.engine import sequential_monitor
from anchorwatch.engine.baseline import Rows, summarise
from anchorwatch.engine.lanes import Lanes, Lookout
from anchorwatch.engine.marks import Marks
from anchorwatch.engine.panes import Panes, Span
from anchorwatch.engine.reference import Block, Column, Reference
from anchorwatch.engine.sequential_monitor import Seen
from anchorwatch.engine.vector import RIGHT, WRONG
from anchorwatch_detectors import registry, synth
from anchorwatch_detectors.base import Direction

SIZE = 200


def reference(seed=0, n=5000):
    codes = synth.bernoulli(n, seed, 0.1).astype(np.int32)
    rows = Rows(
        np.arange(n), np.zeros((n, 2), np.uint64), {}, {"error rate": (codes, (RIGHT, WRONG), np.zeros(n, np.uint8))}
    )
    return Reference.of("bl", summarise(rows, []), [Column("error rate", numeric=False, kind=Kind.ACCURACY)], [])


KNOWN = reference()


def followed(errors, *, detector="adwin", shift=0.1, cuts=(), panes=1):
    """Return (row, level, reason, direction, since, decisive) of each finding over a stream of errors."""
    lookout = Lookout(
        Kind.ACCURACY, registry.sequential(detector, {}), (0,), every_group=True, smallest_shift=shift, panes=panes
    )
    lanes, open_panes, marks, found = Lanes.fresh(lookout, KNOWN), Panes.fresh(1, KNOWN.width), [Marks.fresh()], []
    for start, stop in zip([0, *cuts], [*cuts, len(errors)], strict=True):
        n = stop - start
        time, none = np.arange(start, stop) * 10, np.zeros((1, n), np.uint8)
        block = Block(
            np.arange(n), time, np.zeros((n, 2), np.uint64), np.zeros((0, n)), none[:0],
            errors[np.newaxis, start:stop].astype(np.int32), none, ((RIGHT, WRONG),), np.zeros((0, n), np.uint64),
        )  # fmt: skip
        cells, groups = KNOWN.cells(block), np.zeros(n, np.int64)
        marks[0].add(time)
        windows = open_panes.add(Span(SIZE, None, panes), 0, cells, time, block.at)
        seen = Seen(block, [KNOWN.value[cells]], [groups], windows, [np.arange(start, stop)])
        for finding in sequential_monitor.follow(lanes, lookout, KNOWN, marks, seen):
            verdict = finding.verdict
            since = None if verdict.since is None else verdict.since // 10
            row = start + finding.moment.position
            found.append((row, str(verdict.level), verdict.reason, verdict.direction, since, finding.decisive))
        marks[0].trim()
        lanes = Lanes.from_plain(lookout, lanes.to_plain())
    return found


def errors(*phases):
    """Return errors, so many rows of each rate."""
    return np.concatenate([synth.bernoulli(rows, 7 + i, rate) for i, (rows, rate) in enumerate(phases)])


def test_nothing_is_said_of_a_stream_that_does_not_change():
    assert followed(errors((5000, 0.1))) == []


def test_a_rise_is_told_and_told_again_by_every_whole_window_until_it_is_over():
    """Latched: ADWIN itself falls silent after its alarm, the subject stays in drift; one calm window ends it."""
    found = followed(errors((2000, 0.1), (2000, 0.5), (1500, 0.1)))
    first, *rest = found
    assert first[1:4] == ("drift", "changed", Direction.WORSE)
    assert first[5]
    assert 2000 < first[0] < 2200
    assert abs(first[4] - 2000) < 50
    held = [row for row, level, *_, decisive in rest if level == "drift" and not decisive]
    assert held[0] % SIZE == SIZE - 1
    assert {2399 + SIZE * i for i in range(8)} <= set(held)
    assert all(since is not None and since >= 1900 for _, level, _, _, since, _ in found if level == "drift")
    assert found[-1][1] == "stable"
    assert 4000 <= found[-1][0] < 4500


def test_the_window_in_which_the_alarm_came_decides_nothing():
    """It still holds rows from before the change; sliding windows of three panes hold them for three windows."""
    for panes in (1, 3):
        found = followed(errors((2000, 0.1), (2000, 0.5)), panes=panes)
        alarm, held = found[0][0], next(row for row, *_, decisive in found[1:] if not decisive)
        assert held == alarm // SIZE * SIZE + SIZE - 1 + panes * SIZE


def test_it_is_over_with_the_first_whole_window_after_a_change_back():
    """Also where the detector's alarm at the change back puts it off by the window that holds both."""
    found = followed(errors((2000, 0.1), (1000, 0.9), (150, 0.0), (2000, 0.1)))
    assert [(row, decisive) for row, level, *_, decisive in found if level == "stable"] == [(3399, True)]


def test_a_fall_of_the_error_rate_is_better():
    found = followed(errors((2000, 0.1), (3000, 0.0)), shift=0.05)
    assert {direction for _, level, _, direction, _, _ in found if level == "drift"} == {Direction.BETTER}


def test_a_shift_not_worth_knowing_is_small():
    found = followed(errors((2000, 0.1), (6000, 0.18)), shift=0.3)
    assert found
    assert {level for _, level, *_ in found} == {"stable"}


@pytest.mark.parametrize("cuts", [[1], [1999, 2001, 2100], list(range(50, 5500, 50))])
def test_how_the_rows_are_cut_changes_nothing(cuts):
    stream = errors((2000, 0.1), (2000, 0.5), (1500, 0.1))
    assert followed(stream, cuts=cuts) == followed(stream)


# Against the baseline: the alarm itself is the evidence

BASED = {"detector": "shiryaev_roberts", "shift": 0.002}


def test_an_alarm_against_the_baseline_is_drift_however_small_the_change():
    """A rise that ADWIN's after-judgement would hold for too small: 0.10 to 0.14 where 0.1 more is worth knowing."""
    stream = errors((2000, 0.1), (6000, 0.16))
    found = followed(stream, **BASED)
    assert found[0][1:4] == ("drift", "changed", Direction.WORSE)
    assert found[0][5]
    assert {level for _, level, *_ in followed(stream, shift=0.1)} <= {"stable"}


def test_a_small_change_does_not_come_and_go_with_the_noise_of_windows():
    """Every window of 200 is off by 0.02 by chance, two thirds of half of the change: it fires once and stays."""
    found = followed(errors((2000, 0.1), (20_000, 0.16)), **BASED)
    assert {level for _, level, *_ in found} == {"drift"}
    assert len(found) > 50


def test_it_is_over_soon_after_a_small_change_back_and_with_one_window_after_a_large_one():
    small = followed(errors((2000, 0.1), (6000, 0.16), (6000, 0.1)), **BASED)
    assert small[-1][1:3] == ("stable", "back_to_baseline")
    assert 8000 < small[-1][0] <= 8000 + 15 * SIZE
    large = followed(errors((2000, 0.1), (1000, 0.6), (2000, 0.1)), **BASED)
    assert [row for row, level, *_ in large if level == "stable"] == [3000 + SIZE - 1]


def test_while_the_drift_of_errors_goes_on_alarms_are_told_now_and_then_and_since_never_moves_later():
    """The detector begins anew after each alarm and rings every few rows."""
    found = followed(errors((2000, 0.1), (3000, 0.4)), **BASED)
    rows = [row for row, *_, decisive in found if decisive]
    assert 5 < len(rows) <= 3000 / 128
    assert min(np.diff(rows)) >= 128
    told = [since for *_, since, _ in found]
    assert told == sorted(told, reverse=True)
    assert all(abs(since - 2000) < 100 for since in told)


@pytest.mark.parametrize("cuts", [[1], [1999, 2001, 2100], list(range(50, 5500, 50))])
def test_how_the_rows_are_cut_changes_nothing_against_the_baseline_either(cuts):
    stream = errors((2000, 0.1), (2000, 0.5), (1500, 0.1))
    assert followed(stream, cuts=cuts, **BASED) == followed(stream, **BASED)


AGAIN = ((2000, 0.1), (2000, 0.5), (1500, 0.1), (400, 0.4))


@pytest.mark.parametrize(("detector", "shift"), [("shiryaev_roberts", 0.002), ("adwin", 0.1)])
def test_a_change_that_comes_again_began_after_the_one_that_is_over(detector, shift):
    """The most likely change since the baseline is the first one, and it is over."""
    found = followed(errors(*AGAIN), detector=detector, shift=shift)
    over = next(i for i, (_, level, *_) in enumerate(found) if level == "stable")
    again = [since for _, level, _, _, since, _ in found[over:] if level == "drift"]
    assert again
    assert all(abs(since - 5500) < 100 for since in again)


@pytest.mark.parametrize("cuts", [[5501], [4000, 4001, 5600], list(range(70, 5900, 70))])
def test_how_the_rows_are_cut_changes_nothing_of_a_change_that_comes_again(cuts):
    stream = errors(*AGAIN)
    assert followed(stream, cuts=cuts, **BASED) == followed(stream, **BASED)


def test_lanes_that_were_saved_before_the_end_of_a_drift_was_kept_go_on():
    lookout = Lookout(
        Kind.ACCURACY, registry.sequential("adwin", {}), (0,), every_group=True, smallest_shift=0.1, panes=1
    )
    plain = Lanes.fresh(lookout, KNOWN).to_plain()
    del plain["over"]
    assert Lanes.from_plain(lookout, plain).over.tolist() == [[0]]
