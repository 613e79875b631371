"""Asking whether a broker lets us in, and whether the topics we write to are there or could be made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kafka import KafkaAdminClient
from kafka.errors import for_code

from anchorwatch.errors import ConnectionFailed
from anchorwatch.transport.kafka_connection import Connection, translated

if TYPE_CHECKING:
    from collections.abc import Collection

    from anchorwatch.settings.models import Kafka


def require_answer(kafka: Kafka) -> None:
    """Return when a broker has let us in; raises `ConnectionFailed` where none answers or it refuses us."""
    Connection(KafkaAdminClient, kafka).client.close()


def missing_topics(kafka: Kafka, topics: Collection[str]) -> list[str]:
    """Return the topics that are not there but that the broker would let us create, sorted.

    Parameters
    ----------
    kafka
        Where and as whom to connect.
    topics
        Topics we want to write to.

    Raises
    ------
    ConnectionFailed
        No broker answers, it refuses us, or it would not let us create what is missing.
    """
    where = f"Kafka at {kafka.bootstrap_servers}"
    admin = Connection(KafkaAdminClient, kafka).client
    try:
        with translated(f"{where}: looking for the topics {', '.join(sorted(topics))}"):
            described = admin.describe_topics(sorted(topics))
        missing = sorted(set(topics) - {topic["name"] for topic in described if not topic["error_code"]})
        if missing:
            with translated(f"{where}: asking whether {', '.join(missing)} could be created"):
                answer = admin.create_topics(missing, validate_only=True, raise_errors=False)
            refused = [
                f"{topic['name']} ({for_code(topic['error_code']).__name__})"
                for topic in answer["topics"]
                if topic["error_code"]
            ]
            if refused:
                raise ConnectionFailed(
                    f"{where} has no topic {', '.join(refused)} and would not let us create it, so the daemon could "
                    "not start. Create it, or give our user the right to create topics"
                )
        return missing
    finally:
        admin.close()
