"""What becomes of a retraining that was asked for: reports move it forward, silence is an alert, success ends it."""

import json
import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from anchorwatch.decide.decision import Decisions, decide, report, supersede
from anchorwatch.decide.evidence import Kind
from anchorwatch.decide.outcome import Outcome
from anchorwatch.decide.publish import messages
from anchorwatch.decide.reasons import Reason
from anchorwatch.decide.retrain import RetrainReason
from anchorwatch.decide.retraining import REMEMBERED, Progress, StatusReason, StatusReport
from anchorwatch.decide.rules import rules_of
from anchorwatch.events.reports import PROGRESS
from anchorwatch.settings.models import Model, Outputs

OUTPUTS = Outputs()


def rules(*, answered=True, **changes):
    retrain = {"when": "accuracy worse", "min_labels": 0, "cooldown": "0s", "quiet_after_version": "0s"} | changes
    model = Model.model_validate(
        {
            "predictions": {"topic": "p", "id": "id", "prediction": {"kind": "binary", "score": "score"}},
            "labels": {"topic": "l", "id": "id", "value": "y"},
            "baseline": {"first": 1000},
            "monitors": {"accuracy": {"alert": {"flapping": None}}},
            "retrain": retrain,
        }
    )
    return rules_of("/aw", "fraud", model, answered=answered)


@pytest.fixture
def asked(evidence):
    """Return the state after a trigger at minute 10, and the trigger."""

    def build(rules, **more):
        state, outcome = decide(rules, Decisions(), [evidence(10, "drift!", **more)])
        return state, outcome.triggers[0]

    return build


@pytest.fixture
def tell(at):
    """Report so many things of a trigger, one a minute."""

    def told(rules, state, ident, *progress, minute=20, version=""):
        reasons = []
        for i, each in enumerate(progress):
            status = StatusReport(at(minute + i), ident, Progress(each), version)
            state, outcome = report(rules, Decisions.from_plain(json.loads(json.dumps(state.to_plain()))), status)
            reasons += [str(each.reason) for each in outcome.reported]
        return state, reasons, outcome

    return told


# what is reported, in order, what becomes of each report, and how far the retraining is then
STORIES = {
    "all goes well": (
        "acknowledged running succeeded", "advanced advanced advanced", "succeeded",
    ),
    "one report says it all": ("succeeded", "advanced", "succeeded"),
    "it fails": ("running failed", "advanced advanced", "failed"),
    "it is given up": ("cancelled", "advanced", "cancelled"),
    "each report comes twice": (
        "acknowledged acknowledged running running", "advanced repeated advanced repeated", "running",
    ),
    "reports overtake each other": ("running acknowledged", "advanced outdated", "running"),
    "a run that failed is repeated and succeeds": (
        "failed running succeeded", "advanced outdated advanced", "succeeded",
    ),
    "what succeeded stays so": ("succeeded failed cancelled", "advanced outdated outdated", "succeeded"),
    "given up after it failed": ("failed cancelled", "advanced outdated", "failed"),
}  # fmt: skip


@pytest.mark.parametrize("title", STORIES)
def test_reports_only_move_a_retraining_forward(title, asked, tell):
    said, reasons, end = STORIES[title]
    state, trigger = asked(rules())
    state, found, _ = tell(rules(), state, trigger.id, *said.split())
    assert found == reasons.split()
    assert state.retrainings[0].progress == end


def test_every_reason_of_a_report_stands_in_a_story_or_is_that_nobody_knows_the_trigger(asked, tell):
    state, _ = asked(rules())
    _, unknown, _ = tell(rules(), state, "nobody", "running")
    told = {reason for _, reasons, _ in STORIES.values() for reason in reasons.split()} | set(unknown)
    assert told == {reason.value for reason in StatusReason}
    explained = re.findall(r"^\s*([A-Z_]+)\n\s+[A-Z].*\.$", StatusReason.__doc__, re.MULTILINE)
    assert sorted(explained) == sorted(reason.name for reason in StatusReason)


