"""From evidence to alerts, incidents and triggers, over all alerts of a model."""

import json

import msgspec
import pytest

from anchorwatch.decide.alerts import Phase
from anchorwatch.decide.decision import Decisions, decide, supersede
from anchorwatch.decide.evidence import Kind
from anchorwatch.decide.incidents import Change
from anchorwatch.decide.reasons import Reason
from anchorwatch.decide.retrain import RetrainReason
from anchorwatch.decide.rules import Rules, rules_of
from anchorwatch.settings.models import Model

STREAMS = {
    "predictions": {"topic": "p", "id": "id", "latency": "ms", "prediction": {"kind": "binary", "score": "score"}},
    "labels": {"topic": "l", "id": "id", "value": "y"},
    "baseline": {"first": 1000},
}


def rules(**changes):
    settings = STREAMS | {"retrain": {"when": "accuracy worse", "min_labels": 500, "cooldown": "2h"}} | changes
    return rules_of("/aw", "fraud", Model.model_validate(settings))


@pytest.fixture
def amount(identity):
    return identity("amount", kind=Kind.DRIFT, monitor="kolmogorov_smirnov")


@pytest.fixture
def broken(identity):
    return identity("amount", kind=Kind.SCHEMA, monitor="run")


def reasons(outcome):
    return [each.reason for each in outcome.decided]


def test_rules_are_what_the_configuration_says_for_each_kind():
    kinds = [kind for kind in Kind if kind not in {Kind.RETRAIN, Kind.COMPARISON}]
    found = rules(monitors={kind: {"alert": {"needs": i + 1, "of": 9}} for i, kind in enumerate(kinds)})
    needs = {kind: policy.needs for kind, policy in found.alerts.items()}
    assert needs == {kind: i + 1 for i, kind in enumerate(kinds)} | {Kind.RETRAIN: 1, Kind.COMPARISON: 2}
    assert isinstance(found, Rules)
    assert (found.source, found.model, [policy.name for policy in found.retrain]) == ("/aw", "fraud", ["default"])


def test_a_quiet_model_leaves_nothing_behind_but_the_time(evidence, identity, at):
    state, outcome = decide(rules(), Decisions(), [evidence(i, "stable", identity(str(i))) for i in range(50)])
    assert state == Decisions(reached=at(49))
    assert (outcome.notices, outcome.triggers) == ((), ())
    assert set(reasons(outcome)) == {Reason.STAYS_INACTIVE}


def test_deciding_leaves_the_state_it_was_given_as_it_was(evidence):
    before, _ = decide(rules(), Decisions(), [evidence(0, "drift!")])
    kept = before.to_plain()
    _, outcome = decide(rules(), before, [evidence(1, "drift!", labels=999), evidence(2, "stable!")])
    assert len(outcome.triggers) == 1
    supersede(rules(), before, "14", 0)
    assert before.to_plain() == kept


def test_alerts_that_fire_together_share_an_incident_and_are_counted_one_by_one(evidence, identity, amount):
    state, outcome = decide(
        rules(),
        Decisions(),
        [
            evidence(1, "drift!"),
            evidence(2, "drift!", amount),
            evidence(3, "stable!"),
            evidence(4, "stable!", amount),
            evidence(5, "drift!"),
        ],
    )
    assert [(n.incident, n.episode) for n in outcome.notices] == [(1, 1), (1, 2), (1, 1), (1, 2), (2, 3)]
    assert [each.change for each in outcome.decided] == [
        Change.OPENED,
        Change.JOINED,
        Change.LEFT,
        Change.CLOSED,
        Change.OPENED,
    ]
    assert (state.episodes, state.incidents.number) == (3, 2)
    assert [i for i, alert in state.alerts.items() if alert.phase is Phase.FIRING] == [identity()]


def test_a_forgotten_alert_that_fires_again_does_not_repeat_an_episode(evidence):
    steady = rules(monitors={"accuracy": {"alert": {"flapping": None}}})
    state, first = decide(steady, Decisions(), [evidence(0, "drift!"), evidence(1, "stable!")])
    assert state.alerts == {}
    _, second = decide(steady, state, [evidence(2, "drift!")])
    assert (first.notices[0].episode, second.notices[0].episode) == (1, 2)


