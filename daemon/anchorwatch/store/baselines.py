"""Baselines: immutable, found by the address of their content, by a name, or by where they came from."""

from __future__ import annotations

from dataclasses import fields
from hashlib import sha256
from operator import index
from typing import TYPE_CHECKING

from anchorwatch.errors import StoreError, UsageError
from anchorwatch.store.faults import damaged
from anchorwatch.store.rows import BaselineEntry, BaselineRow, Promotion

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable, Mapping
    from pathlib import Path

_COLUMNS = tuple(f.name for f in fields(BaselineRow))
_QUOTED = ", ".join(f'"{name}"' for name in _COLUMNS)
_LISTED = ", ".join(f'"{f.name}"' for f in fields(BaselineEntry)[:-1])
SHORTEST = 8
"""Characters of an id that are enough to name a baseline."""


def add(connection: sqlite3.Connection, path: Path, rows: Iterable[BaselineRow]) -> None:
    """Add baselines; one that is there already stays as it is.

    Raises
    ------
    StoreError
        Where the id is there with another document: a baseline never changes.
    """
    for row in rows:
        there = connection.execute("SELECT document FROM baselines WHERE id = ?", (row.id,)).fetchone()
        if there is None:
            _insert(connection, row)
        elif there[0].encode() != row.document:
            raise StoreError(
                f"baseline {row.id} of model {row.model!r} is in the store {path} with another content; baselines "
                "never change. Nothing was written. The file that was given has been edited or cut: export it anew."
            )


def _insert(connection: sqlite3.Connection, row: BaselineRow) -> None:
    connection.execute(
        'INSERT INTO baselines (id, model, version, created, rows, start, "end", fingerprint, code, configuration,'
        " size, digest, document) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            row.id, row.model, row.version, index(row.created), index(row.rows),
            None if row.start is None else index(row.start),
            None if row.end is None else index(row.end),
            row.fingerprint, row.code, row.configuration,
            len(row.document), sha256(row.document).digest(), row.document.decode(),
        ),
    )  # fmt: skip


def find(connection: sqlite3.Connection, path: Path, reference: str, model: str | None) -> BaselineRow | None:
    """Return the baseline of that id, beginning of an id, or name; None where there is none.

    A whole id goes before a name, a name before the beginning of an id. Raises UsageError where it fits several.
    """
    begun = _begun(connection, reference, model)
    whole = {ident: of for ident, of in begun.items() if ident == reference}
    ids = whole or _named(connection, reference, model) or begun
    if not ids:
        return None
    if len(ids) > 1:
        listed = "; ".join(f"{ident[:12]} of model {of!r}" for ident, of in sorted(ids.items()))
        raise UsageError(f"{reference!r} names several baselines ({listed}): give the model, or more of the id")
    return _load(connection, path, next(iter(ids)))


def _named(connection: sqlite3.Connection, name: str, model: str | None) -> dict[str, str]:
    rows = connection.execute(
        "SELECT id, model FROM promotions AS p WHERE name = ? AND (?2 IS NULL OR model = ?2)"
        " AND seq = (SELECT max(seq) FROM promotions WHERE model = p.model AND name = p.name)",
        (name, model),
    )
    return dict(rows.fetchall())


def _begun(connection: sqlite3.Connection, reference: str, model: str | None) -> dict[str, str]:
    rows = connection.execute(
        "SELECT id, model FROM baselines WHERE (id = ?1 OR (length(?1) >= ?3 AND substr(id, 1, length(?1)) = ?1))"
        " AND (?2 IS NULL OR model = ?2)",
        (reference, model, SHORTEST),
    )
    return dict(rows.fetchall())


def _load(connection: sqlite3.Connection, path: Path, ident: str) -> BaselineRow:
    row = connection.execute(f"SELECT digest, {_QUOTED} FROM baselines WHERE id = ?", (ident,)).fetchone()  # noqa: S608 - fields of rows.py
    if row is None:
        raise damaged(path, f"baseline {ident} has a name but is not there")
    digest, values = row[0], dict(zip(_COLUMNS, row[1:], strict=True))
    values["document"] = values["document"].encode()
    if sha256(values["document"]).digest() != digest:
        raise damaged(path, f"baseline {ident} is not what was written")
    return BaselineRow(**values)


def listing(connection: sqlite3.Connection, equal: Mapping[str, str | None]) -> list[BaselineEntry]:
    """Return the baselines whose columns have these values (None: any), newest first."""
    clauses = {name: value for name, value in equal.items() if value is not None}
    where = " AND ".join(f"{name} = ?" for name in clauses) or "true"
    sql = f"SELECT {_LISTED} FROM baselines WHERE {where} ORDER BY created DESC, id"  # noqa: S608 - fields of rows.py, values are bound
    names: dict[str, list[str]] = {}
    for given in reversed(promotions(connection, current=True)):
        names.setdefault(given.id, []).append(given.name)
    rows = connection.execute(sql, tuple(clauses.values())).fetchall()
    return [BaselineEntry(*(*row, tuple(names.get(row[0], ())))) for row in rows]


def promote(connection: sqlite3.Connection, name: str, ident: str, at: int) -> None:
    """Give `name`, within the baseline's model, to the baseline `ident`; nothing happens where it has it.

    Raises
    ------
    UsageError
        Where there is no such baseline, or the name is empty or has space around it.
    """
    if not name or name != name.strip():
        raise UsageError(f"{name!r} is no name for a baseline: it needs at least one character and no space around it")
    found = connection.execute("SELECT model FROM baselines WHERE id = ?", (ident,)).fetchone()
    if found is None:
        raise UsageError(
            f"there is no baseline {ident!r} to give the name {name!r}: `baseline list` shows those there are"
        )
    if ident not in _named(connection, name, found[0]):
        connection.execute(
            "INSERT INTO promotions (model, name, id, at) VALUES (?, ?, ?, ?)", (found[0], name, ident, index(at))
        )


def promotions(connection: sqlite3.Connection, *, current: bool) -> list[Promotion]:
    """Return every promotion, or only those in force, newest first."""
    rows = connection.execute(
        "SELECT model, name, id, at FROM promotions AS p WHERE NOT ?"
        " OR seq = (SELECT max(seq) FROM promotions WHERE model = p.model AND name = p.name) ORDER BY seq DESC",
        (current,),
    )
    return [Promotion(*row) for row in rows]
