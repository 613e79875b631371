"""What was measured, alerted and triggered: each row once, read back with filters, newest first."""

from __future__ import annotations

import math
from dataclasses import fields
from hashlib import blake2b
from operator import index
from typing import TYPE_CHECKING, Any

from anchorwatch.store.rows import AlertRow, ScoreRow, TriggerRow

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping, Sequence

_SCORE = ScoreRow.__struct_fields__
_ALERT = tuple(f.name for f in fields(AlertRow))
_TRIGGER = tuple(f.name for f in fields(TriggerRow))
_TIMES = {"since": "at >= ?", "until": "at < ?"}


def add_scores(connection: sqlite3.Connection, rows: Sequence[ScoreRow], stored: int) -> None:
    """Add scores; one that is there in every field is the same one."""
    values = [_score(row) for row in rows]
    keyed = ((blake2b(repr(v).encode(), digest_size=16).digest(), stored, *v) for v in values)
    connection.executemany(_insert("scores", ("id", "stored", *_SCORE), "at, id"), keyed)


def add_alerts(connection: sqlite3.Connection, rows: Sequence[AlertRow], stored: int) -> None:
    """Add transitions of alerts; an id that is there is the same transition."""
    connection.executemany(
        _insert("alerts", ("stored", *_ALERT), "id"),
        (
            (
                stored,
                *(str(getattr(row, name)) for name in _ALERT[:11]),
                index(row.at),
                index(row.starts_at),
                _optional(row.ends_at),
                _optional(row.incident),
                row.document.decode(),
            )
            for row in rows
        ),
    )


def add_triggers(connection: sqlite3.Connection, rows: Sequence[TriggerRow], stored: int) -> None:
    """Add triggers; an id that is there is the same trigger."""
    connection.executemany(
        _insert("triggers", ("stored", *_TRIGGER), "id"),
        (
            (stored, r.id, r.model, r.policy, index(r.incident), index(r.at), r.reason, r.document.decode())
            for r in rows
        ),
    )


def scores(connection: sqlite3.Connection, where: Mapping[str, object], limit: int) -> list[ScoreRow]:
    """Return scores, newest first."""
    rows = _select(connection, "scores", _SCORE, where, limit)
    return [ScoreRow(*row[:9], *map(_number, row[9:12]), *row[12:16], *map(_number, row[16:])) for row in rows]


def alerts(connection: sqlite3.Connection, where: Mapping[str, object], limit: int) -> list[AlertRow]:
    """Return transitions of alerts, newest first."""
    return [_alert(row) for row in _select(connection, "alerts", _ALERT, where, limit)]


def current_alerts(connection: sqlite3.Connection, where: Mapping[str, object]) -> list[AlertRow]:
    """Return the last transition of every alert, newest first."""
    last = "(SELECT * FROM alerts AS a WHERE seq = (SELECT max(seq) FROM alerts WHERE fingerprint = a.fingerprint))"
    return [_alert(row) for row in _select(connection, last, _ALERT, where, -1)]


def triggers(connection: sqlite3.Connection, where: Mapping[str, object], limit: int) -> list[TriggerRow]:
    """Return triggers, newest first."""
    rows = _select(connection, "triggers", _TRIGGER, where, limit)
    return [TriggerRow(*(*row[:-1], row[-1].encode())) for row in rows]


def _score(row: ScoreRow) -> tuple[object, ...]:
    return (
        *(str(getattr(row, name)) for name in _SCORE[:6]),
        index(row.at),
        str(row.level),
        str(row.reason),
        float(row.statistic),
        float(row.threshold),
        float(row.effect),
        str(row.direction),
        index(row.n),
        _optional(row.since),
        str(row.baseline),
        float(row.low),
        float(row.high),
        float(row.coverage),
    )


def _optional(value: int | None) -> int | None:
    return None if value is None else index(value)


def _number(value: float | None) -> float:
    return math.nan if value is None else value


def _alert(row: tuple[Any, ...]) -> AlertRow:
    return AlertRow(*(*row[:-1], row[-1].encode()))


def _insert(table: str, columns: Sequence[str], key: str) -> str:
    marks = ", ".join("?" * len(columns))
    names = ", ".join(columns)
    return f"INSERT INTO {table} ({names}) VALUES ({marks}) ON CONFLICT ({key}) DO NOTHING"  # noqa: S608 - fields of rows.py, no input


def _select(
    connection: sqlite3.Connection, table: str, columns: Sequence[str], where: Mapping[str, object], limit: int
) -> list[tuple[Any, ...]]:
    clauses = {_clause(name, columns): value for name, value in where.items() if value is not None}
    condition = " AND ".join(clauses) or "true"
    sql = f"SELECT {', '.join(columns)} FROM {table} WHERE {condition} ORDER BY at DESC, seq DESC LIMIT ?"  # noqa: S608 - fields of rows.py, values are bound
    return connection.execute(sql, (*clauses.values(), limit)).fetchall()


def _clause(name: str, columns: Sequence[str]) -> str:
    if name in _TIMES:
        return _TIMES[name]
    if name not in columns:
        raise TypeError(f"there is no filter {name!r}: those there are: {', '.join((*columns, *_TIMES))}")
    return f"{name} = ?"
