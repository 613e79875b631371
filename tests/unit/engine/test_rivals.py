"""Champion and challenger score the same predictions: what is said of them, told, counted and kept."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
from tests.property.worlds import Run, World

from anchorwatch.engine.compared import described
from anchorwatch.engine.state import from_parts
from anchorwatch.events.records import Partition
from anchorwatch.settings.models import Model

COMPARE = {"champion": "1", "challenger": "2", "margin": 0.02, "significance": 0.05}
START = 1_777_622_400


def a_world(kind="binary", compare=None, **changes):
    extra = {"compare": compare or COMPARE}
    return World(seed=1, kind=kind, segments=False, lateness=1, wait=60, first=100, extra=extra, **changes)


def logs(n, errors, *, kind="binary", seed=1, challenger_from=0, behind=0.0):
    """Return a stream in which both versions score every prediction, wrong in these shares; labels a second later."""
    rng, events = np.random.default_rng(seed), []
    for i in range(n):
        at, truth = START + i, int(rng.random() < 0.5)
        for version, share, delay in (("1", errors[0], 0.0), ("2", errors[1], behind)):
            wrong = rng.random() < share
            body = {
                "id": f"p{i}", "at": at + delay, "version": version, "amount": 0.1, "hour": 3, "country": "CH",
                "ms": 1.0, "shop": "s", "score": 0.9 if (truth == 1) != wrong else 0.1,
                "value": truth + (3.0 if wrong else 0.1) * rng.normal(),
            }  # fmt: skip
            if version == "1" or i >= challenger_from:
                events.append((at + delay, body))
        events.append((at + 1.5, {"id": f"p{i}", "at": at + 1.5, "truth": truth}))
    events.sort(key=lambda event: event[0])
    predictions = [json.dumps(body).encode() for _, body in events if "truth" not in body]
    labels = [json.dumps(body).encode() for _, body in events if "truth" in body]
    return {Partition("predictions", 0): predictions, Partition("labels", 0): labels}


def run(world, streams):
    return Run(world, streams).take_all()


def compared(found):
    return [each for each in found.told.evidence if "Kind.COMPARISON" in each]


def test_a_challenger_that_does_worse_is_told_once_by_its_name_and_with_the_size_of_the_difference():
    found = run(a_world(), logs(900, (0.05, 0.2)))
    fired = [notice for notice in found.told.notices if "Kind.COMPARISON" in notice]
    assert len(fired) == 1
    assert "version='2'" in fired[0]
    assert "subject='version 1'" in fired[0]
    assert "reason=<Reason.FIRED" in fired[0]
    (effect,) = re.findall(r"effect=([\d.]+)", fired[0])
    assert 8 < float(effect) < 30


def test_a_challenger_that_does_better_pages_nobody_and_is_in_the_history():
    found = run(a_world(), logs(900, (0.2, 0.05)))
    assert "reason='better'" in compared(found)[0]
    assert not any("Kind.COMPARISON" in notice for notice in found.told.notices)
    decided = [each for each in found.told.decided if "Kind.COMPARISON" in each]
    assert "Reason.IMPROVED" in decided[0]


def test_versions_that_hardly_differ_are_undecided_and_then_equivalent():
    found = run(a_world(compare=COMPARE | {"margin": 0.1}), logs(1500, (0.05, 0.05)))
    reasons = [re.search(r"Verdict\(.*?reason='(\w+)'", each).group(1) for each in compared(found)]
    assert reasons[0] == "undecided"
    assert "equivalent" in reasons
    assert not set(reasons) - {"undecided", "equivalent"}


def test_values_are_compared_by_which_version_is_closer():
    found = run(a_world("regression"), logs(700, (0.0, 0.5), kind="regression"))
    assert "monitor='closer'" in compared(found)[0]
    assert any("reason='worse'" in each for each in compared(found))


def test_predictions_of_both_are_no_duplicates_and_each_label_counts_for_both():
    found = run(a_world(), logs(400, (0.05, 0.05)))
    counts = found.state.accounting()
    assert counts["predictions"] == 800
    assert "duplicate_predictions" not in counts
    assert counts["matched"] == 800
    assert counts["mirrored_labels"] == counts["labels"] == 400
    assert counts["compared_predictions"] == 400


@pytest.mark.parametrize(("since", "mirrored", "matched"), [(200, 201, 600), (10**9, 0, 400)])
def test_labels_from_before_the_first_prediction_of_a_challenger_do_not_wait_for_one_of_its(since, mirrored, matched):
    """A challenger that is configured before it scores anything makes no orphans of all labels."""
    counts = run(a_world(), logs(400, (0.05, 0.05), challenger_from=since)).state.accounting()
    assert (counts.get("mirrored_labels", 0), counts["matched"]) == (mirrored, matched)
    assert counts.get("orphan_labels", 0) + counts.get("waiting_labels", 0) == mirrored - (matched - 400)


def test_without_a_comparison_the_second_version_of_an_id_is_a_duplicate_as_before():
    world = replace(a_world(), extra={})
    counts = run(world, logs(400, (0.05, 0.05))).state.accounting()
    assert counts["duplicate_predictions"] == counts["matched"] == 400
    assert "mirrored_labels" not in counts


def test_a_challenger_replaces_nobody_however_many_predictions_come_in_a_row():
    """Scored in the night for the whole day: a thousand rows of one version, and the champion goes on to be watched."""
    streams = logs(300, (0.05, 0.05))
    part = streams[Partition("predictions", 0)]
    part.sort(key=lambda value: json.loads(value)["version"])
    found = Run(replace(a_world(), lateness=900), streams).take_all()
    assert found.state.decisions.replaced == ()
    assert [version.name for version in found.state.versions] == ["1", "2"]


def test_outcomes_that_become_known_far_apart_are_not_compared():
    within = run(a_world(compare=COMPARE | {"within": "10s"}), logs(300, (0.05, 0.05), behind=5.0))
    beyond = run(a_world(compare=COMPARE | {"within": "2s"}), logs(300, (0.05, 0.05), behind=5.0))
    assert within.state.counts["compared_predictions"] == 296  # four labels were there before its first prediction
    assert "compared_predictions" not in beyond.state.counts
    assert len(beyond.state.rivals.halves.known) < 20


def test_what_is_remembered_stays_small_where_the_challenger_scores_nothing():
    found = run(a_world(compare=COMPARE | {"within": "10s"}), logs(600, (0.05, 0.05), challenger_from=10**9))
    assert len(found.state.rivals.halves.known) < 30


def test_other_rivals_begin_anew_with_the_model_state_kept():
    found = run(a_world(), logs(300, (0.05, 0.05)))
    assert found.state.rivals.standing.n > 0
    other = a_world(compare=COMPARE | {"margin": 0.03}).watch()
    again = from_parts(other, found.parts())
    assert again.rivals.standing.n == 0
    assert again.join.counts == found.state.join.counts
    none = from_parts(replace(a_world(), extra={}).watch(), found.parts())
    assert none.rivals is None


def test_a_saved_comparison_says_what_is_known_and_what_it_still_takes():
    (said,) = described(run(a_world(), logs(260, (0.05, 0.08))).parts())
    assert (said["version"], said["against"], said["verdict"]) == ("2", "1", "undecided")
    assert said["low"] < said["difference"] < said["high"]
    assert said["predictions"] == 260
    assert said["needed"] > 0
    (decided,) = described(run(a_world(), logs(900, (0.05, 0.25))).parts())
    assert decided["verdict"] == "worse"
    assert 0.1 < decided["decided"]["difference"] < 0.35


@pytest.mark.parametrize(
    ("compare", "labels", "said"),
    [
        ({"champion": "1"}, True, "name the challenger too"),
        ({"challenger": "1"}, True, "name the champion too"),
        ({"champion": "1", "challenger": "1"}, True, "its own challenger"),
        ({"champion": "1", "challenger": "2"}, False, "no labels"),
        ({"champion": "1", "challenger": "2"}, None, "no version"),
    ],
)
def test_a_comparison_that_could_never_be_is_refused(compare, labels, said):
    streams = {
        "predictions": {"topic": "p", "id": "id", "version": "v", "prediction": {"kind": "binary", "score": "s"}},
        "baseline": {"first": 100},
    }
    if labels is None:
        del streams["predictions"]["version"]
    if labels is not False:
        streams["labels"] = {"topic": "l", "id": "id", "value": "y"}
    with pytest.raises(ValueError, match=said):
        Model.model_validate(streams | {"compare": compare})
