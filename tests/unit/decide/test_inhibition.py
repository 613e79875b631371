"""What explains other trouble keeps it from being told."""

import pytest

from anchorwatch.decide.alert_policy import AlertPolicy
from anchorwatch.decide.alerts import Situation, advance
from anchorwatch.decide.decision import Decisions, decide
from anchorwatch.decide.evidence import LABEL_FEED, Kind
from anchorwatch.decide.inhibition import Causes
from anchorwatch.decide.reasons import Reason
from anchorwatch.decide.rules import rules_of
from anchorwatch.settings.models import Model

POLICY = AlertPolicy("critical", needs=2, of=3, keep_firing_for=0, cooldown=0, repeat=0)
RULES = rules_of(
    "/aw",
    "fraud",
    Model.model_validate(
        {
            "predictions": {"topic": "p", "id": "id", "prediction": {"kind": "binary", "score": "score"}},
            "labels": {"topic": "l", "id": "id", "value": "y"},
            "baseline": {"first": 1000},
        }
    ),
)
SCHEMA, DROP = {"subject": "amount", "kind": Kind.SCHEMA}, {"subject": "requests", "kind": Kind.VOLUME}
DEAD_FEED = {"subject": LABEL_FEED, "kind": Kind.LABELS}

EXPLAINED = {
    "a broken column": (SCHEMA, set(Kind) - {Kind.SCHEMA, Kind.RETRAIN}),
    "a drop of traffic": (DROP, {Kind.DRIFT, Kind.PREDICTION, Kind.LATENCY, Kind.LABELS}),
    "a dead label feed": (DEAD_FEED, {Kind.ACCURACY, Kind.LABELS}),
}


@pytest.fixture
def alert(identity, evidence):
    """Return an alert of version 14 after one piece of evidence."""

    def after(word, statistic=0.31, effect=7.12, **changes):
        found = evidence(0, word, identity(**changes), statistic=statistic, effect=effect)
        return advance(POLICY, None, found, Situation(1, 1)).state

    return after


def explained(who, *alerts):
    return Causes({each.identity: each for each in alerts}).explain(who)


@pytest.mark.parametrize("title", EXPLAINED)
def test_each_cause_keeps_the_kinds_that_the_table_names_from_firing_in_every_segment(title, alert, identity):
    cause, kinds = EXPLAINED[title]
    firing = alert("drift!", **cause)
    for segment in ("", "country=DE"):
        assert {k for k in Kind if explained(identity("other", kind=k, segment=segment), firing)} == kinds


@pytest.mark.parametrize("title", EXPLAINED)
def test_nothing_is_inhibited_by_what_is_only_pending_or_of_another_version_or_by_itself(title, alert, identity):
    cause, kinds = EXPLAINED[title]
    firing, pending = alert("drift!", **cause), alert("drift", **cause)
    assert not explained(identity(**cause), firing)
    for kind in kinds:
        assert not explained(identity("other", kind=kind), pending)
        assert not explained(identity("other", kind=kind, version="15"), firing)


def test_what_is_true_of_one_segment_explains_nothing_elsewhere(alert, identity):
    drop = alert("drift!", segment="country=DE", **DROP)
    segments = ("country=DE", "country=FR", "")
    assert [explained(identity(kind=Kind.DRIFT, segment=s), drop) for s in segments] == [True, False, False]


def test_a_cause_without_a_version_explains_trouble_of_every_version(alert, identity):
    drop = alert("drift!", version="", **DROP)
    assert explained(identity(kind=Kind.DRIFT, version="15"), drop)


def test_more_traffic_explains_nothing(alert, identity):
    assert not explained(identity(kind=Kind.DRIFT), alert("changed!", **DROP))


def test_late_labels_explain_nothing_only_a_dead_feed_does(alert, identity):
    assert not explained(identity(), alert("drift!", subject="label delay", kind=Kind.LABELS))


@pytest.mark.parametrize(
    ("statistic", "effect", "explains"), [(0.0, -99.0, True), (0.45, -50.0, True), (0.6, -39.0, False)]
)
def test_accuracy_is_not_judged_while_most_labels_of_one_class_are_missing(
    alert, identity, statistic, effect, explains
):
    """Those of the other classes say nothing of all, and a retraining would learn from them alone."""
    cause = {"subject": "label coverage of 1", "kind": Kind.LABELS, "statistic": statistic, "effect": effect}
    firing = alert("drift!", **cause)
    assert explained(identity("roc_auc", kind=Kind.ACCURACY), firing) == explains
    assert not any(explained(identity(LABEL_FEED, kind=k), firing) for k in set(Kind) - {Kind.ACCURACY})


def test_alerts_of_other_kinds_inhibit_nothing(alert, identity):
    assert not explained(identity(kind=Kind.DRIFT), alert("drift!", kind=Kind.QUALITY))


@pytest.mark.parametrize("title", EXPLAINED)
def test_an_inhibited_alert_fires_once_its_cause_is_gone_and_the_trouble_goes_on(title, evidence, identity):
    cause, kinds = EXPLAINED[title]
    source, other = identity(**cause), identity("other", kind=min(kinds))
    story = [
        evidence(0, "drift!", source),
        evidence(1, "drift!", other),
        evidence(2, "stable!", source),
        evidence(3, "drift!", other),
    ]
    _, outcome = decide(RULES, Decisions(), story)
    assert [each.reason for each in outcome.decided] == [
        Reason.FIRED,
        Reason.INHIBITED,
        Reason.RESOLVED,
        Reason.FIRED,
    ]