def test_every_progress_but_the_request_may_be_reported():
    assert set(PROGRESS) == {progress.value for progress in Progress} - {"requested"}


def test_a_report_may_name_the_trigger_by_its_idempotency_key(asked, tell):
    state, trigger = asked(rules())
    key = json.loads(messages("/aw", OUTPUTS, Outcome((), (trigger,), ()))[0].value)["data"]["idempotency_key"]
    state, reasons, _ = tell(rules(), state, key, "running")
    assert (reasons, state.retrainings[0].progress) == (["advanced"], "running")


def told_of(outcome, kind=Kind.RETRAIN):
    return [(n.identity.monitor, n.reason, n.status) for n in outcome.notices if n.identity.kind is kind]


def test_a_trigger_that_nobody_acknowledges_in_time_is_an_alert_until_somebody_does(asked, evidence, tell):
    state, trigger = asked(rules())
    state, outcome = decide(rules(), state, [evidence(m, "drift!", labels=m) for m in (30, 69, 70, 71, 90)])
    assert told_of(outcome) == [("unanswered", Reason.FIRED, "firing")]
    (notice,) = [n for n in outcome.notices if n.identity.kind is Kind.RETRAIN]
    message = json.loads(messages("/aw", OUTPUTS, Outcome((notice,), (), ()))[0].value)["data"]
    assert (message["labels"]["alertname"], message["labels"]["subject"]) == ("ModelRetrainUnanswered", "default")
    assert message["startsAt"] == "2026-05-01T09:10:00Z"
    assert "what policy default asked for was acknowledged by nobody" in message["annotations"]["summary"]
    assert message["baseline_id"] == "bl-2026-04"
    state, _, outcome = tell(rules(), state, trigger.id, "acknowledged", minute=95)
    assert told_of(outcome) == [("unanswered", Reason.RESOLVED, "resolved")]
    assert [i.firing for i in state.incidents.open] == [1]


def test_nobody_is_missed_where_nobody_reports(asked, evidence):
    state, _ = asked(rules(answered=False))
    _, outcome = decide(rules(answered=False), state, [evidence(999, "drift!")])
    assert outcome.notices == ()


def test_a_dry_run_waits_for_nobody(asked, evidence):
    state, _ = asked(rules(dry_run=True))
    _, outcome = decide(rules(dry_run=True), state, [evidence(999, "drift!")])
    assert (outcome.notices, state.retrainings) == ((), ())


def test_a_retraining_that_failed_is_an_alert_and_neither_opens_an_incident_nor_keeps_one_open(asked, evidence, tell):
    state, trigger = asked(rules())
    state, _, outcome = tell(rules(), state, trigger.id, "failed")
    assert told_of(outcome) == [("failed", Reason.FIRED, "firing")]
    assert [n.incident for n in outcome.notices] == [1]
    state, outcome = decide(rules(), state, [evidence(30, "stable!"), evidence(31, "stable!")])
    assert told_of(outcome) == [("failed", Reason.RESOLVED, "resolved")]
    assert (state.incidents.open, state.alerts) == ((), {})


def test_a_failure_told_after_the_incident_is_no_alert(asked, evidence, tell):
    state, trigger = asked(rules())
    state, _ = decide(rules(), state, [evidence(15, "stable!")])
    _, reasons, outcome = tell(rules(), state, trigger.id, "failed")
    assert (reasons, outcome.notices) == (["advanced"], ())


