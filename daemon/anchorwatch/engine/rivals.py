"""Versions held against each other: champion and challenger on the same predictions."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from anchorwatch.decide.evidence import POINTS, Kind
from anchorwatch.engine.comparing import challenger_of, code_of
from anchorwatch.engine.finding import Finding
from anchorwatch.engine.halves import Halves, pair
from anchorwatch.engine.panes import Moment
from anchorwatch_detectors.base import Direction, Level, Verdict
from anchorwatch_detectors.paired import BETTER, SAME, WORSE, Paired
from anchorwatch_detectors.versus import Claim, Standing, follow

if TYPE_CHECKING:
    from collections.abc import Sequence

    from anchorwatch.engine.building import Made
    from anchorwatch.engine.comparing import Comparison
    from anchorwatch.engine.halves import Pairs
    from anchorwatch.engine.join import Outcomes
    from anchorwatch.engine.pending import Release
    from anchorwatch.engine.state import State
    from anchorwatch.engine.watch import Watch
    from anchorwatch_detectors.versus import Contest, Said

_SAID = {
    Claim.WORSE: (Level.DRIFT, Direction.WORSE),
    Claim.BETTER: (Level.DRIFT, Direction.BETTER),
    Claim.EQUIVALENT: (Level.STABLE, Direction.CHANGED),
    Claim.UNDECIDED: (Level.UNDETERMINED, Direction.CHANGED),
}


@dataclass(frozen=True, slots=True)
class Rivals:
    """What is remembered of champion and challenger. Treat as a value.

    Attributes
    ----------
    comparison
        What was compared; where the configuration says otherwise now, it begins anew.
    halves
        Outcomes whose other half is not known yet.
    standing
        How the comparison stands.
    begun
        Event time of the first pair of this round, ns; None before it.
    said
        The last claim but "undecided", the difference then, how many pairs it rested on, and its event time in ns;
        None before the first.
    """

    comparison: Comparison
    halves: Halves = field(default_factory=Halves.none)
    standing: Standing = field(default_factory=lambda: Standing(1, (0, 0, 0)))
    begun: int | None = None
    said: tuple[str, float, int, int] | None = None

    def to_plain(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "comparison": list(self.comparison),
            "halves": self.halves.to_plain(),
            "standing": [self.standing.round, list(self.standing.counts), *map(bool, self.standing[2:])],
            "begun": self.begun,
            "said": None if self.said is None else list(self.said),
        }

    @classmethod
    def from_plain(cls, comparison: Comparison, plain: dict[str, Any]) -> Self:
        """Return what `to_plain` described; a fresh one where something else was compared then."""
        if plain["comparison"] != list(comparison):
            return cls(comparison)
        number, counts, *shown = plain["standing"]
        said = plain["said"]
        return cls(
            comparison=comparison,
            halves=Halves.from_plain(plain["halves"]),
            standing=Standing(number, tuple(counts), *shown),
            begun=plain["begun"],
            said=None if said is None else (said[0], said[1], said[2], said[3]),
        )


def compare(
    watch: Watch, state: State, outcomes: Outcomes, release: Release, made: Sequence[Made]
) -> list[tuple[int, Finding]]:
    """Take outcomes, under their common ids, into the comparison; return what is said of the challenger.

    `made` are the baselines that were completed in this release.
    """
    comparison = watch.comparison
    if comparison is None or not comparison.challenger:
        return []
    rivals = state.rivals or Rivals(comparison)
    champion, challenger = code_of(state, comparison.champion), challenger_of(watch, state)
    mine = np.flatnonzero(np.isin(outcomes.record.version, [champion, challenger]))
    new = _halves(comparison, outcomes, release, mine, challenger)
    waiting, pairs = pair(rivals.halves.with_more(new), comparison.within)
    fresh_enough = waiting.known >= state.mark.frontier - comparison.within
    halves = waiting if fresh_enough.all() else waiting.take(fresh_enough)
    if not len(pairs.at) and not len(mine) and len(halves.known) == len(rivals.halves.known):
        state.rivals = rivals
        return []
    state.count("compared_predictions", len(pairs.at))
    contest = Paired(comparison.margin, comparison.significance)
    standing, said = follow(contest, rivals.standing, _steps(pairs))
    begun = _begun(rivals.begun, pairs, said)
    state.rivals = replace(
        rivals, halves=halves, standing=standing, begun=begun[-1], said=_last(contest, rivals, pairs, said)
    )
    baselines = Baselines(state, champion, made)
    monitor = "closer" if comparison.regression else "paired"
    return [
        (
            challenger,
            Finding(
                moment=Moment(int(pairs.at[each.step]), 1, int(pairs.known[each.step])),
                segment="",
                kind=Kind.COMPARISON,
                subject=f"version {comparison.champion}",
                monitor=monitor,
                verdict=verdict(contest, each, since),
                baseline=baselines.at(int(pairs.at[each.step])),
                decisive=True,
            ),
        )
        for each, since in zip(said, begun, strict=False)
    ]


def verdict(contest: Contest, said: Said, since: int | None) -> Verdict:
    """Return what was said as a verdict; the effect is above 0 where the second version is worse."""
    level, direction = _SAID[said.claim]
    difference = contest.difference(said.standing.counts)
    return Verdict(
        level=level,
        reason=said.claim.value,
        statistic=difference,
        threshold=contest.margin,
        effect=100.0 * difference,
        direction=direction,
        n=said.standing.n,
        since=since if level is Level.DRIFT else None,
        effect_unit=POINTS,
    )


def _halves(comparison: Comparison, outcomes: Outcomes, release: Release, mine: Any, challenger: int) -> Halves:
    record, at = outcomes.record.take(mine), outcomes.at[mine]
    if comparison.regression:
        loss = np.abs(record.number - record.label_number)
    else:
        loss = (record.token != record.label_token).astype(np.float64)
    halves = Halves(record.ident, record.version == challenger, loss, release.time[at], at)
    good = np.isfinite(loss)
    return halves if good.all() else halves.take(good)


def _steps(pairs: Pairs) -> Any:
    """Return who was better on each prediction."""
    return np.where(pairs.second > pairs.first, WORSE, np.where(pairs.second < pairs.first, BETTER, SAME))


def _begun(begun: int | None, pairs: Pairs, said: Sequence[Said]) -> list[int | None]:
    """Return when the round of each thing said began, and the present round."""
    times: list[int | None] = []
    if begun is None and len(pairs.known):
        begun = int(pairs.known[0])
    for each in said:
        times.append(begun)
        if each.claim is not Claim.UNDECIDED:
            begun = int(pairs.known[each.step + 1]) if each.step + 1 < len(pairs.known) else None
    return [*times, begun]


def _last(contest: Contest, rivals: Rivals, pairs: Pairs, said: Sequence[Said]) -> tuple[str, float, int, int] | None:
    for each in reversed(said):
        if each.claim is not Claim.UNDECIDED:
            counts = each.standing.counts
            return each.claim.value, contest.difference(counts), each.standing.n, int(pairs.known[each.step])
    return rivals.said


class Baselines:
    """Which baseline a version had at each position of the release.

    Parameters
    ----------
    state, code
        The version, -2 for none.
    made
        Baselines that were completed in the release.
    """

    def __init__(self, state: State, code: int, made: Sequence[Made]) -> None:
        version = state.versions[code] if code >= 0 else None
        self._made = sorted((m for m in made if version and m.baseline.version == version.name), key=lambda m: m.at)
        now = "" if version is None or version.baseline is None else version.baseline.id
        self._before = (self._made[0].baseline.extends or "") if self._made else now

    def at(self, position: int) -> str:
        """Return its id, "" while there was none."""
        there = [made.baseline.id for made in self._made if made.at <= position]
        return there[-1] if there else self._before
