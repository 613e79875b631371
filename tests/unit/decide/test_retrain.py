"""When a retraining is asked for, and by which name it is refused."""

import re

import pytest

from anchorwatch.decide.evidence import Kind
from anchorwatch.decide.findings import Finding, Trouble
from anchorwatch.decide.ids import trigger_id
from anchorwatch.decide.retrain import (
    MOST_CAUSES,
    Asked,
    Cause,
    Occasion,
    RetrainPolicy,
    RetrainReason,
    RetrainState,
    consider,
)
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

    def build(kind, word="drift!", *, since=1, labels=1000, **changes):
        finding = Finding.of_evidence(evidence(60 * since, word))
        who = identity(**({"kind": kind, "subject": str(kind)} | changes))
        return Cause(who, Trouble(finding, since=since * HOUR, labelled=labels))

    return build


def occasion(*firing, at=5, labelled=1500, incident=3):
    return Occasion("/aw", "fraud", "14", at * HOUR, labelled, incident, firing)


TABLE = [
    ("no alert of that version fires", [], FRESH, 1500, "no_incident"),
    ("the incident has had its trigger", ["accuracy"], RetrainState(3, 0), 9999, "already_triggered"),
    ("nobody asked for drift of a feature", ["drift", "latency"], FRESH, 1500, "kind_not_asked"),
    ("accuracy changed, but not for the worse", ["accuracy changed!"], FRESH, 1500, "direction_not_asked"),
    ("the input is broken", ["accuracy", "schema"], FRESH, 1500, "schema_broken"),
    ("only 499 labels since the change", ["accuracy"], FRESH, 1499, "too_few_labels"),
    ("the last trigger is 23 hours old", ["accuracy"], RetrainState(2, -18 * HOUR), 1500, "cooling_down"),
    ("the last trigger is 24 hours old", ["accuracy"], RetrainState(2, -19 * HOUR), 1500, "triggered"),
    ("accuracy is worse and there are labels", ["accuracy"], FRESH, 1500, "triggered"),
    ("any direction of a kind asked for without one", ["prediction changed!"], FRESH, 1500, "triggered"),
    ("other alerts beside it do not matter", ["drift", "accuracy", "quality"], FRESH, 1500, "triggered"),
]


@pytest.mark.parametrize(("title", "firing", "state", "labelled", "reason"), TABLE, ids=[row[0] for row in TABLE])
def test_a_policy_decides_as_the_table_says(title, firing, state, labelled, reason, cause):
    causes = [cause(Kind(text.split()[0]), *text.split()[1:]) for text in firing]
    found = consider(POLICY, state, occasion(*causes, labelled=labelled))
    assert found.reason == reason, title
    assert (found.trigger is not None) == (reason == "triggered")
    assert found.state == (RetrainState(3, 5 * HOUR) if reason == "triggered" else state)


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
    trigger = consider(POLICY, FRESH, occasion(*causes)).trigger
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
        {"name": "p1", "when": ["accuracy worse", "prediction"], "min_labels": 500, "cooldown": "1d", "expires": "12h"}
    )
    assert RetrainPolicy.of_settings(retrain) == POLICY
