"""Whether the store holds what was written."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

from anchorwatch.errors import StoreError
from anchorwatch.store import state

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path


def problems(connection: sqlite3.Connection, path: Path) -> list[str]:
    """Return what is wrong, a sentence each: SQLite's own check, then the digest of everything that has one."""
    found = [f"SQLite: {line}" for (line,) in connection.execute("PRAGMA integrity_check") if line != "ok"]
    if found:
        return found  # what stands on damaged pages need not be read
    try:
        state.read_positions(connection, path)
    except StoreError as error:
        found.append(str(error))
    models = connection.execute("SELECT model FROM states UNION SELECT model FROM parts ORDER BY model").fetchall()
    for (model,) in models:
        try:
            state.read_parts(connection, path, model)
        except StoreError as error:
            found.append(str(error))
    for ident, digest, document in connection.execute("SELECT id, digest, document FROM baselines ORDER BY id"):
        if sha256(document.encode()).digest() != digest:
            found.append(f"baseline {ident} is not what was written")
    lost = connection.execute("SELECT DISTINCT name, id FROM promotions WHERE id NOT IN (SELECT id FROM baselines)")
    found.extend(f"baseline {ident}, named {name!r}, is not there" for name, ident in lost)
    return found
