"""The tables of the store and how one version becomes the next.

A migration and the record that it ran commit together; `PRAGMA user_version` counts them, so that a reader can tell
which version a file has without loading any of this. A migration that was released is never edited: a change is a new
one at the end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlite_utils import Database
from sqlite_utils.migrations import Migrations

if TYPE_CHECKING:
    import sqlite3

MIGRATIONS = Migrations("anchorwatch")


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the tables to the newest version; nothing happens where they are already."""
    MIGRATIONS.apply(Database(connection, recursive_triggers=False, execute_plugins=False))


@MIGRATIONS()
def m001_first(db: Database) -> None:
    """Make everything."""
    for statement in _FIRST:
        db.execute(statement)
    db.execute("PRAGMA application_id = 0x616e6377")
    db.execute("PRAGMA user_version = 1")


@MIGRATIONS()
def m002_incidents(db: Database) -> None:
    """Keep what was told of incidents."""
    for statement in _INCIDENTS:
        db.execute(statement)
    db.execute("PRAGMA user_version = 2")


@MIGRATIONS()
def m003_intervals(db: Database) -> None:
    """Keep the interval of a score, and how many of its predictions were labelled."""
    for column in ("low", "high", "coverage"):
        db.execute(f"ALTER TABLE scores ADD COLUMN {column} REAL")
    db.execute("PRAGMA user_version = 3")


@MIGRATIONS()
def m004_orders(db: Database) -> None:
    """Make the list of people's orders; AUTOINCREMENT, so that no number is ever given twice."""
    db.execute(_ORDERS)
    db.execute("PRAGMA user_version = 4")


@MIGRATIONS()
def m005_stages(db: Database) -> None:
    """Keep how far retrainings came."""
    for statement in _STAGES:
        db.execute(statement)
    db.execute("PRAGMA user_version = 5")


_ORDERS = """
    CREATE TABLE orders (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        model TEXT NOT NULL,
        at INTEGER NOT NULL CHECK (typeof(at) = 'integer'),
        document TEXT NOT NULL
    )
    """


