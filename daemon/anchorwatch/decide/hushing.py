"""What a silence or an acknowledgement changes of a step: not the alert's life, only who is told of it.

A firing that nobody was told of stays untold until the silence ends: told at the next evidence of trouble, or never if
it resolves before. The end of an alert that people were told of is told, silenced or not: whoever keeps it open has to
learn that it is over.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from anchorwatch.decide import alerts as life
from anchorwatch.decide.alerts import Episode, Step
from anchorwatch.decide.labels import labels_of_alert
from anchorwatch.decide.reasons import Reason

if TYPE_CHECKING:
    from collections.abc import Mapping

    from anchorwatch.decide.alerts import AlertState
    from anchorwatch.decide.evidence import Identity
    from anchorwatch.decide.notices import Notice
    from anchorwatch.decide.orders import Standing


def hushed(step: Step, before: AlertState | None, standing: Standing, at: int) -> Step:
    """Return a step as people's orders leave it.

    Parameters
    ----------
    step
        What the alert did.
    before
        The alert before that step; None when nothing was remembered of it.
    standing
        Orders in force.
    at
        Event time of the step, ns.
    """
    known = None if before is None else before.episode
    episode = None if step.state is None else step.state.episode
    if episode is None or step.state is None:
        return step._replace(notice=ended(step.notice, known))
    if not (standing.silences or standing.acknowledged or episode.untold):
        return step
    silenced = standing.silenced(labels_of_alert(step.state.identity, episode.severity), at)
    if known is None:
        return _muted(step, step.state, episode) if silenced else step
    return _told_or_not(step, step.state, (known, episode), standing, silenced=silenced)


def _told_or_not(
    step: Step, state: AlertState, episodes: tuple[Episode, Episode], standing: Standing, *, silenced: bool
) -> Step:
    """Return the step of an alert that was firing before and still is."""
    known, episode = episodes
    if episode.untold and not silenced and step.reason in {Reason.EVIDENCE_UPDATED, Reason.REPEATED}:
        return life.tell(state, _kept(episode, known, untold=False), Reason.SILENCE_ENDED)
    if step.notice is None or not (silenced or standing.knows(episode.incident)):
        return step
    state = msgspec.structs.replace(state, episode=_kept(episode, known, untold=episode.untold))
    return Step(state, Reason.SILENCED if silenced else Reason.ACKNOWLEDGED)


def ended(notice: Notice | None, episode: Episode | None) -> Notice | None:
    """Return the notice of an alert's end: nobody is told of it who was not told of its beginning."""
    if notice is None or episode is None or not episode.untold:
        return notice
    return msgspec.structs.replace(notice, silenced=True)


def open_incidents(alerts: Mapping[Identity, AlertState]) -> set[int]:
    """Return the incidents that any alert is firing in."""
    return {alert.episode.incident for alert in alerts.values() if alert.episode is not None}


def unfit(alerts: Mapping[Identity, AlertState], standing: Standing, at: int) -> set[Identity]:
    """Return the alerts that fire and that a silence keeps from asking for a retraining."""
    if not standing.silences:
        return set()
    return {
        identity
        for identity, alert in alerts.items()
        if alert.episode is not None and standing.unfit(labels_of_alert(identity, alert.episode.severity), at)
    }


def _muted(step: Step, state: AlertState, episode: Episode) -> Step:
    """Return the step of an alert that begins to fire under a silence."""
    notice = None if step.notice is None else msgspec.structs.replace(step.notice, silenced=True)
    state = msgspec.structs.replace(state, episode=msgspec.structs.replace(episode, untold=True))
    return Step(state, Reason.SILENCED, notice)


def _kept(episode: Episode, known: Episode, *, untold: bool) -> Episode:
    """Return an episode with the newest trouble, told as often as before."""
    return msgspec.structs.replace(episode, told_at=known.told_at, notices=known.notices, untold=untold)
