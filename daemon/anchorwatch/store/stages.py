"""How far retrainings came: each stage once, read back newest first."""

from __future__ import annotations

from dataclasses import dataclass, fields
from operator import index
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence


@dataclass(frozen=True, slots=True)
class StageRow:
    """How far a retraining had come at an event time.

    Attributes
    ----------
    trigger, model, policy, incident
        The id of the trigger that asked for it, and whose it is.
    status
        `requested`, what was reported of it, `unanswered` or `serving`; each is kept once.
    at
        Event time at which that counted.
    version
        The model version that came of it; "" for none yet, or not said.
    by
        Who said so; "" where the report did not tell.
    """

    trigger: str
    model: str
    policy: str
    incident: int
    status: str
    at: int
    version: str
    by: str


_COLUMNS = "trigger_id, model, policy, incident, status, at, version, said_by"
"""The fields of `StageRow`, in their order: two of them are words of SQL."""
_INSERT = (
    f"INSERT INTO stages (stored, {_COLUMNS}) VALUES ({', '.join('?' * (1 + len(fields(StageRow))))}) "  # noqa: S608 - constants, no input
    "ON CONFLICT (trigger_id, status) DO NOTHING"
)


def add(connection: sqlite3.Connection, rows: Sequence[StageRow], stored: int) -> None:
    """Add stages; a status that a retraining has had is the same stage."""
    connection.executemany(
        _INSERT,
        (
            (
                stored,
                r.trigger,
                r.model,
                r.policy,
                index(r.incident),
                str(r.status),
                index(r.at),
                r.version,
                r.by,
            )
            for r in rows
        ),
    )


def passed(connection: sqlite3.Connection, model: str | None, trigger: str | None, limit: int) -> list[StageRow]:
    """Return stages, newest first."""
    sql = (
        f"SELECT {_COLUMNS} FROM stages WHERE (?1 IS NULL OR model = ?1) AND (?2 IS NULL OR trigger_id = ?2) "  # noqa: S608 - constants, values are bound
        "ORDER BY at DESC, seq DESC LIMIT ?3"
    )
    return [StageRow(*row) for row in connection.execute(sql, (model, trigger, limit))]
