"""The life of one alert, told as tables: minute, evidence, expected reason."""

import re

import msgspec
import pytest

from anchorwatch.decide.alert_policy import AlertPolicy
from anchorwatch.decide.alerts import Phase, Situation, advance, supersede
from anchorwatch.decide.notices import Status
from anchorwatch.decide.reasons import Reason
from anchorwatch.settings.monitors import Alerting

MINUTE = 60 * 10**9
USUAL = AlertPolicy(severity="warning", needs=2, of=3, keep_firing_for=0, cooldown=0, repeat=60 * MINUTE)


def policy(**changes):
    return msgspec.structs.replace(USUAL, **changes)


# "inhibited", "superseded", "retrained": drift while a schema alert fires, another version takes over, a new one.
STORIES = {
    "two of three windows fire it, and it resolves when none of the last three shows it": (
        policy(),
        """
        0 stable    stays_inactive
        1 drift     started_pending
        2 stable    still_pending
        3 drift     fired
        4 drift     evidence_updated
        5 stable    keeps_firing
        6 stable    keeps_firing
        7 stable    resolved
        8 stable    stays_inactive
        """,
    ),
    "one window of trouble among good ones is never told": (
        policy(),
        """
        1 drift     started_pending
        2 stable    still_pending
        3 stable    still_pending
        4 stable    fell_back
        5 drift     started_pending
        """,
    ),
    "three of four needs a third": (
        policy(needs=3, of=4),
        """
        1 drift     started_pending
        2 drift     still_pending
        3 stable    still_pending
        4 drift     fired
        """,
    ),
    "a decisive verdict needs no second, either way": (
        policy(),
        """
        1 drift!    fired
        2 drift!    evidence_updated
        3 stable!   resolved
        """,
    ),
    "trouble that goes on is told again after the repeat interval, and the interval begins anew": (
        policy(),
        """
        0   drift!  fired
        59  drift   evidence_updated
        60  drift   repeated
        119 drift   evidence_updated
        120 drift   repeated
        """,
    ),
    "a repeat interval of nothing means it is told once": (
        policy(repeat=0),
        """
        0    drift! fired
        9999 drift  evidence_updated
        """,
    ),
    "it keeps firing for as long as it was told to after the last trouble": (
        policy(keep_firing_for=10 * MINUTE),
        """
        0  drift!   fired
        5  drift!   evidence_updated
        14 stable!  keeps_firing
        15 stable!  resolved
        """,
    ),
    "it does not fire again during the cooldown, and needs fresh windows after it": (
        policy(cooldown=10 * MINUTE),
        """
        0  drift!   fired
        1  stable!  resolved
        2  stable   stays_inactive
        3  drift!   in_cooldown
        4  stable   still_pending
        5  stable   still_pending
        6  stable   fell_back
        9  drift    in_cooldown
        10 drift    in_cooldown
        11 drift    fired
        """,
    ),
    "what resolved starts from nothing": (
        policy(),
        """
        1 drift     started_pending
        2 drift     fired
        3 stable!   resolved
        4 drift     started_pending
        """,
    ),
    "a verdict that says nothing changes nothing, not even the windows that count": (
        policy(),
        """
        0 undetermined  undetermined
        1 drift         started_pending
        2 undetermined  undetermined
        3 undetermined  undetermined
        4 undetermined  undetermined
        5 drift         fired
        6 undetermined  undetermined
        7 stable!       resolved
        """,
    ),
    "a warning neither fires nor resolves": (
        policy(),
        """
        0 warning   warned
        1 warning!  warned
        2 drift!    fired
        3 warning!  keeps_firing
        4 warning   keeps_firing
        5 warning   keeps_firing
        6 warning   keeps_firing
        7 stable    resolved
        """,
    ),
    "a warning counts as a window without trouble": (
        policy(),
        """
        0 drift     started_pending
        1 warning   still_pending
        2 warning   still_pending
        3 warning   fell_back
        """,
    ),
    "a change for the better pages nobody and ends what was worse": (
        policy(),
        """
        0 better!   improved
        1 better    improved
        2 drift!    fired
        3 better!   resolved
        """,
    ),
    "a change without a good or a bad side is trouble": (
        policy(),
        """
        0 changed!  fired
        """,
    ),
    "trouble that a schema break explains leaves no trace": (
        policy(),
        """
        0 inhibited     inhibited
        1 inhibited     inhibited
        2 inhibited!    inhibited
        3 drift         started_pending
        4 inhibited!    inhibited
        5 drift         fired
        6 inhibited!    evidence_updated
        """,
    ),
    "the very same evidence again changes nothing": (
        policy(),
        """
        0 drift     started_pending
        0 drift     already_seen
        1 drift     fired
        1 drift     already_seen
        2 stable    keeps_firing
        2 stable    already_seen
        3 stable    keeps_firing
        4 stable    resolved
        4 stable    stays_inactive
        """,
    ),
    "an alert that fires for the third time within its span flaps: it is told so once and held until it is quiet": (
        policy(flaps=3, flaps_within=60 * MINUTE, flaps_quiet=30 * MINUTE),
        """
        0   drift!      fired
        1   stable!     resolved
        20  drift!      fired
        21  stable!     resolved
        40  drift!      flapping
        41  stable!     held
        50  drift!      evidence_updated
        60  stable!     held
        79  stable!     held
        80  stable!     resolved
        81  drift!      fired
        """,
    ),
    "firings that are further apart are no flapping": (
        policy(flaps=3, flaps_within=60 * MINUTE, flaps_quiet=30 * MINUTE),
        """
        0   drift!      fired
        1   stable!     resolved
        2   stable      stays_inactive
        59  drift!      fired
        60  stable!     resolved
        61  drift!      fired
        62  stable!     resolved
        63  drift!      flapping
        """,
    ),
    "a version that was replaced ends its alert": (
        policy(),
        """
        0 drift!        fired
        9 superseded    superseded
        """,
    ),
    "a retraining that brought a version ends its alert": (
        policy(),
        """
        0 drift!        fired
        9 retrained     retrained
        """,
    ),
}


