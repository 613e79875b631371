"""What was told of incidents: each telling once, read back newest first."""

from __future__ import annotations

from dataclasses import fields
from operator import index
from typing import TYPE_CHECKING, Any

from anchorwatch.store.rows import IncidentRow

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

_COLUMNS = ", ".join(f.name for f in fields(IncidentRow))
_INSERT = (
    f"INSERT INTO incidents (stored, {_COLUMNS}) VALUES ({', '.join('?' * (1 + len(fields(IncidentRow))))}) "  # noqa: S608 - fields of rows.py, no input
    "ON CONFLICT (id) DO NOTHING"
)
_LAST = "seq = (SELECT max(seq) FROM incidents WHERE model = i.model AND incident = i.incident)"


def add(connection: sqlite3.Connection, rows: Sequence[IncidentRow], stored: int) -> None:
    """Add tellings; an id that is there is the same telling."""
    connection.executemany(
        _INSERT,
        (
            (
                stored,
                r.id,
                r.model,
                index(r.incident),
                r.version,
                index(r.notice),
                r.severity,
                str(r.status),
                str(r.reason),
                index(r.at),
                index(r.opened_at),
                None if r.ended_at is None else index(r.ended_at),
                r.document.decode(),
            )
            for r in rows
        ),
    )


def told(connection: sqlite3.Connection, model: str | None, incident: int | None, limit: int) -> list[IncidentRow]:
    """Return tellings of incidents, newest first."""
    sql = (
        f"SELECT {_COLUMNS} FROM incidents WHERE (?1 IS NULL OR model = ?1) AND (?2 IS NULL OR incident = ?2) "  # noqa: S608 - fields of rows.py, values are bound
        "ORDER BY at DESC, seq DESC LIMIT ?3"
    )
    return [_row(row) for row in connection.execute(sql, (model, incident, limit))]


def unresolved(connection: sqlite3.Connection, model: str | None) -> list[IncidentRow]:
    """Return the last telling of each incident that is open, newest first."""
    sql = (
        f"SELECT {_COLUMNS} FROM incidents AS i WHERE {_LAST} AND status != 'resolved' "  # noqa: S608 - fields of rows.py, values are bound
        "AND (?1 IS NULL OR model = ?1) ORDER BY at DESC, seq DESC"
    )
    return [_row(row) for row in connection.execute(sql, (model,))]


def _row(row: tuple[Any, ...]) -> IncidentRow:
    return IncidentRow(*(*row[:-1], row[-1].encode()))
