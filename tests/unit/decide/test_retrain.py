"""When a retraining is asked for, and by which name it is refused."""

import re

import msgspec
import pytest
from pydantic import ValidationError

from anchorwatch.decide.evidence import Kind
from anchorwatch.decide.findings import Finding, Trouble
from anchorwatch.decide.ids import trigger_id
from anchorwatch.decide.recovery import Recovery
from anchorwatch.decide.retrain import Held, RetrainReason, RetrainState, consider
from anchorwatch.decide.retrain_policy import Asked, RetrainPolicy
from anchorwatch.decide.triggers import MOST_CAUSES, Cause, Occasion
from anchorwatch.settings.models import Retrain
from anchorwatch_detectors.base import Direction

HOUR = 3600 * 10**9
POLICY = RetrainPolicy(
    name="p1",
    when=(Asked(Kind.ACCURACY, Direction.WORSE), Asked(Kind.PREDICTION)),
    min_labels=500,
    cooldown=24 * HOUR,
    expires=12 * HOUR,
    dry_run=False,
)
FRESH = RetrainState()


@pytest.fixture
def cause(identity, evidence):
    """Return a firing alert whose trouble began at an hour, with so many labels seen by then."""

    def build(kind, word="drift!", severity="critical", *, since=1, labels=1000, **changes):
        finding = Finding.of_evidence(evidence(60 * since, word))
        who = identity(**({"kind": kind, "subject": str(kind)} | changes))
        return Cause(who, Trouble(finding, since=since * HOUR, labelled=labels), severity, fired_at=(since + 1) * HOUR)

    return build


def occasion(*firing, at=5, labelled=1500, incident=3, **more):
    return Occasion("/aw", "fraud", "14", at * HOUR, labelled, incident, firing, **more)


def recovers(points):
    """Return an estimator that is sure of so many points; None for too few labels."""
    found = None if points is None else Recovery("accuracy", 0.78, 0.6 + points / 100, 0.8, 0.6, 0.75, 500)
    return lambda *_: found


