"""The decisions of one batch in event-time order: findings, takeovers of versions, and reports on retrainings."""

from __future__ import annotations

from bisect import insort
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from anchorwatch.decide.decision import decide, report, settle, supersede
from anchorwatch.decide.outcome import Outcome as Decision
from anchorwatch.engine.panes import Moment
from anchorwatch.engine.routing import Takeover

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

    from anchorwatch.decide.decision import Decisions
    from anchorwatch.decide.evidence import Evidence
    from anchorwatch.decide.recovery import Estimator
    from anchorwatch.decide.retraining import StatusReport
    from anchorwatch.engine.state import State
    from anchorwatch.engine.watch import Watch


class Arrivals(NamedTuple):
    """What comes beside the findings of a release.

    Attributes
    ----------
    takeovers
        Versions that replaced others by their number of predictions, in order.
    reports
        On retrainings, in order.
    times
        Event time at each position of the release.
    begun
        (versions,) position of the first prediction of each version; -1 for an earlier release.
    """

    takeovers: Sequence[Takeover]
    reports: Sequence[StatusReport]
    times: NDArray[np.int64]
    begun: NDArray[np.int64]


class _Event(NamedTuple):
    moment: Moment
    what: Takeover | StatusReport


def decided(
    watch: Watch,
    state: State,
    evidence: Sequence[Evidence],
    moments: Sequence[Moment],
    arrivals: Arrivals,
    estimator: Estimator | None = None,
) -> Decision:
    """Decide on all that came, in its order, and leave the decisions in `state`.

    A version that a retraining brought takes over with its first prediction after the success was reported, or at the
    report, where it predicts already.
    """
    data = _data(state)
    told: list[Decision] = []

    def note(made: tuple[Decisions, Decision]) -> None:
        state.decisions, decision = made
        told.append(decision)

    events = [_Event(takeover.moment, takeover) for takeover in arrivals.takeovers]
    for each in arrivals.reports:
        moment = Moment(int(np.searchsorted(arrivals.times, each.at, "right")), 0, each.at)
        insort(events, _Event(moment, each), key=_moment)
    for takeover in _armed(state, arrivals, None):
        insort(events, _Event(takeover.moment, takeover), key=_moment)
    start = 0
    while events:
        event = events.pop(0)
        stop = _first_after(moments, event.moment, start)
        note(decide(watch.rules, state.decisions, evidence[start:stop], estimator, data))
        start = stop
        if isinstance(event.what, Takeover):
            _replace(watch, state, event.what, note)
        else:
            note(report(watch.rules, state.decisions, event.what))
            state.count(f"status_{told[-1].reported[0].reason}", 1)
            for takeover in _armed(state, arrivals, event.moment):
                insort(events, _Event(takeover.moment, takeover), key=_moment)
    note(decide(watch.rules, state.decisions, evidence[start:], estimator, data))
    note(settle(watch.rules, state.decisions, state.mark.frontier))
    return joined(told)


def joined(told: Sequence[Decision]) -> Decision:
    """Return several outcomes as one, in order."""
    return Decision(*(tuple(each for part in parts for each in part) for parts in zip(*told, strict=True)))


def _moment(event: _Event) -> Moment:
    return event.moment


def _first_after(moments: Sequence[Moment], moment: Moment, start: int) -> int:
    return next((i for i in range(start, len(moments)) if moments[i] > moment), len(moments))


def _replace(
    watch: Watch, state: State, takeover: Takeover, note: Callable[[tuple[Decisions, Decision]], None]
) -> None:
    for name in takeover.replaced:
        note(supersede(watch.rules, state.decisions, name, takeover.moment.time, by=takeover.version))


def _armed(state: State, arrivals: Arrivals, since: Moment | None) -> list[Takeover]:
    """Return the takeovers by versions that retrainings brought, as of a report or, None, as of the earlier release."""
    codes = {version.name: code for code, version in enumerate(state.versions)}
    out = []
    for retraining in state.decisions.retrainings:
        code = codes.get(retraining.becomes) if retraining.armed else None
        if code is None:
            continue
        begun = int(arrivals.begun[code])
        moment = since
        if begun >= 0 and (since is None or begun >= since.position):
            moment = Moment(begun, 1, int(arrivals.times[begun]))
        if moment is None:
            continue
        others = (arrivals.begun < max(moment.position, 0)) & (np.arange(len(arrivals.begun)) != code)
        replaced = tuple(state.versions[i].name for i in np.flatnonzero(others).tolist())
        out.append(Takeover(moment, retraining.becomes, replaced))
    return out


def _data(state: State) -> tuple[tuple[str, str], ...]:
    """Return the fingerprints of the data that the baselines of all versions were made of."""
    baselines = [version.baseline for version in state.versions if version.baseline is not None]
    parts = [(b.id, b.predictions or b.outcomes) for b in baselines]
    return tuple((ident, part.fingerprint) for ident, part in parts if part is not None)
