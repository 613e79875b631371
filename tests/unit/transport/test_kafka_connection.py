"""The settings reach kafka-python as its own options."""

import pytest
from kafka import KafkaAdminClient, KafkaConsumer, KafkaProducer

from anchorwatch.settings.kafka import Kafka
from anchorwatch.transport.kafka_connection import connection_options


def test_several_brokers_are_a_list_and_plaintext_needs_nothing_more():
    options = connection_options(Kafka(bootstrap_servers="a:1, b:2"))
    assert options["bootstrap_servers"] == ["a:1", "b:2"]
    assert options["security_protocol"] == "PLAINTEXT"
    assert not [name for name in options if name.startswith(("ssl", "sasl"))]


def test_tls_settings_are_passed_on():
    tls = {"ca_file": "ca", "certificate_file": "crt", "key_file": "key", "key_password": "pw", "check_hostname": False}
    options = connection_options(Kafka(bootstrap_servers="a:1", security_protocol="SSL", tls=tls))
    found = {name: value for name, value in options.items() if name.startswith("ssl")}
    assert found == {
        "ssl_cafile": "ca",
        "ssl_certfile": "crt",
        "ssl_keyfile": "key",
        "ssl_password": "pw",
        "ssl_check_hostname": False,
    }


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_a_user_and_a_password_are_passed_on(mechanism):
    sasl = {"mechanism": mechanism, "username": "u", "password": "p"}
    options = connection_options(Kafka(bootstrap_servers="a:1", security_protocol="SASL_SSL", sasl=sasl))
    assert options["sasl_mechanism"] == mechanism
    assert (options["sasl_plain_username"], options["sasl_plain_password"]) == ("u", "p")
    assert "ssl_check_hostname" in options


def test_a_token_is_passed_on_by_a_provider():
    sasl = {"mechanism": "OAUTHBEARER", "token": "secret"}
    options = connection_options(Kafka(bootstrap_servers="a:1", security_protocol="SASL_SSL", sasl=sasl))
    assert options["sasl_oauth_token_provider"].token() == "secret"


@pytest.mark.parametrize("client", [KafkaConsumer, KafkaProducer, KafkaAdminClient])
def test_every_client_knows_every_option(client):
    tls = {"ca_file": "ca"}
    kafka = Kafka(
        bootstrap_servers="a:1",
        security_protocol="SASL_SSL",
        tls=tls,
        sasl={"mechanism": "PLAIN", "username": "u", "password": "p"},
    )
    assert set(connection_options(kafka)) <= set(client.DEFAULT_CONFIG)
