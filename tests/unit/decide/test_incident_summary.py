"""The sentence about an incident: each thing that it says is true of that thing alone."""

from anchorwatch.decide.decision import Decisions, decide, settle
from anchorwatch.decide.evidence import OWN, Kind
from anchorwatch.decide.incident_summary import incident_summary
from anchorwatch.decide.rules import rules_of
from anchorwatch.settings.models import Model

RULES = rules_of(
    "/aw",
    "fraud",
    Model.model_validate({
        "predictions": {
            "topic": "p", "id": "id", "features": {"amount": "numeric", "hour": "numeric"},
            "prediction": {"kind": "binary", "score": "s"},
        },
        "baseline": {"first": 1000},
        "incidents": {"together": "1d", "gather": "1m"},
    }),
)  # fmt: skip


def last_said(story):
    state, outcome = decide(RULES, Decisions(), story)
    _, settled = settle(RULES, state, state.reached + 1)
    return incident_summary([*outcome.incidents, *settled.incidents][-1])


def test_drift_that_began_after_the_accuracy_fell_is_dated_by_itself(evidence, identity):
    wrong = identity("error rate", kind=Kind.ACCURACY)
    moved = identity("amount", kind=Kind.DRIFT)
    said = last_said([evidence(60, "drift!", wrong, since=0), evidence(190, "drift!", moved, since=180)])
    assert "amount drifted since 11:00 UTC; error rate 23.9 % -> 31.0 % since 08:00 UTC" in said


def test_without_drift_the_beginning_is_that_of_what_began_first(evidence, identity):
    wrong, slow = identity("error rate", kind=Kind.ACCURACY), identity("latency", kind=Kind.LATENCY)
    said = last_said([evidence(60, "drift!", slow, since=0), evidence(190, "drift!", wrong, since=180)])
    assert said.endswith("error rate 23.9 % -> 31.0 %; it answers more slowly since 08:00 UTC.")


def test_a_metric_in_the_unit_of_the_values_is_a_number_that_can_be_read(evidence, identity):
    mae = identity("mae", kind=Kind.ACCURACY, monitor="non_inferiority")
    said = last_said([evidence(60, "drift!", mae, statistic=13_912.4, effect=5_320.0, effect_unit=OWN)])
    assert "mae 8,592 -> 13,912" in said
