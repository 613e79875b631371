"""Which triggers an estimate holds back, as a saved state knows it."""

from __future__ import annotations

from typing import Any

from anchorwatch.engine.plain import unpack


def saved_held(head: bytes) -> list[dict[str, Any]]:
    """Return what the policies hold back, from the part `head` of a saved state: policy, incident, reason, labels."""
    policies: dict[str, dict[str, Any]] = unpack(head)["decisions"].get("retrain", {})
    return [
        {"policy": name, "incident": held["incident"], "reason": held["reason"], "labelled": held["labelled"]}
        for name, kept in sorted(policies.items())
        for held in kept.get("held", [])
    ]
