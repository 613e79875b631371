"""How long topics keep their records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from kafka import KafkaAdminClient
from kafka.admin import ConfigResource, ConfigResourceType

from anchorwatch.transport.kafka_connection import Connection, translated

if TYPE_CHECKING:
    from collections.abc import Collection

    from anchorwatch.settings.models import Kafka

_RETENTION: Final = "retention.ms"


def retentions(kafka: Kafka, topics: Collection[str]) -> dict[str, int]:
    """Return how long topics keep their records, ns; those that keep them for ever are left out.

    A topic that is only compacted counts as one that keeps them for as long as `retention.ms` says.

    Parameters
    ----------
    kafka
        Where and as whom to connect.
    topics
        Topics that are there.

    Raises
    ------
    ConnectionFailed
        No broker answers, or it does not let us see how topics are configured.
    """
    admin = Connection(KafkaAdminClient, kafka).client
    wanted = [ConfigResource(ConfigResourceType.TOPIC, topic, {_RETENTION: None}) for topic in sorted(topics)]
    try:
        with translated(
            f"Kafka at {kafka.bootstrap_servers}: looking how long {', '.join(sorted(topics))} keep records"
        ):
            described = admin.describe_configs(wanted, config_filter="all")
    finally:
        admin.close()
    kept = {
        topic: int(found[_RETENTION]["value"]) for topic, found in described["topic"].items() if _RETENTION in found
    }
    return {topic: ms * 10**6 for topic, ms in kept.items() if ms >= 0}
