"""What a saved state says to whoever has no watch: from its part `head`; each raises ValueError where it is none."""

from __future__ import annotations

from typing import Any

import msgspec

from anchorwatch.decide.orders import Standing
from anchorwatch.engine.plain import unpack


def saved_standing(head: bytes) -> Standing:
    """Return people's orders that are in force, as a saved head has them."""
    return msgspec.convert(unpack(head)["decisions"].get("standing", {}), Standing)


def saved_accounting(head: bytes) -> dict[str, int]:
    """Return the accounting in the part `head` of a saved state, for whoever has no watch; raises ValueError."""
    counts: dict[str, int] = unpack(head)["accounting"]
    return counts


def saved_retrainings(head: bytes) -> list[dict[str, Any]]:
    """Return the retrainings in the part `head` of a saved state, the newest first, as plain data."""
    kept: list[dict[str, Any]] = unpack(head)["decisions"].get("retrainings", [])
    return kept[::-1]


def saved_held(head: bytes) -> list[dict[str, Any]]:
    """Return what the policies hold back, from the part `head` of a saved state: policy, incident, reason, labels."""
    policies: dict[str, dict[str, Any]] = unpack(head)["decisions"].get("retrain", {})
    return [
        {"policy": name, "incident": held["incident"], "reason": held["reason"], "labelled": held["labelled"]}
        for name, kept in sorted(policies.items())
        for held in kept.get("held", [])
    ]
