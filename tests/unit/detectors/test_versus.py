"""Version against version: what is said is rarely wrong, is said in time, and does not depend on how steps are cut."""

import math

import numpy as np
import pytest

from anchorwatch_detectors.paired import BETS, Paired, capital
from anchorwatch_detectors.versus import Claim, Standing, bar, follow, fresh

SIGNIFICANCE = 0.05
EVEN = [0.05, 0.9, 0.05]


def steps(seed, n, p):
    return np.random.default_rng(seed).choice(3, size=n, p=p)


def claims(contest, sequence):
    _, said = follow(contest, fresh(contest), sequence)
    return [each for each in said if each.claim is not Claim.UNDECIDED]


@pytest.mark.parametrize(
    ("margin", "p", "wrong"),
    [
        (0.0, EVEN, {"better", "worse"}),
        (0.02, [0.04, 0.9, 0.06], {"worse", "better"}),
        (0.02, [0.06, 0.9, 0.04], {"better", "worse"}),
        (0.02, [0.3, 0.38, 0.32], {"worse", "better"}),
    ],
)
def test_of_400_streams_without_a_difference_to_speak_of_no_more_than_promised_are_called_different(margin, p, wrong):
    """Two even versions, and two that differ by just the margin; wrong claims over all rounds, however often looked."""
    contest = Paired(margin, SIGNIFICANCE)
    called = sum(any(c.claim in wrong for c in claims(contest, steps(seed, 1500, p))) for seed in range(400))
    assert called <= 400 * SIGNIFICANCE * (2 if margin == 0.0 else 1)


def test_two_versions_that_differ_by_the_margin_are_rarely_called_equivalent():
    contest = Paired(0.02, SIGNIFICANCE)
    called = sum(
        any(c.claim == "equivalent" for c in claims(contest, steps(s, 2000, [0.04, 0.9, 0.06]))) for s in range(400)
    )
    assert called <= 400 * SIGNIFICANCE


@pytest.mark.parametrize(
    ("margin", "p", "claim", "within"),
    [
        (0.01, [0.02, 0.9, 0.08], "worse", 900),
        (0.01, [0.08, 0.9, 0.02], "better", 900),
        (0.02, EVEN, "equivalent", 5000),
        (0.0, [0.005, 0.965, 0.03], "worse", 1200),
    ],
)
def test_what_is_true_is_said_within_so_many_predictions(margin, p, claim, within):
    """The median over 30 streams; the first claim is the true one in at least 28 of them."""
    found = [claims(Paired(margin, SIGNIFICANCE), steps(seed, 2 * within, p)) for seed in range(30)]
    firsts = [each[0] for each in found if each]
    assert sum(each.claim == claim for each in firsts) >= 28
    assert np.median([each.standing.n for each in firsts]) <= within


@pytest.mark.parametrize("cut", [1, 7, 100, 1000, 3001])
def test_cutting_the_steps_changes_nothing(cut):
    contest, sequence = Paired(0.01, SIGNIFICANCE), steps(3, 4000, [0.03, 0.9, 0.07])
    whole = follow(contest, fresh(contest), sequence)
    assert len({each.claim for each in whole[1]}) > 1
    standing, said = fresh(contest), []
    for start in range(0, len(sequence), cut):
        standing, new = follow(contest, standing, sequence[start : start + cut])
        said += [each._replace(step=each.step + start) for each in new]
    assert (standing, said) == whole


def test_the_capital_is_that_of_bets_made_one_by_one():
    """The naive definition, prediction by prediction, in plain floats."""
    sequence, m = steps(5, 300, [0.1, 0.7, 0.2]), 0.02
    counts = np.cumsum(sequence[None, :] == np.arange(3)[:, None], axis=1)
    stakes = dict.fromkeys(BETS, 1.0)
    naive = []
    for step in sequence.tolist():
        for bet in BETS:
            stakes[bet] *= 1.0 + bet * ((step - 1) - m)
        naive.append(math.log(sum(stakes.values()) / len(BETS)))
    assert capital(counts, m) == pytest.approx(naive, abs=1e-9)


def test_the_interval_holds_the_truth_at_all_times_together():
    """Looked at five times in each of 60 streams, it misses the truth ever in no more than promised."""
    contest, missed = Paired(0.0, SIGNIFICANCE), 0
    for seed in range(60):
        sequence = steps(seed, 800, [0.05, 0.85, 0.1])
        seen = [
            contest.interval(tuple(np.bincount(sequence[:n], minlength=3).tolist())) for n in (50, 100, 200, 400, 800)
        ]
        missed += any(not low <= 0.05 <= high for low, high in seen)
        assert seen[-1][1] - seen[-1][0] < 0.2
    assert missed <= 60 * 2 * SIGNIFICANCE


def test_a_round_that_ended_is_followed_by_one_that_has_to_be_surer():
    contest = Paired(0.01, SIGNIFICANCE)
    assert [math.exp(-bar(contest, Standing(k, (0, 0, 0)))) for k in (1, 2, 3)] == pytest.approx(
        [SIGNIFICANCE / 2, SIGNIFICANCE / 6, SIGNIFICANCE / 12]
    )
    rounds = [each.standing.round for each in claims(contest, steps(1, 5000, [0.02, 0.88, 0.1]))]
    assert rounds == list(range(1, len(rounds) + 1))
    assert len(rounds) > 3


def test_undecided_is_said_at_doubling_distances():
    contest = Paired(0.0, 0.001)
    _, said = follow(contest, fresh(contest), steps(2, 1700, EVEN))
    assert [(each.claim, each.standing.n) for each in said] == [("undecided", n) for n in (100, 200, 400, 800, 1600)]


@pytest.mark.parametrize(("p", "claim"), [([0.03, 0.9, 0.07], "worse"), ([0.01, 0.98, 0.01], "equivalent")])
def test_the_samples_still_needed_are_about_those_that_it_takes(p, claim):
    """Asked after a third of the way, within a factor of three; median over 20 streams."""
    contest, ratios = Paired(0.02, SIGNIFICANCE), []
    for seed in range(20):
        sequence = steps(seed, 8000, p)
        end = claims(contest, sequence)[0]
        assert end.claim in {claim, "worse"}
        asked = end.standing.n // 3
        standing, _ = follow(contest, fresh(contest), sequence[:asked])
        needed = contest.needed(standing)
        ratios.append(math.inf if needed is None else needed / (end.standing.n - asked))
    assert 1 / 3 < np.median(ratios) < 3


def test_nothing_is_estimated_before_the_first_prediction():
    contest = Paired(0.01, SIGNIFICANCE)
    assert contest.needed(fresh(contest)) is None
    assert math.isnan(contest.difference((0, 0, 0)))
    assert contest.interval((0, 0, 0)) == (-1.0, 1.0)


@pytest.mark.parametrize(("margin", "significance"), [(-0.1, 0.05), (1.0, 0.05), (0.1, 0.0), (0.1, 1.0)])
def test_a_margin_or_significance_out_of_range_is_refused(margin, significance):
    with pytest.raises(ValueError, match="not"):
        Paired(margin, significance)