def test_a_schema_break_keeps_other_alerts_from_firing_and_leaves_those_that_fire(evidence, identity, amount, broken):
    latency = identity("latency", kind=Kind.LATENCY)
    state, outcome = decide(
        rules(),
        Decisions(),
        [
            evidence(0, "drift!", latency),
            evidence(1, "drift!", broken),
            evidence(2, "drift!"),
            evidence(2, "drift!", amount),
            evidence(3, "drift!", latency),
            evidence(3, "drift!", identity(version="15")),
            evidence(4, "stable!", broken),
            evidence(5, "drift!", amount),
        ],
    )
    assert reasons(outcome) == [
        Reason.FIRED,
        Reason.FIRED,
        Reason.INHIBITED,
        Reason.INHIBITED,
        Reason.EVIDENCE_UPDATED,
        Reason.FIRED,
        Reason.RESOLVED,
        Reason.FIRED,
    ]
    firing = {who for who, alert in state.alerts.items() if alert.phase is Phase.FIRING}
    assert firing == {latency, amount, identity(version="15")}


def test_a_trigger_waits_for_labels_and_any_evidence_of_the_model_may_bring_the_last(evidence, at, amount):
    state, outcome = decide(
        rules(),
        Decisions(),
        [
            evidence(10, "drift!", since=8, labels=1000, labels_since=40),
            evidence(20, "stable", amount, labels=1459),
            evidence(30, "undetermined", amount, labels=1460),
            evidence(40, "stable", amount, labels=9999),
        ],
    )
    assert [dict(each.retrain)["default"] for each in outcome.decided] == [
        RetrainReason.TOO_FEW_LABELS,
        RetrainReason.TOO_FEW_LABELS,
        RetrainReason.TRIGGERED,
        RetrainReason.ALREADY_TRIGGERED,
    ]
    (trigger,) = outcome.triggers
    assert (trigger.at, trigger.start, trigger.end, trigger.labelled) == (at(30), at(8), at(30), 500)
    assert state.retrain["default"].incident == 1


def test_a_next_incident_gets_its_trigger_once_the_cooldown_is_over(evidence):
    story = [
        evidence(0, "drift!", labels=1000, labels_since=600),
        evidence(10, "stable!", labels=1100),
        evidence(60, "drift!", labels=2000, labels_since=600),
        evidence(119, "drift!", labels=3000, labels_since=600),
        evidence(120, "drift!", labels=3001, labels_since=600),
        evidence(999, "drift!", labels=9999, labels_since=600),
    ]
    _, outcome = decide(rules(), Decisions(), story)
    assert [(t.incident, t.at) for t in outcome.triggers] == [(1, story[0].at), (2, story[4].at)]
    assert dict(outcome.decided[3].retrain) == {"default": RetrainReason.COOLING_DOWN}


def test_each_policy_triggers_once_for_an_incident(evidence):
    policies = [
        {"name": "fast", "when": "accuracy", "min_labels": 10},
        {"name": "slow", "when": "accuracy worse", "min_labels": 900},
        {"name": "other", "when": "drift"},
    ]
    _, outcome = decide(
        rules(retrain=policies),
        Decisions(),
        [evidence(i, "drift!", labels=1000 + 100 * i, labels_since=50) for i in range(20)],
    )
    assert [(t.policy, t.labelled) for t in outcome.triggers] == [("fast", 50), ("slow", 950)]
    assert len({t.id for t in outcome.triggers}) == 2


def test_labels_of_another_version_do_not_count(evidence, identity):
    _, outcome = decide(
        rules(),
        Decisions(),
        [
            evidence(0, "drift!", labels=1000, labels_since=10),
            evidence(1, "stable", identity(version="15"), labels=99_999),
        ],
    )
    assert outcome.triggers == ()
    assert dict(outcome.decided[1].retrain) == {"default": RetrainReason.NO_INCIDENT}


def test_a_policy_is_not_considered_again_before_there_is_something_new(evidence, amount, identity):
    _, outcome = decide(
        rules(),
        Decisions(),
        [
            evidence(0, "drift!", amount),
            evidence(0, "stable", identity("hour", kind=Kind.DRIFT)),
            evidence(0, "drift!", labels_since=0),
            evidence(0, "stable", identity("hour", kind=Kind.DRIFT), labels=1),
        ],
    )
    assert [len(each.retrain) for each in outcome.decided] == [1, 0, 1, 1]


