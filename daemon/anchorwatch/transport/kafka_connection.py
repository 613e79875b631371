"""Connecting to Kafka: settings become the client's options, and whatever fails becomes one clear error."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from kafka.errors import (
    AuthorizationError,
    KafkaConfigurationError,
    KafkaError,
    KafkaTimeoutError,
    RequestTimedOutError,
    SaslAuthenticationFailedError,
    UnsupportedSaslMechanismError,
)
from kafka.net.compat import KafkaNetClient
from kafka.net.sasl.oauth import AbstractTokenProvider

from anchorwatch.errors import ConfigurationError, ConnectionFailed

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator

    from anchorwatch.settings.kafka import Kafka, Sasl

START_SECONDS = 10.0
"""How long a client tries to find a broker before it gives up."""
REQUEST_SECONDS = 10.0
"""How long an answer may take."""


class _Token(AbstractTokenProvider):  # type: ignore[misc]  # the library has no types
    """The bearer token of the configuration."""

    def __init__(self, token: str) -> None:
        super().__init__()
        self._token = token

    def token(self) -> str:
        """Return the token."""
        return self._token


def connection_options(kafka: Kafka) -> dict[str, Any]:
    """Return the options that every client of kafka-python needs to connect as the settings say."""
    options: dict[str, Any] = {
        "bootstrap_servers": [server.strip() for server in kafka.bootstrap_servers.split(",")],
        "client_id": kafka.client_id,
        "security_protocol": kafka.security_protocol,
        "request_timeout_ms": round(REQUEST_SECONDS * 1000),
        "reconnect_backoff_max_ms": 2_000,
    }
    if kafka.security_protocol in {"SSL", "SASL_SSL"}:
        options |= {
            "ssl_check_hostname": kafka.tls.check_hostname,
            "ssl_cafile": kafka.tls.ca_file,
            "ssl_certfile": kafka.tls.certificate_file,
            "ssl_keyfile": kafka.tls.key_file,
            "ssl_password": kafka.tls.key_password,
        }
    if kafka.sasl is not None:
        options |= _sasl_options(kafka.sasl)
    return options


def _sasl_options(sasl: Sasl) -> dict[str, Any]:
    if sasl.mechanism == "OAUTHBEARER":
        return {"sasl_mechanism": sasl.mechanism, "sasl_oauth_token_provider": _Token(sasl.token or "")}
    return {
        "sasl_mechanism": sasl.mechanism,
        "sasl_plain_username": sasl.username,
        "sasl_plain_password": sasl.password,
    }


class _Heard(logging.Handler):
    """Listens to what kafka-python logs while it connects: the reason of a failure stands nowhere else."""

    def __init__(self) -> None:
        super().__init__()
        self.reason: Exception | None = None
        self.refused: Exception | None = None

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the errors among a log line's arguments; that time ran out is the end of all of them, not the reason."""
        arguments = record.args if isinstance(record.args, tuple) else ()
        # A broker that knows us not just hangs up, after it has told its version and while we say who we are.
        spoken = any(getattr(argument, "broker_version_data", None) is not None for argument in arguments)
        for error in arguments:
            if isinstance(error, Exception) and not isinstance(error, (KafkaTimeoutError, RequestTimedOutError)):
                self.reason = error
                if spoken or isinstance(error, (SaslAuthenticationFailedError, UnsupportedSaslMechanismError)):
                    self.refused = error


class Connection:
    """One client of kafka-python and the network client under it.

    Topics are never created by asking for them: kafka-python ignores its own option for that.

    Parameters
    ----------
    make
        `KafkaConsumer`, `KafkaProducer` or `KafkaAdminClient`.
    kafka
        Where and as whom to connect.
    patience
        Seconds within which a broker must answer.
    options
        Further options of the client.

    Raises
    ------
    ConnectionFailed
        No broker answers in time, or it refuses us.
    ConfigurationError
        The options contradict each other.
    """

    def __init__(self, make: Callable[..., Any], kafka: Kafka, patience: float = START_SECONDS, **options: Any) -> None:
        self._net: Any = None
        self._where = f"Kafka at {kafka.bootstrap_servers}"
        heard = _Heard()
        logger = logging.getLogger("kafka.net")
        logger.addHandler(heard)
        try:
            own = {"bootstrap_timeout_ms": round(patience * 1000), "kafka_client": self._make_net}
            self.client = make(**{**connection_options(kafka), **own, **options})
        except KafkaConfigurationError as error:
            self._close_net()
            raise ConfigurationError(f"kafka: {error}") from error
        except (KafkaError, OSError) as error:
            self._close_net()
            raise ConnectionFailed(_why(kafka, heard, error)) from error
        finally:
            logger.removeHandler(heard)

    def require_topics(self, topics: Collection[str]) -> None:
        """Close a consumer and raise `ConnectionFailed` where a topic is missing."""
        with translated(f"{self._where}: listing topics"):
            there = self.client.topics()
        missing = [topic for topic in topics if topic not in there]
        if missing:
            self.client.close()
            raise ConnectionFailed(
                f"{self._where} has no topic {', '.join(missing)}, or does not show it to our user. Create it, correct "
                "its name in the configuration, or give our user the right to describe and read it"
            )

    def _make_net(self, **options: Any) -> KafkaNetClient:
        self._net = KafkaNetClient(**options)
        self._net.cluster.config["allow_auto_create_topics"] = False
        return self._net

    def _close_net(self) -> None:
        if self._net is not None:
            self._net.close()

    def follow(self, topics: Collection[str]) -> None:
        """Keep what is known of these topics up to date."""
        self._net.cluster.set_topics(list(topics))

    def known_partitions(self, topic: str) -> set[int]:
        """Return the partitions of a topic as they were last heard of, without asking."""
        return self._net.cluster.partitions_for_topic(topic) or set()

    def topic_id(self, topic: str) -> str:
        """Return the id of a topic, which changes when it is deleted and created again; empty where it is not known."""
        return str(self._net.cluster.topic_id(topic) or "")


def _why(kafka: Kafka, heard: _Heard, error: Exception) -> str:
    where = f"Kafka at {kafka.bootstrap_servers}"
    if heard.refused is not None and kafka.sasl is not None:
        return (
            f"{where} refuses us: authentication failed ({_named(heard.refused)}). "
            f"Check kafka.security_protocol ({kafka.security_protocol}) and kafka.sasl: mechanism, username, password"
        )
    return (
        f"{where} does not answer: {_named(heard.reason or error)}. Nothing was read or written. "
        "Check kafka.bootstrap_servers, that the broker is up, and kafka.security_protocol "
        f"({kafka.security_protocol}), which must be that of the broker's listener"
    )


def _named(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Turn what kafka-python raises inside into `ConnectionFailed`; `doing` says what was attempted, and where."""
    try:
        yield
    except AuthorizationError as error:
        raise ConnectionFailed(
            f"{doing}: not authorised ({_named(error)}). Give our user this right on the broker (an ACL)"
        ) from error
    except (KafkaError, OSError) as error:
        raise ConnectionFailed(f"{doing}: {_named(error)}. It is tried again as long as we run") from error
