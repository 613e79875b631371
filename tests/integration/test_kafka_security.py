"""Encrypted and authenticated connections to a real broker."""

import base64
import json
import time

import pytest
from tests.integration.broker import PASSWORD, USER

from anchorwatch.clock import SystemClock
from anchorwatch.errors import ConnectionFailed
from anchorwatch.events.records import Outgoing
from anchorwatch.settings.kafka import Kafka
from anchorwatch.transport.kafka import KafkaSource
from anchorwatch.transport.kafka_sink import KafkaSink

PASSWORDS = ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]


def secured(broker, mechanism, **credentials):
    return Kafka(
        bootstrap_servers=broker.sasl_servers,
        security_protocol="SASL_PLAINTEXT",
        sasl={"mechanism": mechanism, **credentials},
    )


def round_trip(settings, topic):
    """Write one message and read it back."""
    sink = KafkaSink(settings, SystemClock())
    sink.ensure_topics([topic])
    sink.send([Outgoing(id="1", topic=topic, key=None, value=b"secret")])
    sink.close()
    source, values, end = KafkaSource(settings, [topic], SystemClock(), "s"), [], time.monotonic() + 15
    while not values and time.monotonic() < end:
        values = [v for r in source.poll(10, 0.5) for v in r.values]
    source.close()
    return values


def unsigned_token(subject):
    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    now = int(time.time())
    return f"{part({'alg': 'none'})}.{part({'sub': subject, 'iat': now, 'exp': now + 600})}."


@pytest.mark.parametrize("mechanism", PASSWORDS)
def test_a_user_with_a_password_reads_and_writes(mechanism, started_broker, prefix):
    settings = secured(started_broker, mechanism, username=USER, password=PASSWORD)
    assert round_trip(settings, prefix) == [b"secret"]


def test_a_user_with_a_token_reads_and_writes(started_broker, prefix):
    settings = secured(started_broker, "OAUTHBEARER", token=unsigned_token(USER))
    assert round_trip(settings, prefix) == [b"secret"]


@pytest.mark.parametrize("mechanism", PASSWORDS)
def test_a_wrong_password_is_called_that(mechanism, started_broker):
    settings = secured(started_broker, mechanism, username=USER, password=PASSWORD[::-1])
    with pytest.raises(ConnectionFailed, match=r"authentication failed.*kafka\.sasl") as failed:
        KafkaSource(settings, ["t"], SystemClock(), patience=1.0)
    assert PASSWORD[::-1] not in str(failed.value), "the password is not shown"


def test_an_encrypted_connection_reads_and_writes(started_broker, prefix):
    settings = Kafka(
        bootstrap_servers=started_broker.tls_servers,
        security_protocol="SSL",
        tls={"ca_file": str(started_broker.ca_file)},
    )
    assert round_trip(settings, prefix) == [b"secret"]


def test_a_broker_whose_certificate_is_not_trusted_is_not_talked_to(started_broker):
    settings = Kafka(bootstrap_servers=started_broker.tls_servers, security_protocol="SSL")
    with pytest.raises(ConnectionFailed, match=r"(?i)certificate"):
        KafkaSource(settings, ["t"], SystemClock(), patience=1.0)


def test_the_wrong_protocol_is_among_the_causes_that_are_named(started_broker):
    settings = Kafka(bootstrap_servers=started_broker.tls_servers)
    with pytest.raises(ConnectionFailed, match=r"security_protocol.*must be that of the broker's listener"):
        KafkaSource(settings, ["t"], SystemClock(), patience=1.0)