def lines(story):
    return [line.split() for line in story.strip().splitlines()]


@pytest.fixture
def play(evidence, at):
    """Play a story through one alert; the steps it took."""

    def played(rules, story):
        state, steps, episode = None, [], 0
        for minute, word, _ in lines(story):
            if word in {"superseded", "retrained"}:
                notice = supersede(state, at(int(minute)), Reason(word))
                steps.append((None, notice.reason, notice))
                continue
            inhibited = word.startswith("inhibited")
            each = evidence(int(minute), word.replace("inhibited", "drift"))
            step = advance(rules, state, each, Situation(episode + 1, incident=7, inhibited=inhibited))
            episode += step.notice is not None and step.notice.begins
            state = step.state
            steps.append(step)
        return steps

    return played


@pytest.mark.parametrize("title", STORIES)
def test_an_alert_takes_the_step_that_its_story_names(title, play):
    rules, story = STORIES[title]
    assert [step[1].value for step in play(rules, story)] == [reason for _, _, reason in lines(story)]


@pytest.mark.parametrize("title", STORIES)
def test_people_are_told_when_it_fires_is_repeated_and_ends_and_at_no_other_time(title, play):
    told = {Reason.FIRED, Reason.FLAPPING, Reason.REPEATED, Reason.RESOLVED, Reason.SUPERSEDED, Reason.RETRAINED}
    for _, reason, notice in play(*STORIES[title]):
        assert (notice is not None) == (reason in told)
        assert notice is None or notice.reason is reason


def test_every_reason_stands_in_a_story():
    told = {reason for _, story in STORIES.values() for _, _, reason in lines(story)}
    told |= {"silenced", "silence_ended", "acknowledged"}  # people's doing: test_hushing.py
    assert told == {reason.value for reason in Reason}


def test_every_reason_is_explained_in_a_sentence():
    explained = re.findall(r"^\s*([A-Z_]+)\n\s+[A-Z].*\.$", Reason.__doc__, re.MULTILINE)
    assert sorted(explained) == sorted(reason.name for reason in Reason)