def test_an_unanswered_trigger_is_published_again_byte_for_byte_only_where_the_consumer_can_tell(asked, evidence, tell):
    sure = rules(delivery="at_least_once", acknowledge_within="1h", expires="4h")
    state, trigger = asked(sure, labels=1000)
    state, outcome = decide(sure, state, [evidence(m, "drift!", labels=1000 + m) for m in (69, 70, 129, 130)])
    assert [(again.trigger, again.number) for again in outcome.again] == [(trigger, 2), (trigger, 3)]
    first, *more = messages("/aw", OUTPUTS, Outcome((), (trigger,), (), again=outcome.again))
    assert {(m.key, m.value, m.headers) for m in more} == {(first.key, first.value, first.headers)}
    assert [m.id for m in (first, *more)] == [trigger.id, f"{trigger.id}/2", f"{trigger.id}/3"]
    _, outcome = decide(sure, state, [evidence(260, "drift!")])
    assert outcome.again == ()
    state, _, _ = tell(sure, state, trigger.id, "acknowledged", minute=140)
    assert decide(sure, state, [evidence(200, "drift!")])[1].again == ()
    state, _ = asked(rules(), labels=1000)
    assert decide(rules(), state, [evidence(200, "drift!")])[1].again == ()


def test_a_success_without_a_new_version_closes_the_incident_at_once_and_is_quiet_for_a_while(
    asked, evidence, tell, at
):
    quiet = rules(quiet_after_version="1h")
    state, trigger = asked(quiet)
    state, _, outcome = tell(quiet, state, trigger.id, "succeeded")
    assert [(n.reason, n.status, n.at) for n in outcome.notices] == [(Reason.RETRAINED, "resolved", at(20))]
    assert (state.alerts, state.incidents.open) == ({}, ())
    _, outcome = decide(quiet, state, [evidence(30, "drift!"), evidence(79, "drift!"), evidence(80, "drift!")])
    assert [dict(d.retrain)["default"] for d in outcome.decided] == [
        RetrainReason.FRESH_VERSION, RetrainReason.FRESH_VERSION, RetrainReason.TRIGGERED,
    ]  # fmt: skip


def test_a_success_with_a_new_version_keeps_the_incident_until_that_version_takes_over(asked, evidence, tell, at):
    state, trigger = asked(rules())
    state, _, outcome = tell(rules(), state, trigger.id, "succeeded", version="15")
    assert (outcome.notices, bool(state.incidents.open), state.retrainings[0].armed) == ((), True, True)
    state, outcome = supersede(rules(), state, "14", at(40), by="15")
    assert [(n.reason, n.at) for n in outcome.notices] == [(Reason.RETRAINED, at(40))]
    assert (
        "the model was retrained"
        in json.loads(messages("/aw", OUTPUTS, outcome)[0].value)["data"]["annotations"]["summary"]
    )
    assert (state.retrainings[0].armed, state.fresh_since, state.incidents.open) == (False, at(40), ())
    _, outcome = decide(rules(), state, [evidence(41, "drift!")])
    assert [d.reason for d in outcome.decided] == [Reason.SUPERSEDED]


def test_other_policies_are_quiet_while_a_retraining_is_underway_and_until_its_version_serves(evidence, tell, at):
    both = rules_with_two()
    state, outcome = decide(both, Decisions(), [evidence(10, "drift!")])
    (trigger,) = outcome.triggers
    state, _, _ = tell(both, state, trigger.id, "running", "succeeded", version="15")
    _, outcome = decide(both, state, [evidence(200, "drift!", labels=900, labels_since=0)])
    assert dict(outcome.decided[0].retrain)["slow"] is RetrainReason.RETRAINING_UNDERWAY
    _, outcome = decide(both, state, [evidence(10 + 24 * 60, "drift!", labels=900)])
    assert dict(outcome.decided[0].retrain)["slow"] is RetrainReason.TRIGGERED


def rules_with_two():
    first, second = rules(), rules(name="slow", min_labels=500)
    return type(first)(first.source, first.model, first.alerts, first.retrain + second.retrain, answered=True)


