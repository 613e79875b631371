"""Alerts and triggers as others read them."""

import json

import pytest
from cloudevents.core.bindings.kafka import KafkaMessage, from_structured_event
from hypothesis import given, settings
from hypothesis import strategies as st

from anchorwatch.decide.decision import Decisions, decide, supersede
from anchorwatch.decide.evidence import Kind
from anchorwatch.decide.publish import alert_message, messages
from anchorwatch.decide.recovery import Recovery
from anchorwatch.decide.rules import rules_of
from anchorwatch.decide.triggers import Fingerprints
from anchorwatch.settings.kafka import Outputs
from anchorwatch.settings.models import Model

MODEL = Model.model_validate(
    {
        "predictions": {"topic": "p", "id": "id", "prediction": {"kind": "binary", "score": "score"}},
        "labels": {"topic": "l", "id": "id", "value": "y"},
        "baseline": {"first": 1000},
        "monitors": {"accuracy": {"alert": {"severity": "critical", "repeat": "1h"}}},
        "retrain": {"when": "accuracy worse", "min_labels": 500, "cooldown": "1d"},
    }
)
RULES = rules_of("/anchorwatch/prod-eu", "fraud", MODEL, Fingerprints("0.2.0", "c0ffee"))
OUTPUTS = Outputs(alerts="alerts", retrain="retrain")

FIRING = {
    "specversion": "1.0",
    "id": "936025a6-482e-570e-ad2b-7e95a85765af",
    "source": "/anchorwatch/prod-eu",
    "type": "io.anchorwatch.alert.firing.v1",
    "time": "2026-05-01T08:10:00Z",
    "subject": "models/fraud",
    "datacontenttype": "application/json",
    "partitionkey": "fraud",
    "data": {
        "labels": {
            "alertname": "ModelAccuracy",
            "model": "fraud",
            "version": "14",
            "segment": "country=DE",
            "kind": "accuracy",
            "subject": "error rate",
            "monitor": "adwin",
            "severity": "critical",
        },
        "annotations": {
            "summary": "fraud version 14 where country=DE has become less accurate since about 2026-05-01 08:03 UTC: "
            "error rate 31.0 %, 23.9 % in the baseline (adwin over 5,120 values).",
            "reason": "fired",
            "finding": "differs",
            "statistic": "0.31",
            "effect": "7.12",
            "effect_unit": "percentage points",
            "direction": "worse",
            "since": "2026-05-01T08:03:00Z",
            "since_low": "2026-05-01T08:02:00Z",
            "since_high": "2026-05-01T08:05:00Z",
            "n": "5120",
            "baseline_id": "bl-2026-04",
            "incident": "1",
        },
        "startsAt": "2026-05-01T08:10:00Z",
        "status": "firing",
        "reason": "fired",
        "fingerprint": "3af98ea4145a43f2",
        "episode": 1,
        "notice": 1,
        "incident": 1,
        "baseline_id": "bl-2026-04",
        "finding": "differs",
        "statistic": 0.31,
        "threshold": None,
        "effect": 7.12,
        "effect_unit": "percentage points",
        "direction": "worse",
        "since": "2026-05-01T08:03:00Z",
        "since_low": "2026-05-01T08:02:00Z",
        "since_high": "2026-05-01T08:05:00Z",
        "n": 5120,
    },
}
TRIGGER = {
    "specversion": "1.0",
    "id": "73fa504b-46d7-5eef-9f16-018e46778dca",
    "source": "/anchorwatch/prod-eu",
    "type": "io.anchorwatch.retrain.requested.v1",
    "time": "2026-05-01T08:30:00Z",
    "expirytime": "2026-05-01T20:30:00Z",
    "subject": "models/fraud",
    "datacontenttype": "application/json",
    "partitionkey": "fraud",
    "data": {
        "idempotency_key": "retrain-fraud-default-1-73fa504b",
        "model": "fraud",
        "model_version": "14",
        "policy": "default",
        "incident": 1,
        "reason": [
            {
                "kind": "accuracy",
                "subject": "error rate",
                "segment": "country=DE",
                "monitor": "adwin",
                "finding": "differs",
                "statistic": 0.31,
                "threshold": None,
                "effect": 7.12,
                "effect_unit": "percentage points",
                "direction": "worse",
                "since": "2026-05-01T08:03:00Z",
                "since_low": "2026-05-01T08:02:00Z",
                "since_high": "2026-05-01T08:05:00Z",
                "n": 5120,
            }
        ],
        "window": {
            "start": "2026-05-01T08:03:00Z",
            "end": "2026-05-01T08:30:00Z",
            "rows": 610,
            "labelled": 540,
            "estimate": "not enough labels",
            "fingerprints": {"data": None, "configuration": "c0ffee", "code": "0.2.0"},
        },
        "baseline_id": "bl-2026-04",
        "cooldown_until": "2026-05-02T08:30:00Z",
        "dry_run": False,
    },
}