def test_an_alert_with_nothing_to_remember_is_forgotten(play):
    """Its state is None: after good news, after falling back, after resolving; kept while pending or cooling down."""
    kept = [
        step.state is not None
        for step in play(
            policy(cooldown=5 * MINUTE),
            """
            0 stable    stays_inactive
            1 drift     started_pending
            2 stable    still_pending
            3 stable    still_pending
            4 stable    fell_back
            5 drift!    fired
            6 stable!   resolved
            10 stable   stays_inactive
            11 stable   stays_inactive
            """,
        )
    ]
    assert kept == [False, True, True, True, False, True, True, True, False]


def test_a_notice_carries_when_it_began_fired_and_ended_and_the_last_trouble(evidence, at):
    state = None
    notices = []
    for each in (
        evidence(10, "drift", since=4, labels=900, labels_since=60, effect=0.05),
        evidence(11, "drift", since=6, labels=930, labels_since=50, effect=0.06),
        evidence(80, "drift", since=2, labels=999, labels_since=999, effect=0.09),
        evidence(90, "stable!", effect=0.0),
    ):
        state, _, notice = advance(USUAL, state, each, Situation(episode=3, incident=2))
        notices += [notice] if notice else []
    fired, repeated, resolved = notices
    assert [n.status for n in notices] == [Status.FIRING, Status.FIRING, Status.RESOLVED]
    assert [n.number for n in notices] == [1, 2, 3]
    assert {(n.episode, n.incident, n.severity, n.started_at) for n in notices} == {(3, 2, "warning", at(11))}
    assert [n.ended_at for n in notices] == [None, None, at(90)]
    assert {(n.trouble.since, n.trouble.labelled) for n in notices} == {(at(4), 840)}
    assert [n.trouble.latest.effect for n in notices] == [0.06, 0.09, 0.09]
    assert (fired.at, repeated.at, resolved.at) == (at(11), at(80), at(90))


def test_trouble_began_when_it_was_found_where_nobody_knows_better(evidence, at):
    _, _, notice = advance(USUAL, None, evidence(5, "drift!", labels=70), Situation(1, 1))
    assert (notice.trouble.since, notice.trouble.labelled) == (at(5), 70)


def test_a_number_that_is_not_finite_is_kept_as_none(evidence):
    _, _, notice = advance(
        USUAL, None, evidence(1, "drift!", statistic=float("inf"), effect=float("nan")), Situation(1, 1)
    )
    latest = notice.trouble.latest
    assert (latest.statistic, latest.threshold, latest.effect) == (None, None, None)


def test_an_alert_keeps_its_severity_when_the_configuration_changes_while_it_fires(evidence):
    """Its labels are its identity: with others, the resolution would not find the alert it ends."""
    state, _, _ = advance(USUAL, None, evidence(1, "drift!"), Situation(1, 1))
    _, _, notice = advance(policy(severity="critical"), state, evidence(2, "stable!"), Situation(2, 1))
    assert notice.severity == "warning"


def test_an_alert_that_nobody_was_told_of_ends_without_a_word(evidence, at):
    state, _, _ = advance(USUAL, None, evidence(1, "drift"), Situation(1, 1))
    assert state.phase is Phase.PENDING
    assert supersede(state, at(2)) is None


def test_phases_follow_the_evidence(evidence):
    state, phases = None, []
    for minute, word in enumerate(["drift", "drift", "stable!"]):
        state, _, _ = advance(policy(cooldown=9 * MINUTE), state, evidence(minute, word), Situation(1, 1))
        phases.append(state.phase)
    assert phases == [Phase.PENDING, Phase.FIRING, Phase.INACTIVE]


def test_a_policy_is_what_the_configuration_says():
    alerting = Alerting.model_validate(
        {"severity": "info", "needs": 3, "of": 5, "keep_firing_for": "5m", "cooldown": "1h", "repeat": "2d",
         "flapping": {"times": 4, "within": "2h", "quiet": "3h"}}
    )  # fmt: skip
    minutes = (5 * MINUTE, 60 * MINUTE, 2880 * MINUTE, 4, 120 * MINUTE, 180 * MINUTE)
    assert AlertPolicy.of_settings(alerting) == AlertPolicy("info", 3, 5, *minutes)
    assert AlertPolicy.of_settings(Alerting(flapping=None)).flaps == 0
