"""Detectors are tried on what they are made for, and every one sees the same rows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from anchorwatch_detectors import registry, synth
from anchorwatch_detectors.evaluate import alarms_of, first_in_time, score
from anchorwatch_detectors.trials import Feed, Trial, feed_of, try_out

ERRORS = Trial(
    baseline=synth.bernoulli(3000, 1, 0.1),
    values=synth.abrupt(synth.bernoulli(4000, 2, 0.1), synth.bernoulli(4000, 3, 0.5), at=2000),
    changes=np.array([2000]),
    errors=True,
)
AMOUNTS = Trial(
    baseline=synth.lognormal(3000, 1),
    values=synth.abrupt(synth.lognormal(4000, 2), synth.lognormal(4000, 3, mean=1.0), at=2000),
    changes=np.array([2000]),
    errors=False,
)


def everything():
    return {name: registry.sequential(name) for name in registry.names("sequential")}


def test_every_detector_is_tried_on_errors_as_they_are():
    found = try_out(everything(), [ERRORS])
    assert list(found) == registry.names("sequential")
    assert {tried.feed for tried in found.values()} == {Feed.ERRORS}
    assert found["shiryaev_roberts"].score.detected == found["adwin"].score.detected == 1


def test_counters_of_errors_are_left_out_of_a_feature_and_all_others_tried():
    found = try_out(everything(), [AMOUNTS])
    assert set(registry.names("sequential")) - set(found) == {"ddm", "eddm", "fhddm", "rddm", "stepd"}
    assert {name for name, tried in found.items() if tried.feed is Feed.VALUES} == {"kswin", "page_hinkley"}
    assert found["shiryaev_roberts_ranks"].score.detected == 1


def test_a_detector_of_river_gets_the_values_and_one_for_bits_errors_alone():
    assert feed_of(registry.sequential("river.drift.ADWIN"), errors=False) is Feed.VALUES
    assert feed_of(registry.sequential("river.drift.binary.DDM"), errors=False) is None
    assert feed_of(registry.sequential("river.drift.binary.DDM"), errors=True) is Feed.ERRORS


def test_what_is_fed_to_all_can_be_chosen_but_what_takes_only_0_to_1_gets_ranks():
    ranks, values = (try_out(everything(), [AMOUNTS], feed=feed) for feed in (Feed.RANKS, Feed.VALUES))
    assert {tried.feed for tried in ranks.values()} == {Feed.RANKS}
    assert {name for name, tried in values.items() if tried.feed is Feed.RANKS} == {
        "seed", "shiryaev_roberts", "shiryaev_roberts_ranks",
    }  # fmt: skip


def test_ranks_do_not_change_with_the_unit_of_a_column():
    cents = Trial(AMOUNTS.baseline * 100, AMOUNTS.values * 100, AMOUNTS.changes, errors=False)
    one, other = (try_out({"adwin": registry.sequential("adwin")}, [trial])["adwin"] for trial in (AMOUNTS, cents))
    assert one.score == other.score
    assert one.score.alarms > 0


def test_a_value_that_is_missing_keeps_its_place_and_has_no_rank():
    values = np.array([1.0, np.nan, 2.5, np.inf, 9.0])
    ranks, usual = Trial(np.array([1.0, 2.0, 3.0]), values, np.array([], np.int64), errors=False).fed(Feed.RANKS)
    assert np.isnan(ranks).tolist() == [False, True, False, True, False]
    assert ranks[[0, 4]].tolist() == pytest.approx([1 / 6, 1.0])
    assert usual.rows.tolist() == [[3.0]]


def test_an_alarm_that_comes_too_late_is_false_unless_the_stream_is_held_against_a_baseline():
    found = try_out({name: registry.sequential(name) for name in ("adwin", "shiryaev_roberts")}, [ERRORS], most=2)
    assert [tried.score.detected for tried in found.values()] == [0, 0]
    assert all(len(tried.alarms[0]) > 0 for tried in found.values())
    assert found["adwin"].score.false_alarms > 0
    assert found["shiryaev_roberts"].score.false_alarms == 0


@given(values=st.lists(st.floats(), min_size=20, max_size=60), feed=st.sampled_from([Feed.RANKS, Feed.VALUES]))
def test_no_value_however_large_keeps_a_feature_from_being_judged(values, feed):
    stream = np.array([*values, 1.0])
    detectors = {name: registry.sequential(name) for name in ("cusum", "adwin", "shiryaev_roberts_ranks", "kswin")}
    found = try_out(detectors, [Trial(stream[-15:], stream, np.array([7]), errors=False)], feed=feed)
    assert {tried.score.events for tried in found.values()} == {len(stream)}


def test_scores_and_alarms_of_all_trials_stand_together():
    detector = registry.sequential("adwin")
    both = try_out({"adwin": detector}, [ERRORS, ERRORS])["adwin"]
    assert [alarms.tolist() for alarms in both.alarms] == [alarms_of(detector, ERRORS.values).tolist()] * 2
    assert both.score.changes == 2
    assert both.score.events == 8000


def test_a_feature_without_a_baseline_is_refused_and_errors_are_not():
    none = np.array([])
    with pytest.raises(ValueError, match="baseline"):
        Trial(none, AMOUNTS.values, AMOUNTS.changes, errors=False)
    alone = Trial(none, ERRORS.values, ERRORS.changes, errors=True)
    assert try_out({"adwin": registry.sequential("adwin")}, [alone])["adwin"].score.detected == 1


ALARMS = st.lists(st.integers(0, 199), max_size=12)
CHANGES = st.sets(st.integers(0, 199), max_size=4).map(sorted)
MOST = st.none() | st.integers(1, 60)


@given(changes=CHANGES, most=MOST, lasting=st.booleans())
def test_an_alarm_exactly_at_each_change_detects_all_with_a_delay_of_1(changes, most, lasting):
    found = score(changes, changes, 200, most, lasting=lasting)
    assert (found.detected, found.missed, found.false_alarms) == (len(changes), 0, 0)
    assert found.delay_sum == len(changes)


@given(alarms=ALARMS, changes=CHANGES, most=MOST, lasting=st.booleans())
def test_counts_add_up_and_what_is_undefined_is_nan(alarms, changes, most, lasting):
    found = score(alarms, changes, 200, most, lasting=lasting)
    assert found.detected + found.missed == found.changes == len(changes)
    assert found.alarms == len(alarms) >= found.false_alarms + (found.detected > 0)
    assert 0 <= found.quiet <= found.events == 200
    assert np.isnan(found.delay) == (found.detected == 0)
    assert np.isnan(found.between_false_alarms) == (found.false_alarms == 0)
    assert np.isnan(found.precision) == (found.detected + found.false_alarms == 0)
    assert np.isnan(found.recall) == (not changes)
    assert np.isnan(found.f1) == (not changes and not found.false_alarms)


@given(alarms=ALARMS, changes=CHANGES, most=MOST)
def test_the_alarms_that_detect_are_those_whose_delays_are_counted(alarms, changes, most):
    first = first_in_time(alarms, changes, 200, most)
    found = score(alarms, changes, 200, most)
    hit = first >= 0
    assert hit.sum() == found.detected
    assert (first - np.array(changes, np.int64) + 1)[hit].sum() == found.delay_sum
    assert set(first[hit].tolist()) <= set(alarms)