def test_a_version_that_was_replaced_is_told_to_be_over_and_forgotten(evidence, identity, amount, at):
    state, _ = decide(
        rules(),
        Decisions(),
        [
            evidence(0, "drift!"),
            evidence(1, "drift!", amount),
            evidence(2, "drift", identity("pending")),
            evidence(3, "drift!", identity(version="15")),
        ],
    )
    state, outcome = supersede(rules(), state, "14", at(9))
    assert [(n.identity, n.reason, n.status, n.ended_at) for n in outcome.notices] == [
        (identity(), Reason.SUPERSEDED, "resolved", at(9)),
        (amount, Reason.SUPERSEDED, "resolved", at(9)),
    ]
    assert set(reasons(outcome)) == {Reason.SUPERSEDED}
    assert [each.change for each in outcome.decided] == [Change.LEFT, None, Change.CLOSED]
    assert list(state.alerts) == [identity(version="15")]
    state, outcome = supersede(rules(), state, "15", at(9))
    assert [each.change for each in outcome.decided] == [Change.CLOSED]
    assert (state.alerts, state.incidents.open) == ({}, ())


def test_evidence_out_of_order_counts_as_of_the_time_reached(evidence, amount, at):
    story = [evidence(50, "drift!"), evidence(40, "stable!"), evidence(30, "drift!", amount)]
    state, outcome = decide(rules(), Decisions(), story)
    assert [(n.reason, n.at) for n in outcome.notices] == [
        (Reason.FIRED, at(50)),
        (Reason.RESOLVED, at(50)),
        (Reason.FIRED, at(50)),
    ]
    assert [each.at for each in outcome.decided] == [at(50)] * 3
    assert state.reached == at(50)


def test_a_version_is_replaced_no_earlier_than_its_last_evidence(evidence, at):
    state, _ = decide(rules(), Decisions(), [evidence(30, "drift!")])
    _, outcome = supersede(rules(), state, "14", at(5))
    assert outcome.notices[0].at == at(30)


def test_late_evidence_of_a_replaced_version_counts_for_nothing_until_it_takes_over_again(evidence, identity, at):
    """Labels of the old version keep coming for days: it must not fire again, nor ask for a retraining."""
    newer = identity(version="15")
    state, _ = decide(rules(), Decisions(), [evidence(0, "drift!")])
    state, _ = supersede(rules(), state, "14", at(1), by="15")
    late = [evidence(2, "drift!", labels=9999, labels_since=9999), evidence(3, "drift!", newer), evidence(4, "drift!")]
    state, outcome = decide(rules(), Decisions.from_plain(state.to_plain()), late)
    assert reasons(outcome) == [Reason.SUPERSEDED, Reason.FIRED, Reason.SUPERSEDED]
    assert ([n.identity for n in outcome.notices], outcome.triggers) == ([newer], ())
    assert state.replaced == ("14",)
    state, _ = supersede(rules(), state, "15", at(5), by="14")
    state, outcome = decide(rules(), state, [evidence(6, "drift!", newer), evidence(7, "drift!")])
    assert reasons(outcome) == [Reason.SUPERSEDED, Reason.FIRED]
    assert state.replaced == ("15",)


def test_the_state_is_plain_data_and_comes_back_through_json(evidence, identity, amount):
    state, _ = decide(
        rules(),
        Decisions(),
        [
            evidence(0, "drift!", since=-5, labels=1000, labels_since=600),
            evidence(1, "changed", amount, statistic=float("nan")),
            evidence(2, "stable!", identity("hour")),
        ],
    )
    phases = {identity.subject: alert.phase for identity, alert in state.alerts.items()}
    assert phases == {"error rate": Phase.FIRING, "amount": Phase.PENDING}
    assert Decisions.from_plain(json.loads(json.dumps(state.to_plain(), allow_nan=False))) == state


def test_equal_states_give_equal_plain_data_whatever_came_first(evidence, amount):
    story = [evidence(0, "drift"), evidence(0, "changed", amount)]
    one, other = (decide(rules(), Decisions(), each)[0] for each in (story, story[::-1]))
    assert json.dumps(one.to_plain()) == json.dumps(other.to_plain())


@pytest.mark.parametrize("change", [{"alerts": 3}, {"unknown": 1}, {"episodes": None}])
def test_plain_data_that_is_no_state_is_refused(change):
    with pytest.raises(msgspec.ValidationError):
        Decisions.from_plain(Decisions().to_plain() | change)


def test_a_changed_configuration_during_an_incident_fires_nothing_again(evidence, identity):
    """The incident's number, its trigger and the alert's identity stay as they were."""
    state, _ = decide(rules(), Decisions(), [evidence(0, "drift!", labels=1000, labels_since=600)])
    changed = rules(monitors={"accuracy": {"alert": {"severity": "info", "needs": 5, "of": 9, "cooldown": "1h"}}})
    state, outcome = decide(changed, state, [evidence(i, "drift!", labels=2000 + i) for i in range(1, 9)])
    assert (outcome.notices, outcome.triggers, state.incidents.number) == ((), (), 1)
    assert state.alerts[identity()].episode.severity == "critical"
