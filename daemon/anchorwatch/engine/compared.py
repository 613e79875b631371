"""What is remembered of versions held against each other, as parts of a saved state, and told to people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypedDict

from anchorwatch.engine.comparing import Comparison
from anchorwatch.engine.plain import pack, unpack
from anchorwatch.engine.rivals import Rivals
from anchorwatch.engine.rollouts import Rollouts
from anchorwatch_detectors.paired import Paired
from anchorwatch_detectors.versus import Claim

if TYPE_CHECKING:
    from collections.abc import Mapping

    from anchorwatch.engine.state import State
    from anchorwatch.engine.watch import Watch
    from anchorwatch_detectors.two_rates import TwoRates
    from anchorwatch_detectors.versus import Standing


class Saved(TypedDict):
    """The fields of a state that are about versions held against each other."""

    rivals: Rivals | None
    rollouts: Rollouts | None


def compared_parts(state: State, before: State | None) -> dict[str, bytes | None]:
    """Return what changed since the state that was written last."""
    mine = {"rivals": state.rivals, "rollouts": state.rollouts}
    saved = {} if before is None else {"rivals": before.rivals, "rollouts": before.rollouts}
    return {
        name: pack(value.to_plain())
        for name, value in mine.items()
        if value is not None and saved.get(name) is not value
    }


def compared_of(watch: Watch, parts: Mapping[str, bytes]) -> Saved:
    """Return what `compared_parts` wrote, as far as the configuration still asks for it."""
    comparison = watch.comparison
    rivals = None if comparison is None else parts.get("rivals")
    rollouts = None if comparison is None else parts.get("rollouts")
    return {
        "rivals": None if rivals is None or comparison is None else Rivals.from_plain(comparison, unpack(rivals)),
        "rollouts": None
        if rollouts is None or comparison is None
        else Rollouts.from_plain(comparison, unpack(rollouts)),
    }


def described(parts: Mapping[str, bytes]) -> list[dict[str, Any]]:
    """Return saved comparisons for people: what is said, how sure that is, and how many predictions it still takes."""
    found = []
    if "rivals" in parts:
        plain = unpack(parts["rivals"])
        rivals = Rivals.from_plain(comparison := Comparison(*plain["comparison"]), plain)
        paired = Paired(comparison.margin, comparison.significance)
        who = (comparison.challenger, comparison.champion)
        found.append(_described(paired, who, rivals.standing, rivals.said))
    if "rollouts" in parts:
        plain = unpack(parts["rollouts"])
        bout = Rollouts.from_plain(comparison := Comparison(*plain["comparison"]), plain).bout
        if bout is not None:
            contest, who = bout.contest(comparison), (bout.new, bout.old)
            told = _described(contest, who, bout.standing, bout.said)
            found.append(told | {"same_predictions": False, "needed": bout.needed(comparison)})
    return found


def _described(
    contest: Paired | TwoRates, who: tuple[str, str], standing: Standing, said: tuple[str, float, int, int] | None
) -> dict[str, Any]:
    low, high = contest.interval(standing.counts)
    return {
        "version": who[0],
        "against": who[1],
        "same_predictions": True,
        "verdict": Claim.UNDECIDED.value if said is None else said[0],
        "decided": None if said is None else {"difference": said[1], "predictions": said[2], "at": said[3]},
        "difference": contest.difference(standing.counts) if standing.n else None,
        "low": low,
        "high": high,
        "margin": contest.margin,
        "predictions": standing.n,
        "needed": contest.needed(standing),
    }
