"""A version that has taken over against the one it replaced: how wrong, or how far off, on different predictions."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import numpy as np

from anchorwatch.decide.evidence import Kind
from anchorwatch.engine import distances
from anchorwatch.engine.comparing import code_of
from anchorwatch.engine.finding import Finding
from anchorwatch.engine.panes import Moment
from anchorwatch.engine.rivals import Baselines, verdict
from anchorwatch_detectors.paired import Paired
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
    """A new version against an old one.

    Attributes
    ----------
    new, old
        Their names.
    wrong, n
        Of so many recent outcomes of the old one so many were wrong when it was replaced; of values none is.
    begun
        Event time of the takeover, ns.
    standing, said
        As in `Rivals`.
    against
        Of values, how far off the old version was: what the next ones of the new version are held against, in order.
    """

    new: str
    old: str
    wrong: int
    n: int
    begun: int
    standing: Standing
    said: tuple[str, float, int, int] | None = None
    against: NDArray[np.uint16] | None = None

    def contest(self, comparison: Comparison) -> Paired | TwoRates:
        """Return what is compared, and how sure one has to be."""
        if comparison.regression:
            return Paired(comparison.margin, comparison.significance)
        return TwoRates(self.wrong, self.n, comparison.margin, comparison.significance)

    def needed(self, comparison: Comparison) -> int | None:
        """Return how many more predictions it takes; None where that is not to be told, or where so many do not fit."""
        needed = self.contest(comparison).needed(self.standing)
        short = needed is not None and self.against is not None and needed > len(self.against)
        return None if short else needed


class _Losses(NamedTuple):
    """Outcomes that can be compared: whose they are, their loss (wrong or not, or how far off), position and time."""

    version: NDArray[np.int32]
    loss: NDArray[Any]
    at: NDArray[np.int64]
    time: NDArray[np.int64]

    def part(self, rows: slice) -> _Losses:
        return _Losses(self.version[rows], self.loss[rows], self.at[rows], self.time[rows])


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
    distances
        By version how far off its last values were, as `engine.distances` keeps them.
    """

    comparison: Comparison
    tallies: Mapping[str, Tally] = field(default_factory=dict)
    holder: str = ""
    bout: Bout | None = None
    distances: Mapping[str, NDArray[np.uint16]] = field(default_factory=dict)

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
        plain = {"comparison": [*self.comparison], "tallies": tallies, "holder": self.holder, "bout": bout}
        return plain | ({"distances": dict(sorted(self.distances.items()))} if self.distances else {})

    @classmethod
    def from_plain(cls, comparison: Comparison, plain: dict[str, Any]) -> Self:
        """Return what `to_plain` described; without the present comparison where another was asked for then."""
        tallies = {name: Tally(t[0], t[1], (t[2], t[3]), (t[4], t[5])) for name, t in plain["tallies"].items()}
        bout, known = plain["bout"], plain.get("distances", {})
        if bout is None or plain["comparison"] != list(comparison):
            return cls(comparison, tallies, plain["holder"], distances=known)
        number, counts, *shown = bout["standing"]
        said = None if bout["said"] is None else tuple(bout["said"])
        kept = Bout(**{**bout, "standing": Standing(number, tuple(counts), *shown), "said": said})
        return cls(comparison, tallies, plain["holder"], kept, known)


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
    losses = _losses(comparison, outcomes, release)
    findings: list[tuple[int, Finding]] = []
    edges = [int(np.searchsorted(losses.at, takeover.moment.position, side="right")) for takeover in replaced]
    start = 0
    for stop, takeover in zip([*edges, len(losses.at)], [*replaced, None], strict=True):
        rollouts, found = _taken(state, rollouts, losses.part(slice(start, stop)), made)
        findings += found
        if takeover is not None:
            rollouts = _replaced(rollouts, takeover)
        start = stop
    state.rollouts = rollouts
    return findings


