"""Writing to Kafka: a message counts as written when the broker has acknowledged it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kafka import KafkaAdminClient, KafkaProducer
from kafka.errors import KafkaError, for_code

from anchorwatch.errors import ConnectionFailed
from anchorwatch.transport.kafka_connection import Connection, translated

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from anchorwatch.clock import Clock
    from anchorwatch.events.records import Outgoing
    from anchorwatch.settings.kafka import Kafka

DEADLINE_SECONDS = 30.0
"""How long the messages of one call may take to be acknowledged."""
LARGEST = 1 << 20
"""Bytes of the largest message that Kafka takes unless it was told otherwise."""


class KafkaSink:
    """Writes messages with one idempotent producer that waits for all replicas in sync.

    A failed call leaves nothing behind: the producer is made anew, and whoever called sends all of it again, under the
    same ids. Close it; a producer that is collected as garbage silences the log of all others.

    Parameters
    ----------
    kafka
        Where and as whom to connect.
    clock
        Measures the deadline.
    deadline
        Seconds within which the messages of one call must be acknowledged.

    Raises
    ------
    ConnectionFailed
        No broker answers, or it refuses us.
    """

    def __init__(self, kafka: Kafka, clock: Clock, deadline: float = DEADLINE_SECONDS) -> None:
        self._kafka = kafka
        self._clock = clock
        self._deadline = deadline
        self._where = f"Kafka at {kafka.bootstrap_servers}"
        self._producer: Any = self._connect()

    def _connect(self) -> Any:
        return Connection(
            KafkaProducer,
            self._kafka,
            acks="all",
            enable_idempotence=True,
            request_timeout_ms=round(self._deadline * 1000 / 3),
            delivery_timeout_ms=round(self._deadline * 1000),
            max_block_ms=round(self._deadline * 1000 / 3),
            max_request_size=LARGEST,
        ).client

    def ensure_topics(self, topics: Collection[str]) -> list[str]:
        """Create the topics that are missing, with the broker's defaults, and return their names.

        Raises
        ------
        ConnectionFailed
            A topic is missing and may not be created.
        """
        admin = Connection(KafkaAdminClient, self._kafka).client
        try:
            with translated(f"{self._where}: looking for the topics {', '.join(topics)}"):
                there = {topic["name"] for topic in admin.describe_topics(sorted(topics)) if not topic["error_code"]}
            missing = sorted(set(topics) - there)
            if missing:
                doing = f"{self._where}: creating {', '.join(missing)} (or create them yourself before the start)"
                with translated(doing):
                    answer = admin.create_topics(missing, raise_errors=False)
                    admin.wait_for_topics(_made(answer))
            return missing
        finally:
            admin.close()

    def send(self, messages: Sequence[Outgoing]) -> None:
        """Write all messages and return when every one is acknowledged.

        Raises
        ------
        ConnectionFailed
            Not all were acknowledged in time; some may have been written all the same.
        """
        if self._producer is None:
            self._producer = self._connect()
        end = self._clock.monotonic() + self._deadline
        try:
            futures = [(message, self._start(message)) for message in messages]
            for message, future in futures:
                with translated(self._describe(message)):
                    future.get(timeout=max(0.0, end - self._clock.monotonic()))
        except ConnectionFailed:
            self.close()
            raise

    def _start(self, message: Outgoing) -> Any:
        with translated(self._describe(message)):
            headers = [*message.headers]
            return self._producer.send(message.topic, message.value, key=message.key, headers=headers)

    def _describe(self, message: Outgoing) -> str:
        return f"{self._where}: writing {message.id} ({len(message.value)} bytes) to topic {message.topic}"

    def close(self) -> None:
        """Give up what was not acknowledged and close the connection; may be called twice."""
        producer, self._producer = self._producer, None
        if producer is not None:
            _abandon(producer)


def _made(answer: Any) -> list[str]:
    """Return the names of created topics; one that somebody else created meanwhile counts too."""
    for topic in answer["topics"]:
        error = for_code(topic["error_code"])
        if topic["error_code"] and error.__name__ != "TopicAlreadyExistsError":
            raise error(f"{topic['name']}: {topic.get('error_message') or ''}")
    return [topic["name"] for topic in answer["topics"]]


def _abandon(producer: Any) -> None:
    try:
        producer.close(timeout=0)
    except KafkaError:
        return  # it flushes first, and what it cannot flush is sent again under the same id by whoever called us
