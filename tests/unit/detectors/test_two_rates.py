"""A new version's error rate against an old one's: rarely wrong, said in time, whatever the cutting."""

import math

import numpy as np
import pytest

from anchorwatch_detectors.two_rates import TwoRates
from anchorwatch_detectors.versus import Claim, follow, fresh

SIGNIFICANCE = 0.05


def contest_of(seed, rate, n=4000, margin=0.01):
    """Return what the new version is held against: a finite sample of the old one's errors."""
    return TwoRates(int(np.random.default_rng(10_000 + seed).binomial(n, rate)), n, margin, SIGNIFICANCE)


def claims(contest, errors):
    _, said = follow(contest, fresh(contest), errors.astype(np.int64))
    return [each for each in said if each.claim is not Claim.UNDECIDED]


def errors(seed, n, rate):
    return np.random.default_rng(seed).random(n) < rate


@pytest.mark.parametrize(("old", "new"), [(0.1, 0.1), (0.1, 0.11), (0.1, 0.09), (0.02, 0.02)])
def test_of_400_rollouts_without_a_difference_to_speak_of_no_more_than_promised_are_called_different(old, new):
    """The old rate is known from 400 errors or fewer, so it is itself off."""
    called = 0
    for seed in range(400):
        found = claims(contest_of(seed, old), errors(seed, 4000, new))
        called += any(each.claim in {"better", "worse"} for each in found)
    assert called <= 400 * SIGNIFICANCE


@pytest.mark.parametrize(("new", "claim"), [(0.16, "worse"), (0.05, "better")])
def test_a_difference_of_five_points_is_said_within_two_thousand_predictions(new, claim):
    found = [claims(contest_of(seed, 0.1, n=15_000), errors(seed, 4000, new)) for seed in range(40)]
    firsts = [each[0] for each in found if each]
    assert sum(each.claim == claim for each in firsts) >= 38
    assert np.median([each.standing.n for each in firsts]) < 2000


def test_equal_rates_are_equivalent_once_both_are_known_well_enough():
    contest = TwoRates(2000, 40_000, 0.02, SIGNIFICANCE)
    (first, *_) = claims(contest, errors(1, 30_000, 0.05))
    assert first.claim == "equivalent"
    assert first.standing.n < 20_000
    assert claims(TwoRates(10, 200, 0.02, SIGNIFICANCE), errors(1, 30_000, 0.05)) == []


def test_nothing_is_said_against_an_old_version_of_which_nothing_is_known():
    contest = TwoRates(0, 0, 0.01, SIGNIFICANCE)
    assert claims(contest, errors(1, 3000, 0.5)) == []
    assert math.isnan(contest.difference((1, 1)))
    assert contest.needed(fresh(contest)) is None


@pytest.mark.parametrize("cut", [1, 33, 1025])
def test_cutting_the_predictions_changes_nothing(cut):
    contest, sequence = contest_of(3, 0.1), errors(3, 3000, 0.17).astype(np.int64)
    whole = follow(contest, fresh(contest), sequence)
    assert any(each.claim == "worse" for each in whole[1])
    standing, said = fresh(contest), []
    for start in range(0, len(sequence), cut):
        standing, new = follow(contest, standing, sequence[start : start + cut])
        said += [each._replace(step=each.step + start) for each in new]
    assert (standing, said) == whole


def test_the_interval_narrows_about_the_difference():
    contest = TwoRates(400, 4000, 0.01, SIGNIFICANCE)
    wide, narrow = contest.interval((170, 30)), contest.interval((17_000, 3000))
    assert wide[0] < narrow[0] < 0.05 < narrow[1] < wide[1]


@pytest.mark.parametrize(("new", "claim"), [(0.17, "worse"), (0.05, "better")])
def test_the_predictions_still_needed_are_about_those_that_it_takes(new, claim):
    """Asked after a third of the way, within a factor of three; median over 20 rollouts."""
    ratios = []
    for seed in range(20):
        contest, sequence = contest_of(seed, 0.1, n=15_000), errors(seed, 8000, new)
        end = claims(contest, sequence)[0]
        assert end.claim == claim
        standing, _ = follow(contest, fresh(contest), sequence[: end.standing.n // 3].astype(np.int64))
        needed = contest.needed(standing)
        ratios.append(math.inf if needed is None else needed / (end.standing.n - end.standing.n // 3))
    assert 1 / 3 < np.median(ratios) < 3


@pytest.mark.parametrize(("wrong", "n"), [(-1, 5), (6, 5)])
def test_more_errors_than_predictions_are_refused(wrong, n):
    with pytest.raises(ValueError, match="cannot be wrong"):
        TwoRates(wrong, n, 0.01, SIGNIFICANCE)