def _losses(comparison: Comparison, outcomes: Outcomes, release: Release) -> _Losses:
    record, time = outcomes.record, release.time[outcomes.at]
    if not comparison.regression:
        return _Losses(record.version, record.token != record.label_token, outcomes.at, time)
    off = np.abs(record.number - record.label_number)
    good = np.isfinite(off)
    return _Losses(record.version[good], distances.codes(off[good]), outcomes.at[good], time[good])


def _taken(
    state: State, rollouts: Rollouts, losses: _Losses, made: Sequence[Made]
) -> tuple[Rollouts, list[tuple[int, Finding]]]:
    """Take outcomes between two takeovers."""
    if not len(losses.version):
        return rollouts, []
    rollouts = _remembered(state, rollouts, losses)
    bout = rollouts.bout
    code = -2 if bout is None else code_of(state, bout.new)
    mine = np.flatnonzero(losses.version == code)
    if bout is None or not len(mine):
        return rollouts, []
    contest = bout.contest(rollouts.comparison)
    if bout.against is None:
        steps = losses.loss[mine].astype(np.int64)
    else:
        steps = distances.steps(bout.against, losses.loss[mine])
        bout = bout._replace(against=bout.against[len(steps) :])
    standing, said = follow(contest, bout.standing, steps)
    decided = [each for each in said if each.claim is not Claim.UNDECIDED]
    last = bout.said
    if decided:
        counts = decided[-1].standing.counts
        at = int(losses.time[mine[decided[-1].step]])
        last = (decided[-1].claim.value, contest.difference(counts), sum(counts), at)
    baselines = Baselines(state, code_of(state, bout.old), made)
    findings = [
        (
            code,
            Finding(
                moment=Moment(int(losses.at[mine[each.step]]), 1, int(losses.time[mine[each.step]])),
                segment="",
                kind=Kind.COMPARISON,
                subject=f"version {bout.old}",
                monitor="distances" if rollouts.comparison.regression else "rates",
                verdict=verdict(contest, each, bout.begun),
                baseline=baselines.at(int(losses.at[mine[each.step]])),
                decisive=True,
            ),
        )
        for each in said
    ]
    return replace(rollouts, bout=bout._replace(standing=standing, said=last)), findings


def _remembered(state: State, rollouts: Rollouts, losses: _Losses) -> Rollouts:
    """Add outcomes to what is known of their versions."""
    tallies, far = dict(rollouts.tallies), dict(rollouts.distances)
    for code in np.unique(losses.version).tolist():
        name, loss = state.versions[code].name, losses.loss[losses.version == code]
        if rollouts.comparison.regression:
            far[name] = distances.kept(far.get(name), loss)
            loss = np.zeros(len(loss), np.bool_)
        tallies[name] = tallies.get(name, Tally()).add(loss)
    return replace(rollouts, tallies=tallies, distances=far)


def _replaced(rollouts: Rollouts, takeover: Takeover) -> Rollouts:
    """Begin to compare a version that took over with the one that held the place, where outcomes of that are known."""
    if takeover.version == rollouts.holder:
        return rollouts
    tallies, far = rollouts.tallies, rollouts.distances
    # before the first takeover the place was held by the version that answered most
    old = rollouts.holder or max(sorted(tallies), key=lambda name: tallies[name].n, default="")
    bout = None
    if old in tallies and old != takeover.version:
        wrong, n = tallies[old].recent
        against, kinds = None, TwoRates.kinds
        if rollouts.comparison.regression:
            against, kinds = distances.drawn(far.get(old, np.empty(0, np.uint16))), Paired.kinds
        standing = Standing(1, (0,) * kinds)
        bout = Bout(takeover.version, old, wrong, n, takeover.moment.time, standing, against=against)
    left = {name: last for name, last in far.items() if name not in takeover.replaced}
    return replace(rollouts, holder=takeover.version, bout=bout, distances=left)
