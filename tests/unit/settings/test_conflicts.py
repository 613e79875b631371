"""What fits together is taken: the other side of tests/config_cases."""

from __future__ import annotations

import re

import pytest
from pydantic import ValidationError

from anchorwatch.settings.loader import load
from anchorwatch.settings.models import Baseline, Kafka, Model, Retrain, Windows
from anchorwatch.settings.names import check_servers, check_uri, is_topic

LABELS = {"topic": "l", "id": "id", "value": "y"}
STREAM = {"topic": "t", "id": "id", "prediction": {"kind": "binary", "score": "p"}}


def model(**more):
    return Model.model_validate({"predictions": STREAM, "baseline": {"first": 100}, **more})


@pytest.mark.parametrize(
    "kafka",
    [
        {},
        {"security_protocol": "SSL", "tls": {"ca_file": "ca.pem", "certificate_file": "c.pem", "key_file": "k.pem"}},
        {"security_protocol": "SASL_PLAINTEXT", "sasl": {"mechanism": "PLAIN", "username": "u", "password": "p"}},
        {"security_protocol": "SASL_SSL", "sasl": {"mechanism": "OAUTHBEARER", "token": "t"}},
    ],
)
def test_credentials_that_fit_their_protocol_are_taken(kafka):
    assert Kafka.model_validate({"bootstrap_servers": "a:1, b:2,[::1]:9092", **kafka})


@pytest.mark.parametrize("key", ["username", "password"])
def test_an_empty_credential_is_a_missing_one(key):
    """An environment variable that is set to nothing does not open the broker."""
    sasl = {"mechanism": "PLAIN", "username": "u", "password": "p", key: ""}
    with pytest.raises(ValidationError, match=f"PLAIN needs `{key}`"):
        Kafka.model_validate({"bootstrap_servers": "a:1", "security_protocol": "SASL_SSL", "sasl": sasl})


@pytest.mark.parametrize("baseline", [{"first": 10, "labels": 5}, {"name": "production"}, {"file": "b.json"}])
def test_one_origin_of_the_baseline_is_enough(baseline):
    assert Baseline.model_validate(baseline)


@pytest.mark.parametrize("windows", [{"size": None, "time": "1h"}, {"size": 50, "panes": 2}, {"size": 100}])
def test_windows_that_close_and_hold_enough_are_taken(windows):
    assert Windows.model_validate(windows)


@pytest.mark.parametrize(
    "prediction",
    [
        {"kind": "binary", "score": "p"},
        {"kind": "binary", "class": "c", "positive": "yes"},
        {"kind": "multiclass", "class": "c", "score": "p"},
        {"kind": "regression", "value": "v"},
        {"kind": "ranking", "items": "top", "k": 5},
    ],
)
def test_a_prediction_with_its_outputs_is_taken(prediction):
    assert model(predictions={**STREAM, "prediction": prediction})


def test_a_segment_may_be_a_category_feature_or_a_dimension():
    stream = {**STREAM, "features": {"country": "category"}, "dimensions": {"channel": "request.channel"}}
    assert model(predictions=stream, segments=["country", "channel"]).segments == ["country", "channel"]


def test_a_policy_without_labels_needs_to_say_that_it_needs_none():
    with pytest.raises(ValidationError, match="set `min_labels: 0`"):
        model(retrain={"when": "drift"})
    assert model(retrain={"when": "drift", "min_labels": 0}).retrain[0].when == ["drift"]


def test_a_policy_may_be_one_or_a_list():
    assert model(retrain={"when": "drift", "min_labels": 0}).retrain == [Retrain(when=["drift"], min_labels=0)]


def test_two_models_may_read_the_same_topic():
    text = """\
models:
  a: &a
    predictions: {topic: shared, id: id, where: {model: a}, prediction: {kind: binary, score: p}}
    baseline: {first: 9}
  b: *a
"""
    assert load(text, {}).models["a"] == load(text, {}).models["b"]


@pytest.mark.parametrize(("servers", "fine"), [("a:1", True), ("a:1,b:65535", True), ("a", False), ("a:0", False),
                                               ("a:1,", False), ("http://a:1", False), ("a:99999", False)])  # fmt: skip
def test_brokers_are_host_and_port(servers, fine):
    if fine:
        assert check_servers(servers) == servers
    else:
        with pytest.raises(ValueError, match="is not host:port"):
            check_servers(servers)


@pytest.mark.parametrize("uri", ["/anchorwatch", "urn:x:y", "https://a/b?c#d", "a%20b"])
def test_a_source_is_a_uri_reference(uri):
    assert check_uri(uri) == uri


@pytest.mark.parametrize("uri", ["", "a b", "100%", "ü"])
def test_what_is_no_uri_reference_is_refused(uri):
    with pytest.raises(ValueError, match="URI reference"):
        check_uri(uri)


@pytest.mark.parametrize(
    ("name", "fine"), [("a.b-c_1", True), ("", False), (".", False), ("..", False), ("a/b", False), ("a" * 250, False)]
)
def test_a_topic_is_named_as_kafka_allows(name, fine):
    assert is_topic(name) is fine


def test_metrics_may_be_a_list_or_have_margins():
    listed = model(labels=LABELS, monitors={"accuracy": {"metrics": ["roc_auc", "recall"]}})
    assert [(name, judged.margin) for name, judged in listed.monitors.accuracy.metrics.items()] == [
        ("roc_auc", None), ("recall", None),
    ]  # fmt: skip
    given = model(labels=LABELS, monitors={"accuracy": {"metrics": {"roc_auc": {"margin": 0.1}}}})
    assert given.monitors.accuracy.metrics["roc_auc"].margin == 0.1


@pytest.mark.parametrize(
    ("accuracy", "labels", "said"),
    [
        ({"metrics": ["rocauc"]}, LABELS, "did you mean `roc_auc`"),
        ({"metrics": ["rmse"]}, LABELS, "`rmse` cannot be judged here: give one of accuracy, average_precision"),
        ({"metrics": ["recall"]}, None, "give labels, and the model has none"),
        ({"metrics": {"recall": {"margin": 0}}}, LABELS, "greater than 0"),
    ],
)
def test_a_metric_that_cannot_be_judged_is_refused(accuracy, labels, said):
    with pytest.raises(ValidationError, match=re.escape(said)):
        model(labels=labels, monitors={"accuracy": accuracy})