@pytest.fixture
def story(evidence, identity):
    """Tell of an alert that fires, gets its trigger, is repeated and resolves."""
    who = identity(segment="country=DE")
    return [
        evidence(10, "drift!", who, since=3, labels=1000, labels_since=40, rows=(1050, 50)),
        evidence(30, "undetermined", who, labels=1500, rows=(1610, 0)),
        evidence(70, "drift!", who, since=3, labels=2000, labels_since=1040),
        evidence(80, "stable!", who, labels=2100),
    ]


@pytest.fixture
def outcome(story):
    return decide(RULES, Decisions(), story)[1]


@pytest.fixture
def published(outcome):
    return messages(RULES.source, OUTPUTS, outcome)


def body(message):
    return json.loads(message.value)


def test_a_firing_alert_reads_like_this(published):
    assert body(published[0]) == FIRING


def test_a_trigger_reads_like_this(published):
    assert body(published[-1]) == TRIGGER


def test_a_trigger_has_at_most_ten_properties_which_is_what_github_takes(published):
    assert len(body(published[-1])["data"]) <= 10


def test_a_trigger_states_what_a_retraining_would_recover_and_which_data_the_baseline_was_made_of(story):
    recovery = Recovery("accuracy", reached=0.59, low=0.57, high=0.61, current=0.565, usual=0.755, rows=540)
    asked = []

    def estimator(version, since, labelled):
        asked.append((version, since, labelled))
        return recovery

    _, outcome = decide(RULES, Decisions(), story, estimator, (("bl-2026-04", "f00d"),))
    window = body(messages(RULES.source, OUTPUTS, outcome)[-1])["data"]["window"]
    assert window["estimate"] == {
        "metric": "accuracy", "reached": 0.59, "low": 0.57, "high": 0.61, "current": 0.565, "usual": 0.755,
        "rows": 540, "gain": 2.5,
    }  # fmt: skip
    assert window["fingerprints"]["data"] == "f00d"
    assert asked == [("14", outcome.triggers[0].start, 1500)]


def test_a_resolved_alert_says_when_it_ended_and_is_else_the_same_alert(published):
    first, _, last = (body(message) for message in published if b".alert." in dict(message.headers)["ce_type"])
    assert last["type"] == "io.anchorwatch.alert.resolved.v1"
    assert (last["data"]["status"], last["data"]["reason"], last["data"]["notice"]) == ("resolved", "resolved", 3)
    assert (last["data"]["startsAt"], last["data"]["endsAt"]) == ("2026-05-01T08:10:00Z", "2026-05-01T09:20:00Z")
    for same in ("labels", "fingerprint", "incident", "episode", "since", "baseline_id"):
        assert last["data"][same] == first["data"][same]


def test_messages_go_to_their_topics_in_order_under_the_name_of_the_model(published):
    assert [m.topic for m in published] == ["alerts"] * 5 + ["retrain"]
    types = [body(m)["type"].removeprefix("io.anchorwatch.") for m in published]
    assert types == [
        "alert.firing.v1", "alert.firing.v1", "alert.resolved.v1", "incident.opened.v1", "incident.resolved.v1",
        "retrain.requested.v1",
    ]  # fmt: skip
    assert {m.key for m in published} == {b"fraud"}
    assert [m.id for m in published] == [body(m)["id"] for m in published]
    assert len({m.id for m in published}) == 6


def test_the_attributes_are_repeated_in_headers(published):
    for message in published:
        headers = dict(message.headers)
        assert headers.pop("content-type") == b"application/cloudevents+json"
        attributes = {k: v for k, v in body(message).items() if k not in {"data", "datacontenttype"}}
        assert headers == {f"ce_{name}": value.encode() for name, value in attributes.items()}