LOUD = {"severity": "critical"}
SOON, QUIET, RUNS = {"cooldown": 0}, {"quiet_after_version": HOUR}, {"timeout": 4 * HOUR}
TWICE = {"most": 2, "most_in": 10 * HOUR, "cooldown": 0}
GAIN = {"least_gain": 5.0}
HELD = RetrainState(held=(Held(3, 260, RetrainReason.RECOVERS_TOO_LITTLE),))
# title, firing, what the policy says beside POLICY, its state, what the occasion is beside the usual, reason
TABLE = [
    ("no alert of that version fires", [], {}, FRESH, {}, "no_incident"),
    ("the incident has had its trigger", ["accuracy"], {}, RetrainState(3, 0), {"labelled": 9999}, "already_triggered"),
    ("nobody asked for drift of a feature", ["drift", "latency"], {}, FRESH, {}, "kind_not_asked"),
    ("accuracy changed, but not for the worse", ["accuracy changed!"], {}, FRESH, {}, "direction_not_asked"),
    ("a warning where critical is asked for", ["accuracy drift! warning"], LOUD, FRESH, {}, "severity_not_asked"),
    ("critical where a warning is asked for", ["accuracy"], {"severity": "warning"}, FRESH, {}, "triggered"),
    ("firing for three hours, not for four", ["accuracy"], {"firing_for": 4 * HOUR}, FRESH, {}, "firing_too_short"),
    ("firing for three hours as asked", ["accuracy"], {"firing_for": 3 * HOUR}, FRESH, {}, "triggered"),
    ("the input is broken", ["accuracy", "schema"], {}, FRESH, {}, "schema_broken"),
    ("a retraining runs since 3 hours", ["accuracy"], RUNS, FRESH, {"underway": (2 * HOUR,)}, "retraining_underway"),
    ("a retraining ran out of time", ["accuracy"], RUNS, FRESH, {"underway": (HOUR,)}, "triggered"),
    ("a version took over just now", ["accuracy"], QUIET, FRESH, {"fresh_since": 5 * HOUR - 1}, "fresh_version"),
    ("a version took over an hour ago", ["accuracy"], QUIET, FRESH, {"fresh_since": 4 * HOUR}, "triggered"),
    ("only 499 labels since the change", ["accuracy"], {}, FRESH, {"labelled": 1499}, "too_few_labels"),
    ("the last trigger is 23 hours old", ["accuracy"], {}, RetrainState(2, -18 * HOUR), {}, "cooling_down"),
    ("the last trigger is 24 hours old", ["accuracy"], {}, RetrainState(2, -19 * HOUR), {}, "triggered"),
    ("two triggers in ten hours", ["accuracy"], TWICE, RetrainState(2, HOUR, (0, HOUR)), {}, "over_budget"),
    ("one of them is ten hours old", ["accuracy"], TWICE, RetrainState(2, HOUR, (-5 * HOUR, HOUR)), {}, "triggered"),
    ("too few labels to tell", ["accuracy"], GAIN, FRESH, {"estimator": recovers(None)}, "recovery_unknown"),
    ("nobody tells", ["accuracy"], GAIN, FRESH, {}, "recovery_unknown"),
    ("four points where five are asked", ["accuracy"], GAIN, FRESH, {"estimator": recovers(4)}, "recovers_too_little"),
    ("not looked at again yet", ["accuracy"], GAIN, HELD, {"labelled": 1519}, "recovers_too_little"),
    ("twice the labels, and it recovers now", ["accuracy"], GAIN, HELD,
     {"labelled": 1520, "estimator": recovers(6)}, "triggered"),
    ("another incident is looked at", ["accuracy"], GAIN, HELD, {"incident": 4, "estimator": recovers(6)}, "triggered"),
    ("six points where five are asked for", ["accuracy"], GAIN, FRESH, {"estimator": recovers(6)}, "triggered"),
    ("accuracy is worse and there are labels", ["accuracy"], {}, FRESH, {}, "triggered"),
    ("any direction of a kind asked for without one", ["prediction changed!"], {}, FRESH, {}, "triggered"),
    ("other alerts beside it do not matter", ["drift", "accuracy", "quality"], {}, FRESH, {}, "triggered"),
]  # fmt: skip


@pytest.mark.parametrize(("title", "firing", "rule", "state", "more", "reason"), TABLE, ids=[row[0] for row in TABLE])
def test_a_policy_decides_as_the_table_says(title, firing, rule, state, more, reason, cause):
    causes = [cause(Kind(text.split()[0]), *text.split()[1:]) for text in firing]
    found = consider(msgspec.structs.replace(POLICY, **rule), state, occasion(*causes, **more))
    assert found.reason == reason, title
    assert (found.trigger is not None) == (reason == "triggered")
    if found.trigger is not None:
        assert (found.state.incident, found.state.triggered_at) == (more.get("incident", 3), 5 * HOUR)
        assert found.state.held == ()
    elif found.state != state:
        assert found.state == msgspec.structs.replace(state, held=(Held(3, 500, found.reason),))


def test_what_a_retraining_would_recover_is_asked_only_where_nothing_else_speaks_against_it(cause):
    asked = []

    def estimator(version, since, labelled):
        asked.append((version, since, labelled))

    policy = msgspec.structs.replace(POLICY, least_gain=5.0)
    state, found = FRESH, []
    for labels in range(1400, 4000, 10):
        state, reason, _ = consider(policy, state, occasion(cause(Kind.ACCURACY), labelled=labels, estimator=estimator))
        found.append(reason)
    assert set(found) == {RetrainReason.TOO_FEW_LABELS, RetrainReason.RECOVERY_UNKNOWN}
    assert asked == [("14", HOUR, 1500), ("14", HOUR, 2000), ("14", HOUR, 3000)]


def test_every_reason_stands_in_the_table():
    elsewhere = {"silenced"}  # people's doing: test_hushing.py
    assert {row[-1] for row in TABLE} | elsewhere == {reason.value for reason in RetrainReason}


