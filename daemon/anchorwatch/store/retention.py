"""Forgetting old history in small steps, so that no batch waits for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3

KEPT_IDS = 100_000
"""So many ids of published messages are remembered whatever their age."""

# the oldest rows are looked at first and no more than a step of them, so a step costs the same however long history is
_SCORES = """
    DELETE FROM scores WHERE seq IN (
        SELECT seq FROM (SELECT seq, stored FROM scores ORDER BY seq LIMIT :step) WHERE stored < :before)
"""
_PUBLISHED = """
    DELETE FROM published WHERE seq IN (
        SELECT seq FROM (SELECT seq, at FROM published ORDER BY seq LIMIT :step)
        WHERE at < :before AND seq <= (SELECT max(seq) FROM published) - :kept)
"""
# an alert that has not resolved keeps its last transition
_ALERTS = """
    DELETE FROM alerts WHERE seq IN (
        SELECT seq FROM (SELECT seq, stored, fingerprint, status FROM alerts WHERE stored < :before ORDER BY seq) AS old
        WHERE status = 'resolved' OR EXISTS (SELECT 1 FROM alerts WHERE fingerprint = old.fingerprint AND seq > old.seq)
        LIMIT :step)
"""
# and so does an incident its last telling
_INCIDENTS = """
    DELETE FROM incidents WHERE seq IN (
        SELECT seq FROM (SELECT seq, model, incident, status FROM incidents WHERE stored < :before ORDER BY seq) AS old
        WHERE status = 'resolved' OR EXISTS
            (SELECT 1 FROM incidents WHERE model = old.model AND incident = old.incident AND seq > old.seq)
        LIMIT :step)
"""
_TRIGGERS = (
    "DELETE FROM triggers WHERE seq IN (SELECT seq FROM triggers WHERE stored < :before ORDER BY seq LIMIT :step)"
)
_STAGES = "DELETE FROM stages WHERE seq IN (SELECT seq FROM stages WHERE stored < :before ORDER BY seq LIMIT :step)"


@dataclass(frozen=True, slots=True)
class Retention:
    """How long history is kept, in ns of wall time since it was written.

    What the present rests on is never pruned: the outbox, the state, baselines, and the last transition of each alert,
    and the last telling of each incident, that has not resolved.
    """

    scores: int = 90 * 86_400 * 10**9
    alerts: int = 400 * 86_400 * 10**9
    published: int = 30 * 86_400 * 10**9


def prune(connection: sqlite3.Connection, now: int, keep: Retention, step: int) -> int:
    """Delete at most `step` rows of each kind that are older than `keep` says; return how many were deleted."""
    steps = (
        (_SCORES, keep.scores),
        (_ALERTS, keep.alerts),
        (_INCIDENTS, keep.alerts),
        (_TRIGGERS, keep.alerts),
        (_STAGES, keep.alerts),
        (_PUBLISHED, keep.published),
    )
    return sum(
        connection.execute(sql, {"before": now - age, "step": step, "kept": KEPT_IDS}).rowcount for sql, age in steps
    )
