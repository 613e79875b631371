"""A version that takes over is held against the one it replaced, where predictions are values or lists."""

import json
import re

import numpy as np
import pytest
from tests.property.worlds import Run, World

from anchorwatch.engine import distances
from anchorwatch.engine.compared import described
from anchorwatch.engine.state import from_parts
from anchorwatch.events.records import Partition
from anchorwatch_detectors.paired import Paired
from anchorwatch_detectors.versus import Claim, follow, fresh

START = 1_777_622_400
COMPARE = {"margin": 0.02, "significance": 0.05}
SIGNIFICANCE = 0.05


def a_world(kind="regression", **changes):
    extra = {"compare": COMPARE | changes}
    return World(seed=1, kind=kind, segments=False, lateness=1, wait=60, first=100, size=50, extra=extra)


def logs(*phases, seed=1):
    """Return a stream of phases (version, predictions, size of errors), one a second, labels behind them.

    Values are off by so much on average, lists miss the item that is clicked in that share.
    """
    rng, predictions, labels = np.random.default_rng(seed), [], []
    versions = [(version, size) for version, n, size in phases for _ in range(n)]
    for i, (version, size) in enumerate(versions):
        missed = rng.random() < size
        body = {
            "id": f"p{i}", "at": START + i, "version": version, "amount": 0.1, "hour": 3, "country": "CH", "ms": 1.0,
            "shop": "s", "value": 5.0 + size * rng.standard_t(2), "items": [1, 2, 3],
        }  # fmt: skip
        predictions.append(json.dumps(body).encode())
        labels.append({"id": f"p{i}", "at": START + i + 3.5, "truth": 5.0, "clicked": 9 if missed else 2})
    return {Partition("predictions", 0): predictions, Partition("labels", 0): labels}


def run(streams, kind="regression", cut=None, **changes):
    labels = streams[Partition("labels", 0)]
    for body in labels:
        clicked = body.pop("clicked")
        body["truth"] = [clicked] if kind == "ranking" else body["truth"]
    going = Run(a_world(kind, **changes), streams | {Partition("labels", 0): [json.dumps(x).encode() for x in labels]})
    return going.take_all() if cut is None else going.take_cut(np.random.default_rng(cut), restarts=0.3)


def said(found, monitor="distances"):
    mine = [each for each in found.told.evidence if f"monitor='{monitor}'" in each]
    return [re.search(r"Verdict\(.*?reason='(\w+)'", each).group(1) for each in mine]


def test_values_of_a_new_version_that_are_farther_off_are_told_once_by_its_name():
    found = run(logs(("1", 1500, 1.0), ("2", 1200, 3.0)))
    fired = [n for n in found.told.notices if "Kind.COMPARISON" in n and "Reason.FIRED" in n]
    assert len(fired) == 1
    assert "version='2'" in fired[0]
    assert "subject='version 1'" in fired[0]
    assert "effect_unit='percentage points'" in fired[0]
    (effect,) = re.findall(r"effect=([\d.]+)", fired[0])
    assert 20 < float(effect) < 80


def test_values_that_come_closer_are_in_the_history_and_page_nobody():
    found = run(logs(("1", 1500, 3.0), ("2", 1200, 1.0)))
    assert "better" in said(found)
    assert not any("Kind.COMPARISON" in notice for notice in found.told.notices)


def test_versions_whose_values_are_as_far_off_are_undecided_and_then_equivalent():
    found = run(logs(("1", 2500, 1.0), ("2", 1800, 1.0)), margin=0.2)
    assert said(found)[0] == "undecided"
    assert set(said(found)) == {"undecided", "equivalent"}


def test_lists_are_held_against_each_other_by_whether_they_miss_all_that_was_wanted():
    found = run(logs(("1", 1500, 0.1), ("2", 1200, 0.4)), kind="ranking")
    assert "worse" in said(found, "rates")
    (told,) = described(found.parts())
    assert 0.1 < told["decided"]["difference"] < 0.5


