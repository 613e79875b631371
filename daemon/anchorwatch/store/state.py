"""Positions and the parts of the models' states, each with a digest over all of it.

SQLite has no checksums of its own: a flipped bit in a state would go on counting wrongly for ever, and a part that
vanished would look like a fresh start. So every part has its digest, and every model one over the list of its parts.
"""

from __future__ import annotations

from hashlib import sha256
from operator import index
from typing import TYPE_CHECKING

from anchorwatch.events.records import Partition
from anchorwatch.store.faults import damaged
from anchorwatch.store.rows import StateSize

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping
    from pathlib import Path

NO_POSITIONS = sha256().digest()


def write_positions(connection: sqlite3.Connection, positions: Mapping[Partition, int]) -> None:
    """Set the positions that moved, and the digest over all."""
    connection.executemany(
        "INSERT INTO positions (topic, number, offset) VALUES (?, ?, ?)"
        " ON CONFLICT (topic, number) DO UPDATE SET offset = excluded.offset",
        ((partition.topic, index(partition.number), index(offset)) for partition, offset in positions.items()),
    )
    connection.execute("UPDATE store SET positions_digest = ?", (_positions_digest(_positions(connection)),))


def read_positions(connection: sqlite3.Connection, path: Path) -> dict[Partition, int]:
    """Return the next offset to read of each partition; raises StoreError where they are not what was written."""
    rows = _positions(connection)
    (digest,) = connection.execute("SELECT positions_digest FROM store").fetchone()
    if digest != _positions_digest(rows):
        raise damaged(path, "the positions are not those of the last checkpoint")
    return {Partition(topic, number): offset for topic, number, offset in rows}


def _positions(connection: sqlite3.Connection) -> list[tuple[str, int, int]]:
    return connection.execute("SELECT topic, number, offset FROM positions ORDER BY topic, number").fetchall()


def _positions_digest(rows: Iterable[tuple[str, int, int]]) -> bytes:
    return sha256("".join(f"{topic}\0{number}\0{offset}\n" for topic, number, offset in rows).encode()).digest()


def write_parts(connection: sqlite3.Connection, model: str, parts: Mapping[str, bytes | None], at: int) -> None:
    """Replace, add and (None) delete parts of one model's state; a model without parts is gone.

    What goes makes room first for what comes: a large part that is made of others takes their pages.
    """
    connection.executemany(
        "DELETE FROM parts WHERE model = ? AND part = ?",
        ((model, part) for part, content in parts.items() if content is None),
    )
    connection.executemany(
        "INSERT INTO parts (model, part, size, digest, content) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (model, part) DO UPDATE SET"
        " size = excluded.size, digest = excluded.digest, content = excluded.content",
        (
            (model, part, len(content), sha256(content).digest(), content)
            for part, content in parts.items()
            if content is not None
        ),
    )
    listed = _listed(connection, model)
    if not listed:
        connection.execute("DELETE FROM states WHERE model = ?", (model,))
        return
    connection.execute(
        "INSERT INTO states (model, parts, size, digest, at) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (model) DO UPDATE SET"
        " parts = excluded.parts, size = excluded.size, digest = excluded.digest, at = excluded.at",
        (model, len(listed), sum(size for _, size, _ in listed), _parts_digest(listed), at),
    )


def read_parts(connection: sqlite3.Connection, path: Path, model: str) -> dict[str, bytes]:
    """Return the state of a model by part, {} where there is none.

    Raises
    ------
    StoreError
        Where a part is missing, foreign, or not what was written.
    """
    rows = connection.execute(
        "SELECT part, size, digest, content FROM parts WHERE model = ? ORDER BY part", (model,)
    ).fetchall()
    kept = connection.execute("SELECT parts, digest FROM states WHERE model = ?", (model,)).fetchone() or (0, None)
    for part, _, digest, content in rows:
        if sha256(content).digest() != digest:
            raise damaged(path, f"part {part!r} of the state of model {model!r} is not what was written")
    listed = [(part, size, digest) for part, size, digest, _ in rows]
    if kept != (len(rows), _parts_digest(listed) if rows else None):
        raise damaged(path, f"the state of model {model!r} should have {kept[0]} parts and has {len(rows)} others")
    return {part: content for part, _, _, content in rows}


def read_part(connection: sqlite3.Connection, path: Path, model: str, part: str) -> bytes | None:
    """Return one part of a model's state, None where there is none; raises StoreError where it is damaged."""
    row = connection.execute("SELECT digest, content FROM parts WHERE model = ? AND part = ?", (model, part)).fetchone()
    if row is None:
        return None
    digest, content = row
    if sha256(content).digest() != digest:
        raise damaged(path, f"part {part!r} of the state of model {model!r} is not what was written")
    return bytes(content)


def forget(connection: sqlite3.Connection, model: str) -> None:
    """Delete a model's state without reading it."""
    connection.execute("DELETE FROM parts WHERE model = ?", (model,))
    connection.execute("DELETE FROM states WHERE model = ?", (model,))


def state_sizes(connection: sqlite3.Connection) -> list[StateSize]:
    """Return the sizes of all states, by model."""
    rows = connection.execute("SELECT model, parts, size, hex(digest), at FROM states ORDER BY model")
    return [StateSize(model, parts, size, digest.lower(), at) for model, parts, size, digest, at in rows]


def _listed(connection: sqlite3.Connection, model: str) -> list[tuple[str, int, bytes]]:
    return connection.execute("SELECT part, size, digest FROM parts WHERE model = ? ORDER BY part", (model,)).fetchall()


def _parts_digest(listed: Iterable[tuple[str, int, bytes]]) -> bytes:
    total = sha256()
    for part, size, digest in listed:
        total.update(f"{part}\0{size}\0".encode() + digest)
    return total.digest()
