"""Messages that are decided but perhaps not yet published, in order, each id once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from anchorwatch.events.records import Headers, Outgoing

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence


def add(connection: sqlite3.Connection, messages: Sequence[Outgoing]) -> None:
    """Append messages whose id was never seen, neither waiting nor published."""
    connection.executemany(
        "INSERT INTO outbox (id, topic, key, value, headers) SELECT ?1, ?2, ?3, ?4, ?5"
        " WHERE NOT EXISTS (SELECT 1 FROM published WHERE id = ?1) ON CONFLICT (id) DO NOTHING",
        ((m.id, m.topic, m.key, m.value, msgspec.json.encode(m.headers).decode()) for m in messages),
    )


def waiting(connection: sqlite3.Connection, limit: int) -> list[Outgoing]:
    """Return the first messages in the order they were added."""
    rows = connection.execute("SELECT id, topic, key, value, headers FROM outbox ORDER BY seq LIMIT ?", (limit,))
    return [
        Outgoing(ident, topic, key, value, msgspec.json.decode(headers, type=Headers))
        for ident, topic, key, value, headers in rows
    ]


def settle(connection: sqlite3.Connection, ids: Sequence[str], at: int) -> None:
    """Take published messages out and remember their ids; ids that are not waiting are passed over."""
    connection.executemany(
        "INSERT INTO published (id, at) SELECT id, ?2 FROM outbox WHERE id = ?1 ON CONFLICT (id) DO NOTHING",
        ((ident, at) for ident in ids),
    )
    connection.executemany("DELETE FROM outbox WHERE id = ?", ((ident,) for ident in ids))


def size(connection: sqlite3.Connection) -> int:
    """Return how many messages wait."""
    (count,) = connection.execute("SELECT count(*) FROM outbox").fetchone()
    return int(count)
