"""A version that takes over is held against the one it replaced."""

import json

import numpy as np
import pytest
from tests.property.worlds import Run, World

from anchorwatch.engine.compared import described
from anchorwatch.engine.rollouts import RECENT, Tally
from anchorwatch.engine.state import from_parts
from anchorwatch.events.records import Partition

START = 1_777_622_400
COMPARE = {"margin": 0.02, "significance": 0.05}


def a_world(kind="binary", compare=None):
    extra = {"compare": compare or COMPARE}
    return World(seed=1, kind=kind, segments=False, lateness=1, wait=60, first=100, size=50, extra=extra)


def logs(*phases, seed=1):
    """Return a stream of phases (version, predictions, share of errors), one prediction a second, labels behind it."""
    rng, predictions, labels = np.random.default_rng(seed), [], []
    versions = [(version, share) for version, n, share in phases for _ in range(n)]
    for i, (version, share) in enumerate(versions):
        truth, wrong = int(rng.random() < 0.5), rng.random() < share
        body = {
            "id": f"p{i}", "at": START + i, "version": version, "amount": 0.1, "hour": 3, "country": "CH", "ms": 1.0,
            "shop": "s", "score": 0.9 if (truth == 1) != wrong else 0.1, "value": 1.0,
        }  # fmt: skip
        predictions.append(json.dumps(body).encode())
        labels.append(json.dumps({"id": f"p{i}", "at": START + i + 3.5, "truth": truth}).encode())
    return {Partition("predictions", 0): predictions, Partition("labels", 0): labels}


def run(streams, **options):
    return Run(a_world(**options), streams).take_all()


def said(found):
    return [each for each in found.told.evidence if "monitor='rates'" in each]


def test_a_rollout_that_does_worse_is_told_of_the_new_version():
    found = run(logs(("1", 1500, 0.05), ("2", 1500, 0.3)))
    fired = [n for n in found.told.notices if "Kind.COMPARISON" in n and "Reason.FIRED" in n]
    assert len(fired) == 1
    assert "version='2'" in fired[0]
    assert "subject='version 1'" in fired[0]
    assert "monitor='rates'" in fired[0]


def test_a_rollout_that_does_better_is_in_the_history_and_pages_nobody():
    found = run(logs(("1", 1500, 0.3), ("2", 1500, 0.05)))
    assert any("reason='better'" in each for each in said(found))
    assert not any("Kind.COMPARISON" in notice for notice in found.told.notices)


def test_a_few_predictions_of_another_version_are_no_rollout():
    found = run(logs(("1", 800, 0.05), ("2", 30, 0.9), ("1", 800, 0.05)))
    assert said(found) == []
    assert found.state.rollouts.bout is None


def test_each_version_is_held_against_the_one_that_held_its_place():
    found = run(logs(("1", 600, 0.05), ("2", 600, 0.05), ("3", 900, 0.4)))
    bout = found.state.rollouts.bout
    assert (bout.new, bout.old) == ("3", "2")
    assert bout.n > 500
    assert any("subject='version 2'" in each and "reason='worse'" in each for each in said(found))


def test_what_is_said_of_successive_versions_is_kept_for_people():
    (found,) = described(run(logs(("1", 1500, 0.05), ("2", 400, 0.08))).parts())
    assert (found["version"], found["against"], found["same_predictions"]) == ("2", "1", False)
    assert found["verdict"] == "undecided"
    assert found["low"] < found["difference"] < found["high"]
    (worse,) = described(run(logs(("1", 1500, 0.05), ("2", 1500, 0.3))).parts())
    assert worse["verdict"] == "worse"
    assert worse["decided"]["at"] > START * 10**9


@pytest.mark.parametrize("kind", ["binary", "regression"])
def test_successive_versions_are_not_compared_where_nobody_asks(kind):
    found = run(logs(("1", 300, 0.05), ("2", 300, 0.9)), kind=kind, compare=COMPARE | {"rollouts": False})
    assert found.state.rollouts is None


def test_another_margin_begins_the_comparison_anew_and_keeps_what_is_known_of_the_versions():
    found = run(logs(("1", 1000, 0.05), ("2", 300, 0.05)))
    again = from_parts(a_world(compare=COMPARE | {"margin": 0.03}).watch(), found.parts()).rollouts
    assert again.bout is None
    assert again.holder == "2"
    assert again.tallies == found.state.rollouts.tallies


@pytest.mark.parametrize("cut", [1, 999, 4096])
def test_a_version_is_known_by_its_last_outcomes_wherever_the_stream_is_cut(cut):
    wrong = np.random.default_rng(1).random(35_000) < 0.2
    tally = Tally()
    for start in range(0, len(wrong), cut if cut > 1 else 7):
        tally = tally.add(wrong[start : start + (cut if cut > 1 else 7)])
    assert tally == Tally().add(wrong)
    errors, n = tally.recent
    assert n == 35_000 - 2 * RECENT
    assert errors == wrong[2 * RECENT :].sum()
