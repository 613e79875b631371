import json

import pytest

from anchorwatch.cli.main import main
from anchorwatch.clock import SystemClock
from anchorwatch.decide.evidence import Kind
from anchorwatch.demo import Story, play
from anchorwatch.simulate.faults import Fault, FaultKind
from anchorwatch.simulate.scenario import FAST, Scenario


def test_the_fast_demo_catches_every_planted_fault_without_a_false_alarm_and_asks_for_one_retraining(capsys):
    with pytest.raises(SystemExit) as left:
        main(["demo", "--fast", "--json"])
    assert left.value.code == 0
    result = json.loads(capsys.readouterr().out)
    assert {key: result[key] for key in ("planted", "caught", "false_alarms", "triggers")} == {
        "planted": 3,
        "caught": 3,
        "false_alarms": 0,
        "triggers": 1,
    }
    assert [fault["kind"] for fault in result["faults"]] == ["amount_drift", "concept_drift", "schema_break"]
    assert all(0 < fault["caught_after_events"] <= 2000 for fault in result["faults"])


def test_the_demo_tells_what_was_planted_what_fired_what_resolved_and_the_score(capsys):
    with pytest.raises(SystemExit) as left:
        main(["demo", "--fast"])
    assert left.value.code == 0
    told = capsys.readouterr().out
    for words in (
        "planted: people pay more",
        "OPENED    incident 1",
        "resolved  incident 1",
        "retrain  incident 1",
        "another version took over",
        "0 false alarms",
    ):
        assert words in told


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_calm_traffic_raises_no_alert_in_the_demo(seed):
    calm = Scenario(events=12_000, baseline=4_000, faults=())
    story = play(calm, seed, SystemClock(), lambda _story: None)
    assert story.fired == []
    assert story.to_plain()["planted"] == 0


def test_a_fault_that_was_not_caught_is_told_as_such_and_an_alert_without_a_cause_is_a_false_alarm():
    late = Scenario(events=12_000, baseline=4_000, faults=(Fault(FaultKind.AMOUNT_DRIFT, 7_000),))
    story = play(late, 7, SystemClock(), lambda _story: None)
    assert [caught.after is not None for caught in story.caught()] == [True]
    calm = Scenario(events=12_000, baseline=4_000, faults=(Fault(FaultKind.AMOUNT_DRIFT, 11_999),))
    unexplained = Story(calm, story.times, story.notices, story.triggers)
    assert [caught.after for caught in unexplained.caught()] == [None]
    assert {n.identity.kind for n in unexplained.false_alarms()} >= {Kind.DRIFT}


def test_the_same_seed_tells_the_same_story():
    one, two = (play(FAST, 5, SystemClock(), lambda _story: None) for _ in range(2))
    assert one.notices == two.notices
    assert one.triggers == two.triggers