@pytest.mark.parametrize("cut", [3, 4])
def test_cutting_the_stream_and_restarting_change_nothing(cut):
    phases = ("1", 700, 1.0), ("2", 500, 2.0), ("3", 400, 0.5), ("2", 300, 2.0)
    whole, pieces = run(logs(*phases)), run(logs(*phases), cut=cut)
    assert pieces.told.evidence == whole.told.evidence
    assert pieces.parts()["rollouts"] == whole.parts()["rollouts"]
    assert len(set(said(whole))) > 1


def test_what_a_replaced_version_did_is_kept_only_as_far_as_it_is_compared():
    rollouts = run(logs(("1", 600, 1.0), ("2", 900, 1.0))).state.rollouts
    assert sorted(rollouts.distances) in (["2"], ["1", "2"])
    assert len(rollouts.distances.get("1", ())) < 100, "only what was labelled behind the takeover"
    assert len(rollouts.bout.against) + rollouts.bout.standing.n < 700


def test_when_all_of_the_old_version_is_used_up_nothing_more_is_said():
    found = run(logs(("1", 300, 1.0), ("2", 1200, 1.0)))
    bout = found.state.rollouts.bout
    assert len(bout.against) == 0
    assert 150 < bout.standing.n <= 310
    (told,) = described(found.parts())
    assert (told["verdict"], told["needed"], told["same_predictions"]) == ("undecided", None, False)
    assert told["low"] < told["difference"] < told["high"]


def test_another_margin_begins_anew_and_keeps_what_is_known_of_the_versions():
    found = run(logs(("1", 800, 1.0), ("2", 300, 1.0)))
    again = from_parts(a_world(margin=0.03).watch(), found.parts()).rollouts
    assert (again.bout, again.holder) == (None, "2")
    assert {name: last.tolist() for name, last in again.distances.items()} == {
        name: last.tolist() for name, last in found.state.rollouts.distances.items()
    }


def claims(seed, n, size, margin=0.02):
    """Return what is said of a version whose heavy-tailed errors are so many times as large, over its whole stream."""
    rng = np.random.default_rng(seed)
    old, new = np.abs(rng.standard_t(2, n)), size * np.abs(rng.standard_t(2, n))
    contest = Paired(margin, SIGNIFICANCE)
    sorts = distances.steps(distances.drawn(distances.codes(old)), distances.codes(new))
    _, found = follow(contest, fresh(contest), sorts)
    return [each for each in found if each.claim is not Claim.UNDECIDED]


def test_of_400_rollouts_of_an_equal_version_no_more_than_promised_are_ever_called_worse_or_better():
    """Looked at after each prediction, with errors of infinite variance and no margin to hide behind."""
    called = [{each.claim for each in claims(seed, 2000, 1.0, margin=0.0)} for seed in range(400)]
    assert sum("worse" in each for each in called) <= 400 * SIGNIFICANCE
    assert sum("better" in each for each in called) <= 400 * SIGNIFICANCE


@pytest.mark.parametrize(("size", "claim"), [(1.5, "worse"), (1 / 1.5, "better")])
def test_errors_half_as_large_again_are_found_within_a_thousand_predictions(size, claim):
    firsts = [found[0] for seed in range(40) if (found := claims(seed, 4000, size))]
    assert sum(each.claim == claim for each in firsts) >= 38
    assert np.median([each.standing.n for each in firsts]) < 1000


def test_the_order_in_which_the_old_version_is_used_covers_all_of_its_time_from_the_beginning():
    for n in (0, 1, 2, 6, 1000, 9973):
        order = distances.drawn(np.arange(n, dtype=np.uint16))
        assert sorted(order.tolist()) == list(range(n))
    first = np.sort(distances.drawn(np.arange(8000, dtype=np.uint16))[:80].astype(int))
    assert np.diff(first).max() < 300


def test_distances_keep_their_order_in_short_whatever_their_size():
    off = np.array([0.0, 1e-320, 1e-30, 0.99, 1.0, 1.02, 1e30, 1e38, 1e300])
    short = distances.codes(off).astype(int)
    assert (np.diff(short) >= 0).all()
    assert len(set(short.tolist())) == 8
    assert distances.kept(distances.codes(off), short[:3].astype(np.uint16)).tolist()[-3:] == short[:3].tolist()
    assert len(distances.kept(np.zeros(distances.KEPT, np.uint16), short.astype(np.uint16))) == distances.KEPT
