"""Orders of people to a daemon: a list that any process may append to, and that nobody changes."""

from __future__ import annotations

from dataclasses import dataclass
from operator import index
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3


@dataclass(frozen=True, slots=True)
class OrderRow:
    """An order that somebody gave at a wall time, to one model or ("") to all; `document` is the order, JSON."""

    number: int
    model: str
    at: int
    document: bytes


def add(connection: sqlite3.Connection, model: str, document: bytes, at: int) -> int:
    """Append an order; return its number. Numbers rise and are never given twice."""
    done = connection.execute(
        "INSERT INTO orders (model, at, document) VALUES (?, ?, ?)", (model, index(at), document.decode())
    )
    return int(done.lastrowid or 0)


def after(connection: sqlite3.Connection, number: int) -> list[OrderRow]:
    """Return the orders behind a number, in the order in which they were given."""
    rows = connection.execute(
        "SELECT number, model, at, document FROM orders WHERE number > ? ORDER BY number", (number,)
    )
    return [OrderRow(given, model, at, document.encode()) for given, model, at, document in rows]
