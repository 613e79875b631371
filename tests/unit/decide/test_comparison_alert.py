"""The alert of a version that does worse than the one it is compared with."""

import json

import pytest

from anchorwatch.decide.decision import Decisions, decide
from anchorwatch.decide.evidence import Kind
from anchorwatch.decide.publish import alert_message
from anchorwatch.decide.retrain import RetrainReason
from anchorwatch.decide.rules import rules_of
from anchorwatch.settings.models import Model

STREAMS = {
    "predictions": {"topic": "p", "id": "id", "version": "v", "prediction": {"kind": "binary", "score": "score"}},
    "labels": {"topic": "l", "id": "id", "value": "y"},
    "baseline": {"first": 1000},
    "compare": {"champion": "13", "challenger": "14", "alert": {"severity": "critical"}},
    "retrain": {"when": "accuracy worse"},
}
RULES = rules_of("/aw", "fraud", Model.model_validate(STREAMS))


@pytest.fixture
def rival(identity):
    return identity("version 13", kind=Kind.COMPARISON, monitor="paired")


def told(outcome):
    (notice,) = outcome.notices
    return json.loads(alert_message("/aw", "alerts", notice).value)["data"]


def test_a_worse_challenger_is_told_in_a_sentence_and_asks_for_no_retraining(evidence, rival):
    worse = evidence(6, "drift!", rival, since=1, effect=2.31, reason="worse")
    _, outcome = decide(RULES, Decisions(), [worse])
    data = told(outcome)
    assert data["labels"]["alertname"] == "ModelWorseThanRival"
    assert data["labels"]["severity"] == "critical"
    assert data["annotations"]["summary"] == (
        "fraud version 14 does worse than its rival since about 2026-05-01 08:01 UTC: wrong in 2.3 percentage points "
        "more of the predictions than version 13 (paired over 5,120 values)."
    )
    assert dict(outcome.decided[0].retrain) == {"default": RetrainReason.KIND_NOT_ASKED}


@pytest.mark.parametrize("end", ["better!", "stable!"])
def test_it_ends_when_the_challenger_is_found_better_or_equivalent(evidence, rival, end):
    state, _ = decide(RULES, Decisions(), [evidence(6, "drift!", rival)])
    state, outcome = decide(RULES, state, [evidence(7, "undetermined", rival), evidence(9, end, rival)])
    assert told(outcome)["status"] == "resolved"
    assert [alert.episode for alert in state.alerts.values()] == [None]


def test_values_are_said_to_be_farther_off(evidence, identity):
    closer = identity("version 13", kind=Kind.COMPARISON, monitor="closer")
    _, outcome = decide(RULES, Decisions(), [evidence(6, "drift!", closer, effect=4.0)])
    assert "farther off in 4 percentage points more of the predictions" in told(outcome)["annotations"]["summary"]