def test_every_message_is_read_by_the_sdk_as_the_event_it_is(published):
    for message in published:
        event = from_structured_event(KafkaMessage(dict(message.headers), message.key, message.value))
        assert (event.get_id(), event.get_subject()) == (message.id, "models/fraud")
        assert event.get_data() == body(message)["data"]


def test_the_same_decisions_give_the_same_bytes_on_any_day(story):
    one, other = (messages(RULES.source, OUTPUTS, decide(RULES, Decisions(), story)[1]) for _ in range(2))
    assert one == other


def test_bytes_are_the_same_after_a_restart_between_any_two_decisions(story, published):
    state, found = Decisions(), []
    for each in story:
        state, outcome = decide(RULES, Decisions.from_plain(json.loads(json.dumps(state.to_plain()))), [each])
        found += messages(RULES.source, OUTPUTS, outcome)
    assert sorted(found, key=lambda m: m.id) == sorted(published, key=lambda m: m.id)


def test_ids_do_not_depend_on_statistics(evidence):
    """A last bit may differ between machines; the id must not."""
    _, outcome = decide(RULES, Decisions(), [evidence(0, "drift!", statistic=0.3)])
    _, nearly = decide(RULES, Decisions(), [evidence(0, "drift!", statistic=0.1 + 0.2, effect=0.08, n=5121)])
    assert messages("/a", OUTPUTS, outcome)[0].id == messages("/a", OUTPUTS, nearly)[0].id


def test_two_sources_never_share_an_id(outcome):
    assert not {m.id for m in messages("/eu", OUTPUTS, outcome)[:3]} & {
        m.id for m in messages("/us", OUTPUTS, outcome)[:3]
    }


def test_an_alert_can_be_posted_to_alertmanager_as_it_is(published):
    """Labels and annotations are texts, no label is empty, and only what has ended has an end."""
    for message in published[:3]:
        data = body(message)["data"]
        assert all(isinstance(v, str) and v for v in [*data["labels"].values(), *data["annotations"].values()])
        assert ("endsAt" in data) == (data["status"] == "resolved")


def test_a_label_that_would_be_empty_is_left_out(evidence, identity):
    _, outcome = decide(RULES, Decisions(), [evidence(0, "drift!", identity(version=""))])
    labels = body(messages("/aw", OUTPUTS, outcome)[0])["data"]["labels"]
    assert {"version", "segment"}.isdisjoint(labels)


def refuse(constant):
    pytest.fail(f"{constant} is no JSON")


@settings(deadline=None)
@given(
    st.lists(st.floats(), min_size=3, max_size=3),
    st.text(min_size=1, max_size=8),
    st.sampled_from(Kind),
    st.integers(-(2**62), 2**62),
)
def test_whatever_was_measured_the_message_is_strict_json(evidence, identity, numbers, name, kind, at):
    """Numbers that are not finite become null: JSON has no NaN, and many readers refuse it."""
    measured = dict(zip(("statistic", "threshold", "effect"), numbers, strict=True))
    who = identity(name, kind=kind, version=name, segment=f"x={name}")
    state, outcome = decide(RULES, Decisions(), [evidence(at / (60 * 10**9), "drift!", who, **measured)])
    _, ended = supersede(RULES, state, name, at)
    assert len(ended.notices) == 1
    for notice in (*outcome.notices, *ended.notices):
        found = json.loads(alert_message("/aw", "alerts", notice).value, parse_constant=refuse)
        assert found["data"]["labels"]["subject"] == name


def test_a_trigger_has_no_more_properties_than_github_takes(published):
    assert len(body(published[-1])["data"]) <= 10


def test_a_metric_is_told_with_its_interval_and_coverage(identity, evidence):
    found = {"statistic": 0.71, "effect": -0.05, "low": 0.69, "high": 0.73, "coverage": 0.93}
    one = evidence(10, "drift!", identity("roc_auc", monitor="non_inferiority"), since=3, **found)
    _, outcome = decide(RULES, Decisions(), [one])
    data = json.loads(messages("/anchorwatch/prod-eu", OUTPUTS, outcome)[0].value)["data"]
    assert (data["low"], data["high"], data["coverage"]) == (0.69, 0.73, 0.93)
    assert (data["annotations"]["low"], data["annotations"]["coverage"]) == ("0.69", "0.93")