def test_every_reason_is_explained_in_a_sentence():
    explained = re.findall(r"^\s*([A-Z_]+)\n\s+[A-Z].*[.\w]$", RetrainReason.__doc__, re.MULTILINE)
    assert sorted(explained) == sorted(reason.name for reason in RetrainReason)


def test_a_trigger_says_who_asks_for_what_and_which_data_to_train_on(cause):
    causes = (cause(Kind.PREDICTION, since=4, labels=1400), cause(Kind.ACCURACY, since=2, labels=900))
    trigger = consider(POLICY, FRESH, occasion(cause(Kind.DRIFT, since=1), *causes)).trigger
    assert trigger.id == trigger_id("/aw", "fraud", "p1", 3)
    assert [each.identity.kind for each in trigger.causes] == [Kind.ACCURACY, Kind.PREDICTION]
    assert (trigger.model, trigger.version, trigger.policy, trigger.incident) == ("fraud", "14", "p1", 3)
    assert (trigger.start, trigger.end, trigger.labelled) == (2 * HOUR, 5 * HOUR, 600)
    assert (trigger.cooldown_until, trigger.expires_at, trigger.dry_run) == (29 * HOUR, 17 * HOUR, False)
    assert trigger.baseline == "bl-2026-04"


def test_a_schema_alert_asks_for_a_retraining_where_the_policy_says_so(cause):
    policy = RetrainPolicy("p1", (Asked(Kind.SCHEMA),), min_labels=0, cooldown=0, expires=HOUR, dry_run=True)
    found = consider(policy, FRESH, occasion(cause(Kind.SCHEMA)))
    assert (found.reason, found.trigger.dry_run) == (RetrainReason.TRIGGERED, True)


def test_a_trigger_names_only_so_many_causes_and_the_earliest_of_them(cause):
    """A message has a greatest size; a model with ten thousand segments has no greatest number of alerts."""
    causes = [cause(Kind.ACCURACY, since=200 - i, segment=f"shop={i}") for i in range(MOST_CAUSES + 9)]
    trigger = consider(POLICY, FRESH, occasion(*causes, at=300)).trigger
    assert len(trigger.causes) == MOST_CAUSES
    assert [each.trouble.since for each in trigger.causes] == sorted(each.trouble.since for each in causes)[
        :MOST_CAUSES
    ]


def test_a_trigger_does_not_depend_on_the_order_in_which_alerts_are_kept(cause):
    causes = [cause(Kind.ACCURACY, segment=f"shop={i}") for i in range(5)]
    one, other = (consider(POLICY, FRESH, occasion(*each)) for each in (causes, causes[::-1]))
    assert one == other


def test_a_policy_is_what_the_configuration_says():
    retrain = Retrain.model_validate(
        {
            "name": "p1", "when": ["accuracy worse", "prediction"], "min_labels": 500, "cooldown": "1d",
            "expires": "12h", "severity": "warning", "for": "2h", "budget": "2 per 7d", "timeout": "3h",
            "only_if": "recovers 5 points", "quiet_after_version": "4h", "acknowledge_within": "5h",
            "delivery": "at_least_once",
        }
    )  # fmt: skip
    assert RetrainPolicy.of_settings(retrain) == msgspec.structs.replace(
        POLICY, severity="warning", firing_for=2 * HOUR, most=2, most_in=168 * HOUR, timeout=3 * HOUR, least_gain=5.0,
        quiet_after_version=4 * HOUR, acknowledge_within=5 * HOUR, again=True,
    )  # fmt: skip
    assert Retrain.model_validate(retrain.model_dump(mode="json", by_alias=True)) == retrain


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("budget", "twice a day", "no budget of triggers"),
        ("budget", "0 per 1d", "allows no trigger at all"),
        ("budget", "2 per 7", "has no unit"),
        ("budget", "2 per 1d", "shorten `cooldown`"),
        ("only_if", "recovers much", "recovers 5 points"),
        ("only_if", "recovers 500 points", "recovers 5 points"),
    ],
)
def test_a_condition_that_cannot_be_read_is_refused_with_what_to_write(setting, value, said):
    with pytest.raises(ValidationError, match=said):
        Retrain.model_validate({"when": "accuracy", setting: value})
