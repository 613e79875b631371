"""What must have happened in the fraud case."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from examples.fraud_case.production import BASELINE, MOVES
from examples.fraud_case.retrainer import VERSION
from sklearn.metrics import average_precision_score

if TYPE_CHECKING:
    from collections.abc import Callable

    from examples.fraud_case.production import Answers, Production
    from examples.fraud_case.retrainer import Trained
    from examples.fraud_case.topics import Topics

WITHIN_OF_BASELINE, WITHIN_OF_ESTIMATE, FALL = 0.02, 0.03, 0.10
"""How far version 2 may be from the baseline and from the estimate, and how far version 1 has to have fallen."""


@dataclass(frozen=True)
class Ended:
    """How it ended.

    Attributes
    ----------
    code
        The exit code of the daemon.
    production, topics
        What was produced, and what was written.
    early
        Alerts before the ways of fraud changed.
    trigger, trained
        What was asked for, and the version that came of it; None for nothing.
    status
        What `anchorwatch status` said at the end.
    """

    code: int
    production: Production
    topics: Topics
    early: list[dict[str, Any]]
    trigger: dict[str, Any] | None
    trained: Trained | None
    status: dict[str, Any] | None


def verdict(ended: Ended, tell: Callable[[str], None]) -> list[str]:
    """Return what did not happen as it should, after telling the figures."""
    checks = [*_told(ended), *_accounted(ended)]
    if ended.trigger is None:
        checks.append((False, "no retraining was asked for"))
    else:
        checks += [*_recovered(ended, ended.trigger, tell), *_resolved(ended)]
    return [text for holds, text in checks if not holds]


def _told(ended: Ended) -> list[tuple[bool, str]]:
    firing = [a["data"] for a in ended.topics.read("alerts") if a["data"].get("reason") == "fired"]
    accuracy = [alert for alert in firing if alert["labels"].get("kind") == "accuracy"]
    triggers = {trigger["id"] for trigger in ended.topics.read("retrain")}
    return [
        (not ended.early, f"{len(ended.early)} alerts fired before anything had changed"),
        (bool(accuracy), "no alert said that accuracy had fallen"),
        (len(triggers) == 1, f"{len(triggers)} retrainings were asked for, not one"),
        (ended.code == 0, f"the daemon ended with {ended.code}"),
    ]


def _accounted(ended: Ended) -> list[tuple[bool, str]]:
    """Every record is in one count, and the counts of second labels are what was planted, but for those that wait."""
    if ended.status is None:
        return [(False, "the daemon says nothing of itself")]
    found = ended.status["models"][0]["accounting"]
    written, planted = ended.topics.written, ended.production.planted()
    waiting = found.get("pending_labels", 0)
    checks = [
        (found.get(part) == written[part], f"{found.get(part)} of {written[part]} {part} were counted")
        for part in ("predictions", "labels")
    ]
    for name, n in planted.items():
        counted = found.get(name, 0)
        checks.append((n - waiting <= counted <= n, f"{counted} {name} were counted, {n} were planted"))
    return checks


def _recovered(ended: Ended, trigger: dict[str, Any], tell: Callable[[str], None]) -> list[tuple[bool, str]]:
    production = ended.production
    served = production.served if production.takeover is None else production.takeover
    before, moved, after = (
        _average_precision(production.answers(first, end))
        for first, end in ((0, BASELINE), (MOVES, served), (served, production.served))
    )
    tell(f"average precision of version 1: {before:.3f} in the baseline, {moved:.3f} since the change")
    tell(f"average precision of version {VERSION}: {after:.3f}")
    estimate = trigger["data"]["window"].get("estimate")
    points = f"{100 * WITHIN_OF_BASELINE:.0f} points of the baseline's {before:.3f}"
    checks = [
        (before - moved >= FALL, f"version 1 fell from {before:.3f} to {moved:.3f} only"),
        (abs(after - before) <= WITHIN_OF_BASELINE, f"version 2 reaches {after:.3f}, which is not within {points}"),
    ]
    if not isinstance(estimate, dict) or estimate.get("metric") != "average precision":
        return [*checks, (False, f"the trigger estimates no average precision but says: {estimate}")]
    reached = estimate["reached"]
    tell(f"the estimate said {reached:.3f}")
    text = f"the estimate said {reached:.3f}, which is not within {100 * WITHIN_OF_ESTIMATE:.0f} points of {after:.3f}"
    return [*checks, (abs(reached - after) <= WITHIN_OF_ESTIMATE, text)]


def _resolved(ended: Ended) -> list[tuple[bool, str]]:
    """All alerts of version 1 are over, nothing new was told of version 2, nobody was missed."""
    messages = ended.topics.read("alerts")
    told = [message for message in messages if message["type"].startswith("io.anchorwatch.alert.")]
    incidents = [message["data"] for message in messages if message["type"].startswith("io.anchorwatch.incident.")]
    lasting = {i["incident"] for i in incidents} - {i["incident"] for i in incidents if i["status"] == "resolved"}
    open_now = {a["data"]["fingerprint"] for a in told if a["data"]["status"] == "firing"}
    open_now -= {a["data"]["fingerprint"] for a in told if a["data"]["status"] == "resolved"}
    model = ended.status["models"][0] if ended.status else {"firing": None, "retrainings": []}
    firing, known = model["firing"], [(r["status"], r["new_version"]) for r in model["retrainings"]]
    return [
        (not open_now, f"{len(open_now)} alerts have not resolved"),
        (firing == 0, f"`anchorwatch status` still says that {firing} alerts fire"),
        (bool(incidents) and not lasting, f"of {len(incidents)} messages on incidents none closes {lasting or 'any'}"),
        (known == [("succeeded", VERSION)], f"`anchorwatch status` knows these retrainings: {known}"),
    ]


def _average_precision(answers: Answers) -> float:
    return float(average_precision_score(answers.fraud, answers.score))