# numpy's integers would be kept as blobs without a word: the checks refuse them
_FIRST = (
    """
    CREATE TABLE store (
        one INTEGER PRIMARY KEY CHECK (one = 1),
        id TEXT NOT NULL,
        created INTEGER NOT NULL,
        epoch INTEGER NOT NULL,
        holder TEXT NOT NULL,
        host TEXT NOT NULL,
        pid INTEGER NOT NULL,
        since INTEGER NOT NULL,
        number INTEGER NOT NULL,
        checkpoint INTEGER CHECK (typeof(checkpoint) IN ('integer', 'null')),
        heartbeat INTEGER CHECK (typeof(heartbeat) IN ('integer', 'null')),
        positions_digest BLOB NOT NULL
    )
    """,
    """
    CREATE TABLE positions (
        topic TEXT NOT NULL,
        number INTEGER NOT NULL CHECK (typeof(number) = 'integer'),
        offset INTEGER NOT NULL CHECK (typeof(offset) = 'integer'),
        PRIMARY KEY (topic, number)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE states (
        model TEXT PRIMARY KEY,
        parts INTEGER NOT NULL,
        size INTEGER NOT NULL,
        digest BLOB NOT NULL,
        at INTEGER NOT NULL
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE parts (
        model TEXT NOT NULL,
        part TEXT NOT NULL,
        size INTEGER NOT NULL,
        digest BLOB NOT NULL,
        content BLOB NOT NULL,
        PRIMARY KEY (model, part)
    )
    """,
    """
    CREATE TABLE outbox (
        seq INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        topic TEXT NOT NULL,
        key BLOB,
        value BLOB NOT NULL,
        headers TEXT NOT NULL
    )
    """,
    "CREATE TABLE published (seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, at INTEGER NOT NULL)",
    """
    CREATE TABLE baselines (
        id TEXT PRIMARY KEY,
        model TEXT NOT NULL,
        version TEXT NOT NULL,
        created INTEGER NOT NULL CHECK (typeof(created) = 'integer'),
        rows INTEGER NOT NULL CHECK (typeof(rows) = 'integer'),
        start INTEGER CHECK (typeof(start) IN ('integer', 'null')),
        "end" INTEGER CHECK (typeof("end") IN ('integer', 'null')),
        fingerprint TEXT NOT NULL,
        code TEXT NOT NULL,
        configuration TEXT NOT NULL,
        size INTEGER NOT NULL,
        digest BLOB NOT NULL,
        document TEXT NOT NULL
    )
    """,
    "CREATE INDEX baselines_of_model ON baselines (model, version, created)",
    """
    CREATE TABLE promotions (
        seq INTEGER PRIMARY KEY,
        model TEXT NOT NULL,
        name TEXT NOT NULL,
        id TEXT NOT NULL,
        at INTEGER NOT NULL CHECK (typeof(at) = 'integer')
    )
    """,
    "CREATE INDEX promotions_of_name ON promotions (model, name, seq)",
    """
    CREATE TABLE scores (
        seq INTEGER PRIMARY KEY,
        id BLOB NOT NULL,
        stored INTEGER NOT NULL,
        model TEXT NOT NULL,
        version TEXT NOT NULL,
        segment TEXT NOT NULL,
        kind TEXT NOT NULL,
        subject TEXT NOT NULL,
        monitor TEXT NOT NULL,
        at INTEGER NOT NULL,
        level TEXT NOT NULL,
        reason TEXT NOT NULL,
        statistic REAL,
        threshold REAL,
        effect REAL,
        direction TEXT NOT NULL,
        n INTEGER NOT NULL,
        since INTEGER,
        baseline TEXT NOT NULL
    )
    """,
    # the time comes first, so that new rows touch only the index's end
    "CREATE UNIQUE INDEX scores_once ON scores (at, id)",
    "CREATE INDEX scores_of_model ON scores (model, at)",
    """
    CREATE TABLE alerts (
        seq INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        stored INTEGER NOT NULL,
        fingerprint TEXT NOT NULL,
        model TEXT NOT NULL,
        version TEXT NOT NULL,
        segment TEXT NOT NULL,
        kind TEXT NOT NULL,
        subject TEXT NOT NULL,
        monitor TEXT NOT NULL,
        severity TEXT NOT NULL,
        status TEXT NOT NULL,
        reason TEXT NOT NULL,
        at INTEGER NOT NULL,
        starts_at INTEGER NOT NULL,
        ends_at INTEGER,
        incident INTEGER,
        document TEXT NOT NULL
    )
    """,
    "CREATE INDEX alerts_of_fingerprint ON alerts (fingerprint, seq)",
    "CREATE INDEX alerts_of_model ON alerts (model, at)",
    """
    CREATE TABLE triggers (
        seq INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        stored INTEGER NOT NULL,
        model TEXT NOT NULL,
        policy TEXT NOT NULL,
        incident INTEGER NOT NULL,
        at INTEGER NOT NULL,
        reason TEXT NOT NULL,
        document TEXT NOT NULL
    )
    """,
    "CREATE INDEX triggers_of_model ON triggers (model, at)",
)

_INCIDENTS = (
    """
    CREATE TABLE incidents (
        seq INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        stored INTEGER NOT NULL,
        model TEXT NOT NULL,
        incident INTEGER NOT NULL CHECK (typeof(incident) = 'integer'),
        version TEXT NOT NULL,
        notice INTEGER NOT NULL,
        severity TEXT NOT NULL,
        status TEXT NOT NULL,
        reason TEXT NOT NULL,
        at INTEGER NOT NULL,
        opened_at INTEGER NOT NULL,
        ended_at INTEGER,
        document TEXT NOT NULL
    )
    """,
    "CREATE INDEX incidents_of_model ON incidents (model, incident, seq)",
)

_STAGES = (
    """
    CREATE TABLE stages (
        seq INTEGER PRIMARY KEY,
        stored INTEGER NOT NULL,
        trigger_id TEXT NOT NULL,
        model TEXT NOT NULL,
        policy TEXT NOT NULL,
        incident INTEGER NOT NULL CHECK (typeof(incident) = 'integer'),
        status TEXT NOT NULL,
        at INTEGER NOT NULL CHECK (typeof(at) = 'integer'),
        version TEXT NOT NULL,
        said_by TEXT NOT NULL
    )
    """,
    "CREATE UNIQUE INDEX stages_once ON stages (trigger_id, status)",
    "CREATE INDEX stages_of_model ON stages (model, at)",
)
