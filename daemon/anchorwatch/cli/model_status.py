"""What the store says of each model, for `anchorwatch status`."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from anchorwatch.cli.open_incidents import open_incidents
from anchorwatch.decide.orders import Standing

if TYPE_CHECKING:
    from anchorwatch.store.reader import Reader
    from anchorwatch.store.rows import TriggerRow


def models(reader: Reader) -> list[dict[str, Any]]:
    """Return what the store says of each model, ready for JSON; times ISO 8601 in UTC."""
    states = {state.model: state for state in reader.states()}
    alerts = Counter((alert.model, alert.status) for alert in reader.current_alerts())
    silenced = Counter(alert.model for alert in reader.current_alerts(status="firing") if alert.reason == "silenced")
    baselines = Counter(entry.model for entry in reader.baselines())
    names = sorted({*states, *baselines, *(model for model, _ in alerts)})
    return [
        {
            "model": name,
            "state_parts": states[name].parts if name in states else 0,
            "state_bytes": states[name].size if name in states else 0,
            "accounting": _accounting(reader, name),
            "accuracy": _accuracy(reader, name),
            "incidents": open_incidents(reader, name),
            "firing": alerts[name, "firing"],
            "pending": alerts[name, "pending"],
            "silenced": silenced[name],
            **_standing(reader, name),
            "comparisons": _comparisons(reader, name),
            "baselines": baselines[name],
            "last_trigger": _trigger(next(iter(reader.triggers(model=name, limit=1)), None)),
            "retrainings": _retrainings(reader, name),
            "held_back": _held_back(reader, name),
        }
        for name in names
    ]


def _accounting(reader: Reader, model: str) -> dict[str, int]:
    """Return what became of every record of a model, as of the last checkpoint; {} before the first."""
    from anchorwatch.engine.saved import saved_accounting

    head = reader.part(model, "head")
    return {} if head is None else saved_accounting(head)


def _accuracy(reader: Reader, model: str) -> list[dict[str, Any]]:
    """Return the newest mature accuracy figures of each version of a model, as of the last checkpoint."""
    from anchorwatch.engine.performance import figures_saved

    head = reader.part(model, "head")
    return [] if head is None else figures_saved(head)


def _standing(reader: Reader, model: str) -> dict[str, list[dict[str, Any]]]:
    """Return the silences of a model that are in force, and the incidents that somebody is at work on."""
    from anchorwatch.engine.saved import saved_standing

    head = reader.part(model, "head")
    standing = Standing() if head is None else saved_standing(head)
    return {
        "silences": [
            {
                "id": silence.id,
                "matchers": [str(matcher) for matcher in silence.matchers],
                "until": iso(silence.until),
                "by": silence.by,
                "comment": silence.comment,
                "retrain": silence.retrain,
            }
            for silence in standing.silences
        ],
        "acknowledged": [
            {"incident": each.incident, "by": each.by, "comment": each.comment} for each in standing.acknowledged
        ],
    }


def _comparisons(reader: Reader, model: str) -> list[dict[str, Any]]:
    """Return how versions of a model that are held against each other stand."""
    parts = {name: reader.part(model, name) for name in ("rivals", "rollouts")}
    if not any(parts.values()):
        return []
    from anchorwatch.engine.compared import described

    found = described({name: part for name, part in parts.items() if part is not None})
    for each in found:
        if each["decided"] is not None:
            each["decided"]["at"] = iso(each["decided"]["at"])
    return found


def _retrainings(reader: Reader, model: str) -> list[dict[str, Any]]:
    """Return the retrainings of a model as of the last checkpoint, the newest first."""
    from anchorwatch.engine.saved import saved_retrainings

    head = reader.part(model, "head")
    passed = reader.stages(model=model, limit=-1)
    return [
        {
            "id": kept["id"],
            "idempotency_key": kept["key"],
            "policy": kept["policy"],
            "incident": kept["incident"],
            "version": kept["version"],
            "requested": iso(kept["requested_at"]),
            "status": kept["progress"],
            "since": iso(kept["changed_at"]),
            "new_version": kept["becomes"] or None,
            "took_over": iso(kept["served_at"]),
            "history": [
                {"status": stage.status, "at": iso(stage.at), "version": stage.version or None, "by": stage.by or None}
                for stage in reversed(passed)
                if stage.trigger == kept["id"]
            ],
        }
        for kept in ([] if head is None else saved_retrainings(head))
    ]


def _held_back(reader: Reader, model: str) -> list[dict[str, Any]]:
    """Return the triggers that are held back because of what a retraining would recover, as of the last checkpoint."""
    from anchorwatch.engine.saved import saved_held

    head = reader.part(model, "head")
    return [] if head is None else saved_held(head)


def _trigger(row: TriggerRow | None) -> dict[str, Any] | None:
    if row is None:
        return None
    return {"id": row.id, "policy": row.policy, "incident": row.incident, "at": iso(row.at), "reason": row.reason}


def iso(at: int | None) -> str | None:
    """Return a time in ns as ISO 8601 to the second, in UTC."""
    return None if at is None else datetime.fromtimestamp(at / 1e9, UTC).isoformat(timespec="seconds")
