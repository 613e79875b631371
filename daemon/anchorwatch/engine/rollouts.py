"""A version that has taken over against the one it replaced: error rates on different predictions."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

from anchorwatch.decide.evidence import Kind
from anchorwatch.engine.comparing import code_of
from anchorwatch.engine.finding import Finding
from anchorwatch.engine.panes import Moment
from anchorwatch.engine.rivals import Baselines, verdict
from anchorwatch_detectors.two_rates import TwoRates
from anchorwatch_detectors.versus import Claim, Standing, follow

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from anchorwatch.engine.building import Made
    from anchorwatch.engine.comparing import Comparison
    from anchorwatch.engine.join import Outcomes
    from anchorwatch.engine.pending import Release
    from anchorwatch.engine.routing import Takeover
    from anchorwatch.engine.state import State
    from anchorwatch.engine.watch import Watch

RECENT = 10_000
"""The old version is known by its last so many outcomes, and by up to as many before them."""


class Tally(NamedTuple):
    """Outcomes of a version, ever: how many, how many of them wrong, and the same at the last two full blocks."""

    n: int = 0
    wrong: int = 0
    before: tuple[int, int] = (0, 0)
    last: tuple[int, int] = (0, 0)

    def add(self, wrong: NDArray[np.bool_]) -> Tally:
        """Return the tally with more outcomes, in order."""
        tally = self
        while len(wrong):
            part = wrong[: RECENT - (tally.n - tally.last[0])]
            n, bad = tally.n + len(part), tally.wrong + int(part.sum())
            full = n - tally.last[0] == RECENT
            tally = Tally(n, bad, *((tally.last, (n, bad)) if full else (tally.before, tally.last)))
            wrong = wrong[len(part) :]
        return tally

    @property
    def recent(self) -> tuple[int, int]:
        """Return how many recent outcomes were wrong, and how many there are."""
        return self.wrong - self.before[1], self.n - self.before[0]


class Bout(NamedTuple):
    """A new version against an old one, of which `wrong` of `n` recent outcomes were wrong when it was replaced."""

    new: str
    old: str
    wrong: int
    n: int
    begun: int
    standing: Standing
    said: tuple[str, float, int, int] | None = None


@dataclass(frozen=True, slots=True)
class Rollouts:
    """What is remembered of the versions that followed one another. Treat as a value.

    Attributes
    ----------
    comparison
        By what they are compared.
    tallies
        Outcomes by version.
    holder
        The version that took over last; "" before the first.
    bout
        The present comparison; None while there is none.
    """

    comparison: Comparison
    tallies: Mapping[str, Tally] = field(default_factory=dict)
    holder: str = ""
    bout: Bout | None = None

    def to_plain(self) -> dict[str, Any]:
        """Return it as plain data."""
        bout = None
        if self.bout is not None:
            bout = {
                **self.bout._asdict(),
                "standing": [*self.bout.standing],
                "said": self.bout.said and [*self.bout.said],
            }
        tallies = {name: [t.n, t.wrong, *t.before, *t.last] for name, t in sorted(self.tallies.items())}
        return {"comparison": [*self.comparison], "tallies": tallies, "holder": self.holder, "bout": bout}

    @classmethod
    def from_plain(cls, comparison: Comparison, plain: dict[str, Any]) -> Self:
        """Return what `to_plain` described; without the present comparison where another was asked for then."""
        tallies = {name: Tally(t[0], t[1], (t[2], t[3]), (t[4], t[5])) for name, t in plain["tallies"].items()}
        bout = plain["bout"]
        if bout is None or plain["comparison"] != list(comparison):
            return cls(comparison, tallies, plain["holder"])
        number, counts, *shown = bout["standing"]
        said = None if bout["said"] is None else tuple(bout["said"])
        kept = Bout(**{**bout, "standing": Standing(number, tuple(counts), *shown), "said": said})
        return cls(comparison, tallies, plain["holder"], kept)


def roll(
    watch: Watch,
    state: State,
    outcomes: Outcomes,
    release: Release,
    replaced: Sequence[Takeover],
    made: Sequence[Made],
) -> list[tuple[int, Finding]]:
    """Take outcomes and takeovers, in their order; return what is said of the version that took over last."""
    comparison = watch.comparison
    if comparison is None or not comparison.rollouts:
        return []
    rollouts = state.rollouts or Rollouts(comparison)
    record, wrong = outcomes.record, outcomes.record.token != outcomes.record.label_token
    findings: list[tuple[int, Finding]] = []
    edges = [int(np.searchsorted(outcomes.at, takeover.moment.position, side="right")) for takeover in replaced]
    start = 0
    for stop, takeover in zip([*edges, len(outcomes.at)], [*replaced, None], strict=True):
        rows = slice(start, stop)
        at = outcomes.at[rows]
        rollouts, found = _taken(state, rollouts, record.version[rows], wrong[rows], (at, release.time[at]), made)
        findings += found
        if takeover is not None:
            rollouts = _replaced(rollouts, takeover)
        start = stop
    state.rollouts = rollouts
    return findings


def _taken(
    state: State,
    rollouts: Rollouts,
    version: NDArray[np.int32],
    wrong: NDArray[np.bool_],
    when: tuple[NDArray[np.int64], NDArray[np.int64]],
    made: Sequence[Made],
) -> tuple[Rollouts, list[tuple[int, Finding]]]:
    """Take outcomes between two takeovers; `when` are their positions and event times."""
    if not len(version):
        return rollouts, []
    tallies = dict(rollouts.tallies)
    for code in np.unique(version).tolist():
        name = state.versions[code].name
        tallies[name] = tallies.get(name, Tally()).add(wrong[version == code])
    rollouts, bout = replace(rollouts, tallies=tallies), rollouts.bout
    code = -2 if bout is None else code_of(state, bout.new)
    mine = np.flatnonzero(version == code)
    if bout is None or not len(mine):
        return rollouts, []
    contest = TwoRates(bout.wrong, bout.n, rollouts.comparison.margin, rollouts.comparison.significance)
    standing, said = follow(contest, bout.standing, wrong[mine].astype(np.int64))
    decided = [each for each in said if each.claim is not Claim.UNDECIDED]
    last = bout.said
    if decided:
        counts = decided[-1].standing.counts
        at = int(when[1][mine[decided[-1].step]])
        last = (decided[-1].claim.value, contest.difference(counts), sum(counts), at)
    baselines = Baselines(state, code_of(state, bout.old), made)
    findings = [
        (
            code,
            Finding(
                moment=Moment(int(when[0][mine[each.step]]), 1, int(when[1][mine[each.step]])),
                segment="",
                kind=Kind.COMPARISON,
                subject=f"version {bout.old}",
                monitor="rates",
                verdict=verdict(contest, each, bout.begun),
                baseline=baselines.at(int(when[0][mine[each.step]])),
                decisive=True,
            ),
        )
        for each in said
    ]
    return replace(rollouts, bout=bout._replace(standing=standing, said=last)), findings


def _replaced(rollouts: Rollouts, takeover: Takeover) -> Rollouts:
    """Begin to compare a version that took over with the one that held the place, where outcomes of that are known."""
    if takeover.version == rollouts.holder:
        return rollouts
    tallies = rollouts.tallies
    # before the first takeover the place was held by the version that answered most
    old = rollouts.holder or max(sorted(tallies), key=lambda name: tallies[name].n, default="")
    bout = None
    if old in tallies and old != takeover.version:
        wrong, n = tallies[old].recent
        bout = Bout(takeover.version, old, wrong, n, takeover.moment.time, Standing(1, (0, 0)))
    return replace(rollouts, holder=takeover.version, bout=bout)