def test_each_stage_of_a_retraining_is_kept_once_with_who_says_so(asked, evidence, at):
    state, trigger = asked(rules())
    stages = []

    def keep(decided):
        nonlocal state
        state, outcome = decided
        stages.extend(outcome.stages)

    keep(decide(rules(), state, [evidence(m, "drift!", labels=m) for m in (69, 70, 90)]))
    for minute, progress, version in ((95, "running", ""), (96, "running", ""), (97, "succeeded", "15")):
        status = StatusReport(at(minute), trigger.id, Progress(progress), version, by=f"run of {minute}")
        keep(report(rules(), state, status))
    keep(report(rules(), state, StatusReport(at(98), "nobody", Progress.FAILED)))
    keep(supersede(rules(), state, "14", at(99), by="15"))
    assert {(s.trigger, s.policy, s.incident) for s in stages} == {(trigger.id, "default", 1)}
    assert [(s.status, s.at, s.version, s.by) for s in stages] == [
        ("unanswered", at(70), "", "anchorwatch"), ("running", at(95), "", "run of 95"),
        ("succeeded", at(97), "15", "run of 97"), ("serving", at(99), "15", "anchorwatch"),
    ]  # fmt: skip


def test_that_a_retraining_was_asked_for_is_its_first_stage_and_a_dry_run_has_none(evidence, at):
    _, outcome = decide(rules(), Decisions(), [evidence(10, "drift!")])
    (trigger,) = outcome.triggers
    assert [(s.trigger, s.status, s.at, s.by) for s in outcome.stages] == [
        (trigger.id, "requested", at(10), "anchorwatch"),
    ]  # fmt: skip
    _, outcome = decide(rules(dry_run=True), Decisions(), [evidence(10, "drift!")])
    assert (len(outcome.triggers), outcome.stages) == (1, ())


def test_only_the_newest_retrainings_are_remembered(evidence):
    state, soon = Decisions(), rules(timeout="1s")
    for i in range(REMEMBERED + 3):
        state, _ = decide(soon, state, [evidence(2 * i, "drift!"), evidence(2 * i + 1, "stable!")])
    assert [r.incident for r in state.retrainings] == list(range(4, REMEMBERED + 4))


# a step in time, then either a word of evidence and its version, or a report of a trigger and its version
happenings = st.one_of(
    st.tuples(st.integers(-1, 40), st.sampled_from(["drift!", "stable!", "drift", "warning"]), st.sampled_from("12")),
    st.tuples(st.integers(-1, 40), st.sampled_from(list(Progress)), st.integers(0, 3), st.sampled_from(["", "1", "3"])),
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(happenings, max_size=40), st.booleans())
def test_whatever_is_reported_there_is_one_id_for_an_incident_and_nothing_goes_back(
    evidence, identity, at, story, again
):
    """Through restarts between any two happenings, and with every report delivered twice."""
    going = rules(delivery="at_least_once" if again else "at_most_once", acknowledge_within="30m", timeout="1h")
    state, other, minute, triggers, repeats = Decisions(), Decisions(), 0, [], []
    for step, word, who, *version in story:
        minute += step
        if isinstance(word, Progress):
            ident = triggers[-who].id if 0 < who <= len(triggers) else "nobody"
            status = StatusReport(at(minute), ident, word, version[0])
            state, outcome = report(going, Decisions.from_plain(json.loads(json.dumps(state.to_plain()))), status)
            kept = state.retrainings
            state, twice = report(going, state, status)
            assert (state.retrainings, twice.notices) == (kept, ())
            other = report(going, report(going, other, status)[0], status)[0]
        else:
            each = evidence(minute, word, identity(version=who), since=minute - 1)
            state, outcome = decide(going, state, [each])
            other = decide(going, other, [each])[0]
        triggers += outcome.triggers
        repeats += outcome.again
        assert state == other
    assert len({(t.policy, t.incident) for t in triggers}) == len({t.id for t in triggers}) == len(triggers)
    assert {r.trigger.id for r in repeats} <= {t.id for t in triggers}
    assert len({(r.trigger.id, r.number) for r in repeats}) == len(repeats)
